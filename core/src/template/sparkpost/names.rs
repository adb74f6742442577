//! The names of variables, by number, and those that are there by themselves.

use std::borrow::Cow;
use std::collections::HashMap;

/// The variables that the texts of a message ask for.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    /// By number.
    list: Vec<Cow<'a, str>>,
    numbers: HashMap<Cow<'a, str>, usize>,
}

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
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "address" => Some(Self::Address),
            "email" | "email_id" => Some(Self::Email),
            "env_from" | "return_path" => Some(Self::Sender),
            _ => None,
        }
    }
}

impl<'a> Names<'a> {
    /// The number of a name.
    pub fn number(&mut self, name: Cow<'a, str>) -> usize {
        let next = self.list.len();
        let number = *self.numbers.entry(name.clone()).or_insert(next);
        if number == next {
            self.list.push(name);
        }
        number
    }

    /// The number of a name that is asked for.
    pub fn known(&self, name: &str) -> Option<usize> {
        self.numbers.get(name).copied()
    }

    /// The names by number.
    pub fn as_slice(&self) -> &[Cow<'a, str>] {
        &self.list
    }
}
