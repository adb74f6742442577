//! Which recipients of a mail merge get it: a test goes to one, or to a few.

use crate::problem::{Code, Problem, Problems, Refusal};
use std::num::NonZeroUsize;

/// Which recipients of a mail merge get their messages.
///
/// All rules are checked for all recipients, whoever is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// The first so many of those who are not left out.
    First(NonZeroUsize),
    /// One alone, counted from 1 among all recipients as they were given.
    Only(NonZeroUsize),
}

impl Selection {
    /// Whether it selects a recipient, with the index in the message and among those who are not left out.
    pub(crate) fn selects(self, index: usize, accepted: usize) -> bool {
        match self {
            Self::All => true,
            Self::First(count) => accepted < count.get(),
            Self::Only(number) => index == number.get() - 1,
        }
    }

    /// What is said where the one recipient is not there.
    pub(crate) const MISSING: Refusal = Refusal::new(
        Code::NoRecipients,
        "There is no recipient with the requested number; the first recipient is number 1.",
    );

    /// What is said where the one recipient is left out: it breaks a rule with this code.
    pub(crate) fn rejected(pointer: String, code: Code) -> Problem {
        let detail = "The requested recipient is invalid and is skipped; leave out \
                      `invalidRecipients` to see why.";
        Problem::new(pointer, Refusal::new(code, detail))
    }

    /// What is said of a message that is no mail merge.
    pub(crate) fn of_no_merge() -> Problems {
        let detail = "A recipient or a limit can be requested only for a mail merge, and this \
                      message has no `recipients`.";
        let refusal = Refusal::new(Code::Conflict, detail);
        Problems::one(Problem::new(String::new(), refusal))
    }
}
