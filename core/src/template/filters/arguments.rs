//! The arguments after the name of a filter.

use super::operand::Operand;
use std::collections::VecDeque;

/// An argument of a filter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Argument {
    /// `nil`, `none`
    Nil,
    Boolean(bool),
    /// As written.
    Number(String),
    Text(String),
}

/// The arguments of a filter, positional and named.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub positional: VecDeque<Argument>,
    pub named: Vec<(String, Argument)>,
}

/// The filter does not accept these arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadArguments;

impl Argument {
    /// Its value.
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
    /// The next positional argument, or else the one with this name. `nil` counts as none.
    pub fn take(&mut self, name: &str) -> Option<Argument> {
        let argument = self.positional.pop_front().or_else(|| {
            let at = self.named.iter().position(|(known, _)| known == name)?;
            Some(self.named.swap_remove(at).1)
        });
        argument.filter(|argument| *argument != Argument::Nil)
    }

    /// A string.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, BadArguments> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Text(text)) => Ok(Some(text)),
            Some(_) => Err(BadArguments),
        }
    }

    /// A whole number. One that is too large for `usize` is its largest value, which no text is as long as.
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

    /// There must be no more arguments.
    pub fn end(self) -> Result<(), BadArguments> {
        if self.positional.is_empty() && self.named.is_empty() {
            Ok(())
        } else {
            Err(BadArguments)
        }
    }
}
