//! Asks connections to end when the daemon stops or has no room.
//!
//! When a client waits for a place, all connections are asked, and the first idle one gives way: one for each client.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A connection that is younger than this and has not sent its first request is not asked to give way: the request may
/// be on its way.
const YOUNG: Duration = Duration::from_millis(500);

/// The state of the daemon that concerns all connections.
#[derive(Debug, Clone, Copy, Default)]
struct Notice {
    /// Increases when places are wanted.
    crowded: u64,
    /// The daemon is about to end.
    is_stopping: bool,
}

/// Tells all connections.
#[derive(Debug, Default)]
pub struct Announcer {
    notice: watch::Sender<Notice>,
    /// How many connections should give way.
    wanted: Arc<AtomicUsize>,
}

impl Announcer {
    /// Asks this many idle connections to end, and no more, even if others were asked before.
    pub fn make_room(&self, connections: usize) {
        self.wanted.store(connections, Ordering::Relaxed);
        self.notice.send_modify(|notice| notice.crowded += 1);
    }

    /// Asks all connections to end after their present request.
    pub fn stop(&self) {
        self.notice.send_modify(|notice| notice.is_stopping = true);
    }

    /// For a connection that was accepted just now.
    pub fn subscribe(&self) -> Notices {
        Notices {
            receiver: self.notice.subscribe(),
            wanted: Arc::clone(&self.wanted),
            accepted: Instant::now(),
        }
    }
}

/// The notices of one connection.
#[derive(Debug)]
pub struct Notices {
    receiver: watch::Receiver<Notice>,
    wanted: Arc<AtomicUsize>,
    accepted: Instant,
}

impl Notices {
    /// Waits until the connection should end as soon as it has nothing to do: when the daemon stops, or when places
    /// are wanted and it `is_idle`.
    pub async fn leave(&mut self, is_idle: impl Fn() -> bool) {
        while !self.receiver.borrow_and_update().is_stopping {
            if self.receiver.changed().await.is_err() {
                // The daemon is gone.
                pending::<()>().await;
            }
            if is_idle() && self.is_first() {
                return;
            }
        }
    }

    /// The same for a connection on which nothing has arrived yet.
    pub async fn leave_silent(&mut self) {
        let is_young = self.is_young();
        self.leave(|| !is_young()).await;
    }

    /// Returns whether the first request of the connection still has time.
    pub fn is_young(&self) -> impl Fn() -> bool + use<> {
        let accepted = self.accepted;
        move || accepted.elapsed() <= YOUNG
    }

    /// Returns whether the daemon is about to end.
    pub fn is_stopping(&self) -> impl Fn() -> bool + use<> {
        let receiver = self.receiver.clone();
        move || receiver.borrow().is_stopping
    }

    /// Whether no other connection has given way already.
    fn is_first(&self) -> bool {
        let one_less = |wanted: usize| wanted.checked_sub(1);
        (self.wanted)
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use tokio::time::timeout;

    async fn leaves(leave: impl Future<Output = ()>) -> bool {
        timeout(Duration::ZERO, leave).await.is_ok()
    }

    #[tokio::test]
    async fn one_idle_connection_gives_way() {
        let announcer = Announcer::default();
        let [mut busy, mut one, mut other] = [(); 3].map(|()| announcer.subscribe());
        let mut busy = pin!(busy.leave(|| false));
        let mut one = pin!(one.leave(|| true));
        let mut other = pin!(other.leave(|| true));
        for waiting in [
            busy.as_mut() as Pin<&mut dyn Future<Output = ()>>,
            one.as_mut(),
            other.as_mut(),
        ] {
            assert!(!leaves(waiting).await);
        }
        announcer.make_room(1);
        assert!(!leaves(busy.as_mut()).await);
        assert!(leaves(one).await);
        assert!(!leaves(other.as_mut()).await);
        announcer.make_room(1);
        assert!(leaves(other).await);
        announcer.stop();
        assert!(leaves(busy).await);
    }

    #[tokio::test]
    async fn a_new_connection_may_send_its_request_first() {
        let announcer = Announcer::default();
        let [mut young, mut old] = [(); 2].map(|()| announcer.subscribe());
        old.accepted -= YOUNG;
        let (mut young, mut old) = (pin!(young.leave_silent()), pin!(old.leave_silent()));
        assert!(!leaves(young.as_mut()).await && !leaves(old.as_mut()).await);
        announcer.make_room(1);
        assert!(!leaves(young).await);
        assert!(leaves(old).await);
    }
}
