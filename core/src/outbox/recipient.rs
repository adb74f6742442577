//! One forward-path, with what is said for it alone.

use super::lines::Lines;
use super::unreadable::UnreadableFile;

/// How many variables a recipient may have; this library makes fewer than a hundred.
const MOST_VARIABLES: usize = 1_000;

#[derive(Debug, Clone, Default)]
pub(super) struct Recipient<'a> {
    pub address: &'a str,
    pub notify: Option<&'a str>,
    pub orcpt: Option<&'a str>,
    /// Names and values of a merge file, as they are written there.
    pub variables: Vec<(&'a str, &'a str)>,
}

impl<'a> Recipient<'a> {
    /// The value of a variable, whose name is compared ignoring letter case.
    pub fn variable(&self, name: &str) -> Option<&'a str> {
        let is_it = |(known, _): &&(&str, &str)| known.eq_ignore_ascii_case(name);
        self.variables.iter().find(is_it).map(|(_, value)| *value)
    }

    /// Reads the definitions of an `XDFN` line, `name="value"` or `name=value`.
    pub fn define(&mut self, lines: &Lines<'a>, mut text: &'a str) -> Result<(), UnreadableFile> {
        let wrong = || lines.error("XDFN contains something that is not name=\"value\"");
        while !text.is_empty() {
            text = text.strip_prefix(' ').ok_or_else(wrong)?;
            let (name, behind) = text.split_once('=').ok_or_else(wrong)?;
            let letters = name.strip_prefix('*').unwrap_or(name).as_bytes();
            if !is_name(letters) {
                return Err(wrong());
            }
            let (value, rest) = match behind.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').ok_or_else(wrong)?,
                None => behind.split_at(behind.find(' ').unwrap_or(behind.len())),
            };
            if self.variables.len() == MOST_VARIABLES {
                return Err(lines.error("XDFN defines more variables than any recipient has"));
            }
            if self.variable(name).is_some() {
                return Err(lines.error("XDFN defines a variable twice"));
            }
            self.variables.push((name, value));
            text = rest;
        }
        Ok(())
    }
}

/// Whether a variable may be called so, a `*` before it aside.
pub(super) fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_letter)
}
