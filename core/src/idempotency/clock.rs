//! The time by which keys expire.

use std::time::Instant;

fn wall_clock() -> u64 {
    let now = crate::identity::milliseconds_now();
    #[cfg(test)]
    let now = now.saturating_add_signed(super::tests::CLOCK_IS_AHEAD.get());
    now
}

/// Milliseconds since 1970 that never go back, nor jump while the process runs.
#[derive(Debug)]
pub(super) struct Clock {
    at_start: u64,
    start: Instant,
}

impl Clock {
    /// `newest` is the time of the newest record.
    pub fn start(newest: u64) -> Self {
        Self {
            at_start: wall_clock().max(newest),
            start: Instant::now(),
        }
    }

    pub fn now(&self) -> u64 {
        let since = self.start.elapsed().as_millis();
        self.at_start
            .saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}
