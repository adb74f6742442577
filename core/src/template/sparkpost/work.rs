//! Limits the work for the texts of one recipient: nested lists can make any text as long as one likes.

use crate::problem::Code;

/// Why a template cannot be evaluated with some values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// A list or an object would have to be written.
    NoText,
    /// A loop over something that is not a list.
    NoList,
    /// Values that cannot be compared.
    NoOrder,
    /// Something without a length is counted.
    NoLength,
    /// A value in a calendar contains a control character.
    Control,
    /// It takes too long.
    TooMuch,
}

impl Misfit {
    /// The code of the problem, and the part of the sentence that says what the template does.
    pub fn told(self) -> (Code, &'static str) {
        match self {
            Self::NoText => (
                Code::WrongType,
                "inserts a list or an object, which is not text",
            ),
            Self::NoList => (Code::WrongType, "loops over something that is not a list"),
            Self::NoOrder => (
                Code::WrongType,
                "compares values of different types, or lists or objects",
            ),
            Self::NoLength => (
                Code::WrongType,
                "asks for the length of something that is not a list",
            ),
            Self::Control => (
                Code::ControlCharacter,
                "writes a control character into a calendar",
            ),
            Self::TooMuch => (Code::InvalidTemplate, "takes too long with these values"),
        }
    }
}

/// The work that may still be done, in steps: a part of an expression, or some 64 bytes that are written or compared.
#[derive(Debug)]
pub(super) struct Work {
    left: usize,
}

/// For all texts of one recipient.
const MOST: usize = 400_000;

impl Work {
    /// Nothing is done yet.
    pub const fn new() -> Self {
        Self { left: MOST }
    }

    pub fn take(&mut self, steps: usize) -> Result<(), Misfit> {
        self.left = self.left.checked_sub(steps).ok_or(Misfit::TooMuch)?;
        Ok(())
    }

    pub fn take_bytes(&mut self, count: usize) -> Result<(), Misfit> {
        self.take(count / 64)
    }

    /// Searches this many members of an object.
    pub fn take_items(&mut self, count: usize) -> Result<(), Misfit> {
        self.take(count / 16)
    }
}
