//! How long the client of a batch may take.

use std::time::Duration;
use tokio::time::Instant;

/// A client gets this much time for a message, or for this many bytes of a larger one.
const PIECE: usize = 1 << 20;

/// How long the client may take. Time that others take does not count.
pub struct ClientTime {
    allowed: Duration,
    since: Instant,
    bytes: usize,
}

impl ClientTime {
    pub fn start(allowed: Duration) -> Self {
        Self {
            allowed,
            since: Instant::now(),
            bytes: 0,
        }
    }

    pub fn limit(&self) -> Instant {
        self.since + self.allowed
    }

    pub fn restart(&mut self) {
        self.since = Instant::now();
        self.bytes = 0;
    }

    pub fn take(&mut self, bytes: usize, is_progress: bool) {
        self.bytes += bytes;
        if is_progress || self.bytes >= PIECE {
            self.restart();
        }
    }
}
