//! The names of variables, by number, and the built-in ones.

use super::super::sources::MOST_VALUES;
use super::fault::Fault;
use std::borrow::Cow;
use std::collections::HashMap;

/// The variables that the texts of a message use.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// By number.
    list: Vec<Cow<'a, str>>,
    /// The meanings of the built-in ones.
    built_in: Vec<Option<BuiltIn>>,
    numbers: HashMap<Cow<'a, str>, usize>,
    /// How many parts all expressions have so far.
    parts: usize,
}

/// The maximum number of parts of the expressions of a message: each takes some hundred bytes of memory, and a text can
/// have one for every two of its bytes.
const MOST_PARTS: usize = 250_000;

/// What SparkPost adds to the variables of each recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    /// An object with `name` and `email`.
    Address,
    /// The recipient's address.
    Email,
    /// Where bounces go.
    Sender,
}

impl BuiltIn {
    fn named(name: &str) -> Option<Self> {
        match name {
            "address" => Some(Self::Address),
            "email" | "email_id" => Some(Self::Email),
            "env_from" | "return_path" => Some(Self::Sender),
            _ => None,
        }
    }
}

impl<'a> Names<'a> {
    /// The number of a name. Each is looked up for each recipient, so there are no more of them than values.
    pub fn number<'t>(&mut self, name: Cow<'a, str>) -> Result<usize, Fault<'t>> {
        if let Some(number) = self.known(&name) {
            return Ok(number);
        }
        let number = self.list.len();
        if number == MOST_VALUES {
            return Err(Fault::ManyNames);
        }
        self.numbers.insert(name.clone(), number);
        self.built_in.push(BuiltIn::named(&name));
        self.list.push(name);
        Ok(number)
    }

    /// Counts one more part of an expression.
    pub fn count_part<'t>(&mut self) -> Result<(), Fault<'t>> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(Fault::ManyParts(MOST_PARTS));
        }
        Ok(())
    }

    /// The number of a name that is used.
    pub fn known(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The built-in meaning of the name with this number.
    pub fn built_in(&self, number: usize) -> Option<BuiltIn> {
        self.built_in[number]
    }

    /// The names by number.
    pub fn as_slice(&self) -> &[Cow<'a, str>] {
        &self.list
    }
}
