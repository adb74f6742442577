//! The only place that reads the clock and draws randomness.
//!
//! ```text
//! mod                 when a submission was made, and under which identifier
//!   recipient_ids     the identifiers of the recipients of a mail merge
//!   id                identifiers, and their other forms
//! ```

mod id;
mod recipient_ids;

pub use id::{Id, InvalidId};
pub(crate) use recipient_ids::RecipientIds;

use jiff::Timestamp;
use std::time::SystemTime;

/// What a submission gets from outside its message: an identifier and the time at which it was made.
///
/// Both are generated unless you give them. The same message with the same identity yields the same bytes and the same
/// pickup file, except for the envelope IDs of a mail merge, which are new each time.
///
/// ```
/// use pmtaemail::{Identity, Message};
/// use std::time::{Duration, SystemTime};
///
/// let id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse()?;
/// let identity = Identity::new(id, SystemTime::UNIX_EPOCH + Duration::from_hours(24))?;
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org"}"#;
/// let bytes = Message::from_json(json)?.render_with(identity);
/// let text = String::from_utf8_lossy(&bytes);
/// assert!(text.contains("Date: Fri, 2 Jan 1970 00:00:00 +0000\r\n"));
/// assert!(text.contains("Message-ID: <1ng7qwf4c52q7bj9v8dsqnkxqv@example.com>\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    pub(crate) id: Id,
    pub(crate) time: Timestamp,
}

/// The time of an [`Identity`] is before 1970 or after 9999, which the Date field cannot express.
///
/// ```
/// use pmtaemail::Identity;
/// use std::time::{Duration, SystemTime};
///
/// let moon_landing = SystemTime::UNIX_EPOCH - Duration::from_hours(24 * 165);
/// assert!(Identity::new(Identity::now().id(), moon_landing).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time of a submission lies between 1970 and 9999")]
pub struct InvalidTime;

impl Identity {
    /// The current time and a new identifier.
    ///
    /// ```
    /// use pmtaemail::Identity;
    ///
    /// let (first, second) = (Identity::now(), Identity::now());
    /// assert!(first.id() < second.id());
    /// ```
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now() -> Self {
        let time = Timestamp::now();
        Self {
            id: Id::next(time),
            time,
        }
    }

    /// A time and an identifier that you already have, for example those of an earlier attempt.
    ///
    /// # Errors
    /// The time is before 1970 or after 9999.
    pub fn new(id: Id, time: SystemTime) -> Result<Self, InvalidTime> {
        match Timestamp::try_from(time) {
            Ok(time) if time >= Timestamp::UNIX_EPOCH => Ok(Self { id, time }),
            _ => Err(InvalidTime),
        }
    }

    /// The same for every message: what is rendered with it serves to compare messages. It is never submitted.
    #[cfg(feature = "idempotency")]
    pub(crate) const FOR_COMPARISON: Self = Self {
        id: Id::LOWEST,
        time: Timestamp::UNIX_EPOCH,
    };

    /// The identifier.
    pub fn id(&self) -> Id {
        self.id
    }

    /// The time.
    pub fn time(&self) -> SystemTime {
        self.time.into()
    }
}

/// The wall clock in milliseconds since 1970; 0 if it shows an earlier time.
#[cfg(feature = "idempotency")]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub(crate) fn milliseconds_now() -> u64 {
    Timestamp::now().as_millisecond().max(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_time_of_a_submission_can_be_said() {
        let id = Identity::now().id;
        let seconds = Duration::from_secs;
        let epoch = SystemTime::UNIX_EPOCH;
        for (time, is_right) in [
            (epoch - seconds(1), false),
            (epoch, true),
            (epoch + seconds(253_402_000_000), true),
            (epoch + seconds(253_500_000_000), false),
        ] {
            let identity = Identity::new(id, time);
            assert_eq!(identity.is_ok(), is_right);
            assert!(identity.is_err() || identity.unwrap().time() == time);
        }
    }
}
