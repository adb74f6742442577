//! Texts with placeholders, and the values that are inserted.
//!
//! Several languages, one result: a text is split into parts that are the same for everybody, and slots for those that
//! are not. A slot refers to a value by its number; the values of a recipient are computed once.
//!
//! ```text
//! language      the choice of one of the languages
//! jinja         minijinja's, evaluated as a whole
//! sparkpost     SparkPost's
//! sources       where the values of `merge` come from
//! merge         parses texts of that language
//! filters       what is done with a value before it is written
//! tags          the positions of placeholders and statements
//! place         a position in a template
//! html
//! ```
//! Each file imports only from the lines below its own, and the types of this one.

mod filters;
mod html;
#[cfg(feature = "jinja")]
mod jinja;
mod language;
mod merge;
mod place;
mod sources;
mod sparkpost;
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
#[cfg_attr(
    not(all(feature = "inline-css", feature = "jinja", feature = "text-from-html")),
    allow(
        dead_code,
        reason = "each of the three asks for a part of what tags say"
    )
)]
mod tags;

pub(crate) use html::{entity, push_escaped};
pub(crate) use language::Language;
pub(crate) use place::{FieldName, Place};
pub(crate) use sources::Owner;
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
pub(crate) use tags::{Tag, TagKind};

use crate::syntax::to_lf;
use std::borrow::Cow;

/// A parsed text with placeholders.
#[derive(Debug, Clone, Default)]
pub(crate) struct TemplateText<'a> {
    pieces: Vec<Piece<'a>>,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// The same for everybody.
    Literal(Cow<'a, str>),
    /// The place of a value.
    Slot(Slot),
}

/// The place of a value, and how it is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    /// The number of the value.
    pub value: usize,
    /// Whether special characters of HTML are escaped.
    pub escaped: bool,
}

/// The kind of text, which decides how values are written in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// A body of plain text.
    Text,
    /// A body of HTML.
    Html,
    /// A field of the header.
    Header,
    /// An iCalendar object, whose values are escaped when it is known where in it they are.
    Calendar,
}

/// The values of one recipient, by number; their lines end with LF. Without any, all of them are the common ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Values<'a>(Vec<Option<Cow<'a, str>>>);

/// Who a message goes to, and where its bounces go: a language may have names for these.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Addressee<'m> {
    /// The display name.
    pub name: Option<&'m str>,
    /// The address.
    pub email: Option<&'m str>,
    /// The envelope's sender; `None` is the null reverse-path.
    pub reverse_path: Option<&'m str>,
}

/// The marks before and after a value of an iCalendar object until it is escaped.
pub(crate) const VALUE_MARKS: (char, char) = ('\u{1}', '\u{2}');

/// A value of an iCalendar object between its marks; `None` if it contains a control character that is not allowed in
/// text (RFC 5545 section 3.1).
pub(crate) fn marked_value(value: &str) -> Option<String> {
    let has_control = value.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n'));
    let (start, end) = VALUE_MARKS;
    (!has_control).then(|| format!("{start}{value}{end}"))
}

impl<'a> Values<'a> {
    /// Room for this many values, none of which is known yet.
    fn unknown(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// The recipient's own value.
    pub fn own(&self, value: usize) -> Option<&str> {
        self.0.get(value)?.as_deref()
    }

    /// Whether the recipient has a value of its own.
    pub fn has(&self, value: usize) -> bool {
        self.own(value).is_some()
    }

    /// Appends a value computed from others; its number is the next.
    pub fn push(&mut self, text: String) {
        self.0.push(Some(Cow::Owned(text)));
    }

    fn set(&mut self, value: usize, text: Option<Cow<'a, str>>) {
        self.0[value] = text;
    }
}

impl<'a> TemplateText<'a> {
    /// A text without placeholders.
    pub fn literal(text: Cow<'a, str>) -> Self {
        Self {
            pieces: vec![Piece::Literal(text)],
        }
    }

    /// Only a value.
    pub fn of_slot(slot: Slot) -> Self {
        Self {
            pieces: vec![Piece::Slot(slot)],
        }
    }

    /// The pieces in order; no two literals follow each other.
    pub fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }

    /// The slots in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Literal(_) => None,
        })
    }

    /// The whole text, if nothing has to be inserted.
    pub fn into_literal(mut self) -> Result<Cow<'a, str>, Self> {
        match self.pieces.as_mut_slice() {
            [] => Ok(Cow::Borrowed("")),
            [Piece::Literal(text)] => Ok(std::mem::take(text)),
            _ => Err(self),
        }
    }

    /// Whether nothing has to be inserted.
    pub fn is_literal(&self) -> bool {
        self.slots().next().is_none()
    }

    /// The length of the text with its values inserted, before they are escaped.
    pub fn filled_length<'v>(&self, value: impl Fn(usize) -> &'v str) -> usize {
        let lengths = self.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => text.len(),
            Piece::Slot(slot) => value(slot.value).len(),
        });
        lengths.sum()
    }

    /// The text with its values inserted.
    pub fn fill<'v>(&self, value: impl Fn(usize) -> &'v str) -> String {
        let mut text = String::with_capacity(self.filled_length(&value));
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Slot(Slot {
                    value: index,
                    escaped: true,
                }) => push_escaped(&mut text, value(*index)),
                Piece::Slot(slot) => text.push_str(value(slot.value)),
            }
        }
        text
    }

    /// The same text with those values inserted that are the same for everybody.
    pub fn with_common<'v>(&self, mut value: impl FnMut(Slot) -> Option<&'v str>) -> Self {
        let mut text = Self::default();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_literal(literal.clone()),
                Piece::Slot(slot) => match value(*slot) {
                    None => text.push_slot(*slot),
                    Some(value) if slot.escaped => text.push_literal(html::escaped(value).into()),
                    Some(value) => text.push_literal(value.to_owned().into()),
                },
            }
        }
        text
    }

    /// Appends text that is the same for everybody. Its line ends become LF, like those of values; so a CR at the end
    /// of one and an LF at the start of the next remain two line ends.
    pub fn push_literal(&mut self, text: Cow<'a, str>) {
        if text.is_empty() {
            return;
        }
        let text = to_lf(text);
        if let Some(Piece::Literal(before)) = self.pieces.last_mut() {
            before.to_mut().push_str(&text);
        } else {
            self.pieces.push(Piece::Literal(text));
        }
    }

    /// Appends another text.
    pub fn append(&mut self, text: Self) {
        for piece in text.pieces {
            match piece {
                Piece::Literal(text) => self.push_literal(text),
                Piece::Slot(slot) => self.push_slot(slot),
            }
        }
    }

    /// Appends a value.
    pub fn push_slot(&mut self, slot: Slot) {
        self.pieces.push(Piece::Slot(slot));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_their_place_asks_for() {
        let slot = |escaped| Piece::Slot(Slot { value: 0, escaped });
        let text = TemplateText {
            pieces: vec![Piece::Literal("a ".into()), slot(true), slot(false)],
        };
        assert_eq!(text.fill(|_| "<\"&'>"), "a &lt;&quot;&amp;&#39;&gt;<\"&'>");
        assert!(text.into_literal().is_err());
        let literal = TemplateText::literal("x".into());
        assert_eq!(literal.into_literal().unwrap(), "x");
    }
}
