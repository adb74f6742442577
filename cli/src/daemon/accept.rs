//! Takes connections, as many as there is room for, and sees them all end.

use super::connection::{self, Notice};
use super::threads::HAND_OVER_THREADS;
use super::{log, open_files};
use crate::args::LimitArgs;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use rustix::net::sockopt::set_tcp_user_timeout;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

/// How long to wait after accepting failed. It fails at once and again as long as the host is
/// short of descriptors or memory.
const BACK_OFF: Duration = Duration::from_millis(100);

/// How often idle connections are asked to make room while there is none.
const ASK_AGAIN: Duration = Duration::from_millis(100);

/// The largest head of a request.
const HEAD_OCTETS: usize = 64 << 10;

/// All connections of the daemon.
pub struct Connections {
    /// One permit for each connection that there is room for.
    slots: Arc<Semaphore>,
    most: usize,
    notice: watch::Sender<Notice>,
    /// How long a client may leave its answer untaken.
    stall: Duration,
    http: http1::Builder,
    service: TowerToHyperService<Router>,
}

impl Connections {
    pub fn new(limits: &LimitArgs, router: Router) -> Self {
        let wanted = limits.max_connections as usize;
        let hand_overs = HAND_OVER_THREADS.min(limits.max_in_flight as usize);
        let most = open_files::room_for_connections(wanted, hand_overs);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_OCTETS)
            .max_header_size(HEAD_OCTETS)
            // A client may close its side once its request is sent: `nc` does.
            .half_close(true);
        Self {
            slots: Arc::new(Semaphore::new(most)),
            most,
            notice: watch::Sender::new(Notice::default()),
            stall: limits.body_timeout,
            http,
            service: TowerToHyperService::new(router),
        }
    }

    /// Takes connections for ever.
    pub async fn accept(&self, listener: TcpListener) -> Infallible {
        let mut failing = false;
        loop {
            let slot = self.slot().await;
            match listener.accept().await {
                Ok((stream, _)) => {
                    failing = false;
                    prepare(&stream, self.stall);
                    let http = self.http.clone();
                    let notice = self.notice.subscribe();
                    let service = self.service.clone();
                    tokio::spawn(connection::serve(stream, http, service, notice, slot));
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

    /// How many there are.
    pub fn open(&self) -> usize {
        self.most - self.slots.available_permits()
    }

    /// Asks all connections to end after their present request, and waits until they, and all that
    /// was begun for them, have ended. Accepting must have ended before: it holds room for the next
    /// connection.
    pub async fn drain(&self) {
        self.notice.send_modify(|notice| notice.stopping = true);
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        // It fails only once the semaphore is closed, which nobody does.
        let _ = self.slots.acquire_many(all).await;
    }

    /// Waits for room for one more connection.
    async fn slot(&self) -> OwnedSemaphorePermit {
        loop {
            let slot = Arc::clone(&self.slots).acquire_owned();
            if let Ok(Ok(slot)) = timeout(ASK_AGAIN, slot).await {
                return slot;
            }
            self.make_room();
        }
    }

    /// Asks idle connections to end.
    fn make_room(&self) {
        self.notice.send_modify(|notice| notice.crowded += 1);
    }
}

/// Sets the socket's options. A connection that does not take one works all the same.
fn prepare(stream: &TcpStream, stall: Duration) {
    // Answers are small: none should wait for the acknowledgement of the one before it.
    let _ = stream.set_nodelay(true);
    // hyper has no limit on the time for an answer: a client that never reads would keep it.
    let stall = u32::try_from(stall.as_millis()).unwrap_or(u32::MAX);
    let _ = set_tcp_user_timeout(stream, stall);
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
