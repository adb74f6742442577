//! Accepts connections while there is room for them, and waits for all of them to end.

use super::client::Client;
use super::connection::{Announcer, Context, Http};
use super::listener::Listener;
use super::log;
use super::slots::{Slot, Slots};
use crate::args::LimitArgs;
use axum::Router;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long to wait after accepting failed. It fails at once and again as long as the host is
/// short of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(100);

/// How often idle connections are asked again to make room, if none was idle or the one that gave way takes its time.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// How many of them are asked if descriptors or memory are scarce.
const SOME: usize = 16;

const OPEN: &str = "nobody closes the semaphore";

/// All connections of the daemon.
pub struct Connections {
    slots: Slots,
    announcer: Announcer,
    http: Http,
    service: TowerToHyperService<Router>,
}

impl Connections {
    /// Connections whose requests `router` answers.
    pub fn new(slots: Slots, limits: &LimitArgs, router: Router) -> Self {
        Self {
            slots,
            announcer: Announcer::default(),
            http: Http::new(limits),
            service: TowerToHyperService::new(router),
        }
    }

    /// Takes connections for ever.
    pub async fn accept<L: Listener>(&self, mut listener: L) -> Infallible {
        let mut failing = false;
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    failing = false;
                    // The connection waits here, and no other is accepted meanwhile.
                    let slot = self.slot(peer.into()).await;
                    let context = Context {
                        peer,
                        service: self.service.clone(),
                        notices: self.announcer.subscribe(),
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
                    self.announcer.make_room(SOME);
                    sleep(BACK_OFF).await;
                }
            }
        }
    }

    /// Asks all connections to end after their present request, and waits until they, and all that
    /// was begun for them, have ended.
    pub async fn drain(&self) {
        self.announcer.stop();
        self.slots.all_free().await.expect(OPEN);
    }

    /// A place for one more connection. If there is none, an idle connection gives way at once.
    async fn slot(&self, client: Client) -> Slot {
        if let Ok(slot) = self.slots.try_take(client) {
            return slot;
        }
        loop {
            self.announcer.make_room(1);
            if let Ok(slot) = timeout(ASK_AGAIN, self.slots.take(client)).await {
                return slot.expect(OPEN);
            }
        }
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
