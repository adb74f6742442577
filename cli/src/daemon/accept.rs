//! Takes connections, as many as there is room for, and sees them all end.

use super::connection::{Context, Http, Notice, Notices};
use super::listener::Listener;
use super::log;
use crate::args::LimitArgs;
use axum::Router;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// How long to wait after accepting failed. It fails at once and again as long as the host is
/// short of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(100);

/// How often idle connections are asked to make room while there is none.
const ASK_AGAIN: Duration = Duration::from_millis(100);

const OPEN: &str = "nobody closes the semaphore";

/// All connections of the daemon.
pub struct Connections {
    slots: Slots,
    notice: watch::Sender<Notice>,
    http: Http,
    service: TowerToHyperService<Router>,
}

/// How many connections there are, and may be.
#[derive(Debug, Clone)]
pub struct Slots {
    /// One permit for each connection that there is room for.
    free: Arc<Semaphore>,
    most: u32,
}

impl Slots {
    /// Room for `most` connections.
    pub fn new(most: u32) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most as usize)),
            most,
        }
    }

    /// How many connections are open, with the one that is waited for.
    pub fn open(&self) -> usize {
        self.most as usize - self.free.available_permits()
    }

    pub fn most(&self) -> u32 {
        self.most
    }
}

impl Connections {
    /// Connections whose requests `router` answers.
    pub fn new(slots: Slots, limits: &LimitArgs, router: Router) -> Self {
        Self {
            slots,
            notice: watch::Sender::new(Notice::default()),
            http: Http::new(limits),
            service: TowerToHyperService::new(router),
        }
    }

    /// Takes connections for ever.
    pub async fn accept<L: Listener>(&self, mut listener: L) -> Infallible {
        let mut failing = false;
        loop {
            let slot = self.slot().await;
            match listener.accept().await {
                Ok((stream, peer)) => {
                    failing = false;
                    let context = Context {
                        peer,
                        service: self.service.clone(),
                        notices: Notices::subscribe(&self.notice),
                        slot,
                    };
                    tokio::spawn(self.http.clone().serve(stream, context));
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if !failing {
                        log::accept_failed(&error);
                    }
                    failing = true;
                    self.make_room();
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Asks all connections to end after their present request, and waits until they, and all that
    /// was begun for them, have ended. Accepting must have ended before: it holds room for the next
    /// connection.
    pub async fn drain(&self) {
        self.notice.send_modify(|notice| notice.stopping = true);
        let all = self.slots.free.acquire_many(self.slots.most).await;
        drop(all.expect(OPEN));
    }

    /// Waits for room for one more connection.
    async fn slot(&self) -> OwnedSemaphorePermit {
        loop {
            let slot = Arc::clone(&self.slots.free).acquire_owned();
            if let Ok(slot) = timeout(ASK_AGAIN, slot).await {
                return slot.expect(OPEN);
            }
            self.make_room();
        }
    }

    /// Asks idle connections to end.
    fn make_room(&self) {
        self.notice.send_modify(|notice| notice.crowded += 1);
    }
}

/// Errors of the connection that was to be accepted: the next one may be taken at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
