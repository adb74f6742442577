//! The time, as messages of the queue and files of the journal have it.

use pmtaemail::Identity;
use std::time::{Duration, UNIX_EPOCH};

/// Since 1970.
pub fn now() -> Duration {
    (Identity::now().time())
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// In milliseconds.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
