//! What is after a filter's name.

use super::operand::Operand;
use std::collections::VecDeque;

/// An argument of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Argument {
    /// `nil`, `none`
    Nil,
    Boolean(bool),
    /// As it is written.
    Number(String),
    Text(String),
}

/// The arguments of a filter, by place and by name.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub positional: VecDeque<Argument>,
    pub named: Vec<(String, Argument)>,
}

/// Arguments that a filter does not take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadArguments;

impl Argument {
    /// The value that it is.
    pub fn to_operand<'v>(&self) -> Operand<'v> {
        match self {
            Self::Nil => Operand::Absent,
            Self::Boolean(boolean) => Operand::Boolean(*boolean),
            Self::Number(number) => Operand::Number(number.clone().into()),
            Self::Text(text) => Operand::Text(text.clone().into()),
        }
    }
}

impl Arguments {
    /// The next argument by place, or else the one of this name. `nil` is as none.
    pub fn take(&mut self, name: &str) -> Option<Argument> {
        let argument = self.positional.pop_front().or_else(|| {
            let at = self.named.iter().position(|(known, _)| known == name)?;
            Some(self.named.swap_remove(at).1)
        });
        argument.filter(|argument| *argument != Argument::Nil)
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, BadArguments> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Text(text)) => Ok(Some(text)),
            Some(_) => Err(BadArguments),
        }
    }

    /// A whole number. What is larger than any text is as large as the largest.
    pub fn count(&mut self, name: &str) -> Result<Option<usize>, BadArguments> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Number(number)) if number.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Some(number.parse().unwrap_or(usize::MAX)))
            }
            Some(_) => Err(BadArguments),
        }
    }

    /// True or false.
    pub fn boolean(&mut self, name: &str) -> Result<Option<bool>, BadArguments> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Boolean(boolean)) => Ok(Some(boolean)),
            Some(_) => Err(BadArguments),
        }
    }

    /// That is all that the filter takes.
    pub fn end(self) -> Result<(), BadArguments> {
        if self.positional.is_empty() && self.named.is_empty() {
            Ok(())
        } else {
            Err(BadArguments)
        }
    }
}
