//! The time of day, by which keys expire and days end.

use jiff::Timestamp;

/// The present.
#[expect(
    clippy::disallowed_methods,
    reason = "this is no time of a message, and nothing is rendered with it"
)]
pub fn now() -> Timestamp {
    Timestamp::now()
}
