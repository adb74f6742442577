//! Ends long work early.

use std::fmt;

/// A callback that long work asks from time to time, between two recipients of a mail merge, whether it should end
/// early.
///
/// It is for programs that must stay responsive during a call of this library, such as an interpreter with its own
/// signal handling. Interrupted work leaves nothing behind.
///
/// ```
/// use pmtaemail::{Interruption, Message};
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let takes_too_long = || start.elapsed() > Duration::from_secs(60);
/// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"}"#;
/// let message = Message::from_json_unless(json, Interruption::new(&takes_too_long))?;
/// assert!(message.is_some());
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Clone, Copy)]
pub struct Interruption<'a>(Option<&'a (dyn Fn() -> bool + Sync)>);

impl<'a> Interruption<'a> {
    /// Never interrupts.
    pub const NEVER: Self = Self(None);

    /// `is_wanted` is called at least once for each recipient. Once it has returned `true`, it must keep returning
    /// `true`.
    pub const fn new(is_wanted: &'a (dyn Fn() -> bool + Sync)) -> Self {
        Self(Some(is_wanted))
    }

    pub(crate) fn is_wanted(self) -> bool {
        self.0.is_some_and(|is_wanted| is_wanted())
    }
}

impl fmt::Debug for Interruption<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interruption").finish_non_exhaustive()
    }
}

/// The result, which exists because nothing interrupted the work.
pub(crate) fn uninterrupted<T>(output: Option<T>) -> T {
    output.expect("nothing interrupts it")
}
