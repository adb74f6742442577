//! `XDFN` lines: the values of a recipient's variables.

use super::syntax::has_bracket;
use crate::pickup_file::bsmtp::LONGEST_COMMAND;

/// The longest value that fits in a line of its own, whatever the name of the variable.
const LONGEST_VALUE: usize = 480;

/// Writes definitions into as few lines as possible.
pub(super) struct Definitions<'o> {
    out: &'o mut Vec<u8>,
    /// Start of the current line, if one was begun.
    line: Option<usize>,
}

impl<'o> Definitions<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, line: None }
    }

    /// Defines a variable. The value is printable ASCII (UTF-8 under SMTPUTF8) without quotes and backslashes, because
    /// PowerMTA does not document how to write these.
    pub fn define(&mut self, name: &[u8], value: &[u8]) {
        let length = size(name, value.len());
        match self.line {
            Some(line) if self.out.len() - line + length <= LONGEST_COMMAND => {}
            begun => {
                if begun.is_some() {
                    self.out.extend_from_slice(b"\r\n");
                }
                self.line = Some(self.out.len());
                self.out.extend_from_slice(b"XDFN");
            }
        }
        self.out.push(b' ');
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(b"=\"");
        self.out.extend_from_slice(value);
        self.out.push(b'"');
    }

    /// Ends the last line.
    pub fn end(self) {
        if self.line.is_some() {
            self.out.extend_from_slice(b"\r\n");
        }
    }
}

/// The size of a definition.
pub(super) fn size(name: &[u8], value: usize) -> usize {
    name.len() + value + br#" ="""#.len()
}

/// Whether a value can be defined in a way that does not depend on what PowerMTA leaves undocumented: it may strip
/// blanks from its ends, and look for variables in it.
pub(super) fn is_definable(value: &[u8]) -> bool {
    value.len() <= LONGEST_VALUE
        && !value.iter().any(|byte| matches!(byte, b'"' | b'\\'))
        && !has_bracket(value)
        && !value.starts_with(b" ")
        && !value.ends_with(b" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_a_command_may_be() {
        let mut out = Vec::new();
        let mut definitions = Definitions::new(&mut out);
        for length in [480, 10, 11, 0, 480, 480] {
            definitions.define(b"abcd", "x".repeat(length).as_bytes());
        }
        definitions.end();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.split_terminator("\r\n").map(str::len).collect();
        assert!(
            lines.iter().all(|length| *length <= LONGEST_COMMAND),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 4);
        assert!(
            text.ends_with("\r\n") && text.contains(r#" abcd="" "#) || text.contains(r#" abcd="""#)
        );
    }

    #[test]
    fn ambiguous_values_are_not_defined() {
        for value in [" a", "a ", "[a]", "a]", "\"", "\\", &"x".repeat(481)] {
            assert!(!is_definable(value.as_bytes()), "{value}");
        }
        assert!(is_definable(b"") && is_definable(b"a b"));
    }
}
