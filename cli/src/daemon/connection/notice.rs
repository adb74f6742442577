//! Tells connections to end when the daemon stops or has no room.

use std::future::pending;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A connection that is younger than this is not asked to make room: its request may be on the
/// way.
const YOUNG: Duration = Duration::from_millis(500);

/// The state of the daemon that concerns all connections.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notice {
    /// Rises when there is no room for another connection.
    pub crowded: u64,
    /// The daemon is about to end.
    pub stopping: bool,
}

/// One connection's view of the [`Notice`].
#[derive(Debug)]
pub struct Notices {
    receiver: watch::Receiver<Notice>,
    accepted: Instant,
}

impl Notices {
    /// Those of a connection that was accepted just now.
    pub fn subscribe(sender: &watch::Sender<Notice>) -> Self {
        Self {
            receiver: sender.subscribe(),
            accepted: Instant::now(),
        }
    }

    /// Waits until the connection should end as soon as it has nothing to do.
    pub async fn leave(&mut self) {
        while !self.receiver.borrow_and_update().stopping {
            if self.receiver.changed().await.is_err() {
                // Nobody is left to tell anything.
                pending::<()>().await;
            }
            if self.accepted.elapsed() > YOUNG {
                return;
            }
        }
    }
}
