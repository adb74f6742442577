//! Limits the work of filters: each filter in a chain can multiply the length of its text.

use super::operand::Operand;
use super::{Filter, ValueFault};
use crate::problem::Code;

/// How many bytes filters may still read and write. It is enough for any text that a message can have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    left: usize,
}

/// For the placeholders of one text, and for the values of one recipient.
const MOST: usize = 64 << 20;

/// No text of a message is longer.
pub(super) const LONGEST: usize = 32 << 20;

pub(super) const TOO_MUCH: ValueFault = ValueFault {
    code: Code::TooLong,
    takes: "makes text larger than 32 MiB, or belongs to filters that process more than 64 MiB in total",
};

impl Work {
    /// Nothing is done yet.
    pub const fn new() -> Self {
        Self { left: MOST }
    }

    /// The result of a filter for a value.
    pub fn apply<'v>(
        &mut self,
        filter: &Filter,
        value: Operand<'v>,
    ) -> Result<Operand<'v>, ValueFault> {
        self.take(&value)?;
        let made = filter.apply(value)?;
        self.take(&made)?;
        Ok(made)
    }

    fn take(&mut self, value: &Operand<'_>) -> Result<(), ValueFault> {
        if let Operand::Text(text) = value {
            if text.len() > LONGEST {
                return Err(TOO_MUCH);
            }
            self.left = self.left.checked_sub(text.len()).ok_or(TOO_MUCH)?;
        }
        Ok(())
    }
}
