//! Which recipients of a mail merge get it: a test message goes to one or a few.

use crate::problem::{Code, Problem, Problems, Refusal};
use std::num::NonZeroUsize;

/// Which recipients of a mail merge get their messages; see [`Message::select`](crate::Message::select).
///
/// All rules are checked for all recipients, selected or not.
///
/// ```
/// use pmtaemail::{Message, Selection};
///
/// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org", "c@example.org", "d@example.org"]}"#;
/// let first_two = Selection::First(2.try_into().unwrap());
/// assert_eq!(Message::from_json(json)?.select(first_two)?.addressee_count(), 2);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// The first ones, not counting those who are rejected.
    First(NonZeroUsize),
    /// A single one, counted from 1 among all recipients in the order in which they were given.
    Only(NonZeroUsize),
}

impl Selection {
    /// Whether it selects a recipient, given the index in the message and the index among those who are not rejected.
    pub(crate) fn selects(self, index: usize, accepted: usize) -> bool {
        match self {
            Self::All => true,
            Self::First(count) => accepted < count.get(),
            Self::Only(number) => index == number.get() - 1,
        }
    }

    /// The requested recipient does not exist.
    pub(crate) const MISSING: Refusal = Refusal::new(
        Code::NoRecipients,
        "There is no recipient with the requested number; the first recipient is number 1.",
    );

    /// The requested recipient is rejected with this code.
    pub(crate) fn rejected(pointer: String, code: Code) -> Problem {
        let detail = "The requested recipient is invalid and is skipped; leave out \
                      `invalidRecipients` to see why.";
        Problem::new(pointer, Refusal::new(code, detail))
    }

    /// The message is not a mail merge.
    pub(crate) fn of_no_merge() -> Problems {
        let detail = "A recipient or a limit can be requested only for a mail merge, and this \
                      message has no `recipients`.";
        let refusal = Refusal::new(Code::Conflict, detail);
        Problems::one(Problem::new(String::new(), refusal))
    }
}
