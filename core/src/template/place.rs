//! A position in a template.

use std::fmt;

/// A position in a text as an editor counts it: lines and characters from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    line: usize,
    column: usize,
}

impl Place {
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position of the byte `offset` of `text`, or of the character that contains it.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut place = Self::START;
        place.advance(&text[..text.floor_char_boundary(offset)]);
        place
    }

    /// Moves to the end of a text that starts here.
    pub fn advance(&mut self, text: &str) {
        let last_line = match memchr::memrchr(b'\n', text.as_bytes()) {
            None => text,
            Some(at) => {
                self.line += memchr::memchr_iter(b'\n', text.as_bytes()).count();
                self.column = 1;
                &text[at + 1..]
            }
        };
        self.column += last_line.chars().count();
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A name from a template that a sentence may repeat: letters, digits, `_` and dots, and not long. Anything else might
/// be a value.
pub(super) fn sayable(name: &str) -> Option<&str> {
    const LONGEST: usize = 80;
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let name = name.trim();
    (!name.is_empty() && name.len() <= LONGEST && name.chars().all(is_name)).then_some(name)
}

/// The JSON Pointer of a field with a template, as a sentence shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldName(String);

impl FieldName {
    /// A header field may have a name that no sentence should contain.
    pub fn new(pointer: &str) -> Self {
        const LONGEST: usize = 120;
        if pointer.len() > LONGEST || pointer.chars().any(char::is_control) {
            Self("a header field".to_owned())
        } else {
            Self(format!("`{pointer}`"))
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_editors_do() {
        let text = "aé\n\nb {{ x }}";
        for (offset, expected) in [
            (0, (1, 1)),
            (1, (1, 2)),
            (2, (1, 2)),
            (4, (2, 1)),
            (7, (3, 3)),
        ] {
            let mut place = Place::START;
            place.advance(&text[..text.floor_char_boundary(offset)]);
            assert_eq!((place.line, place.column), expected, "{offset}");
        }
        let mut place = Place::START;
        for piece in ["a\n", "b", "c\r\n", "", "dé"] {
            place.advance(piece);
        }
        assert_eq!(place.to_string(), "line 3, column 3");
    }

    #[test]
    fn names_are_reported_and_nothing_else() {
        assert_eq!(sayable(" user.größe_1 "), Some("user.größe_1"));
        for text in ["", "a b", "a['b']", "a\nb", "\u{202e}", &"a".repeat(81)] {
            assert_eq!(sayable(text), None, "{text:?}");
        }
        assert_eq!(FieldName::new("/text").to_string(), "`/text`");
        let long = format!("/headers/{}", "x".repeat(120));
        for pointer in [long.as_str(), "/headers/a\nb"] {
            assert_eq!(FieldName::new(pointer).to_string(), "a header field");
        }
    }
}
