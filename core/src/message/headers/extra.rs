//! Header fields of the caller that do not correspond to a field of the message.

use crate::header::{
    Body, HeaderSection, KnownField, StructuredBody, WORD_TOO_LONG, needs_encoding, words_fit,
};
use crate::problem::Refusal;
use std::borrow::Cow;

/// A header field of the caller.
#[derive(Debug)]
pub(crate) struct ExtraHeader<'a> {
    pub name: Cow<'a, str>,
    pub body: ExtraBody<'a>,
}

/// The body of a header field of the caller.
#[derive(Debug)]
pub(crate) enum ExtraBody<'a> {
    /// Every reader gets exactly this text back.
    Text(Cow<'a, str>),
    /// The field has a known grammar, by which it was read.
    Structured(StructuredBody<'a>),
}

impl ExtraHeader<'_> {
    /// The same field, borrowed.
    pub fn lend(&self) -> ExtraHeader<'_> {
        ExtraHeader {
            name: Cow::Borrowed(&self.name),
            body: self.body.lend(),
        }
    }

    /// Whether it contains an address that requires SMTPUTF8.
    pub fn is_internationalized(&self) -> bool {
        self.body.is_internationalized()
    }
}

impl<'a> ExtraBody<'a> {
    /// The body until a template is filled in, or if a value was refused.
    pub const NOTHING: Self = Self::Text(Cow::Borrowed(""));

    /// Interprets the body of the field `name`. It contains no control characters except tabs.
    pub fn read(name: &str, text: Cow<'a, str>) -> Result<Self, Refusal> {
        match KnownField::named(name).map(|field| field.body) {
            Some(Body::Structured(grammar)) => {
                StructuredBody::read(grammar, name, &text).map(Self::Structured)
            }
            _ if fits_lines(name, &text) => Ok(Self::Text(text)),
            _ => Err(WORD_TOO_LONG),
        }
    }

    /// The same body, borrowed.
    pub fn lend(&self) -> ExtraBody<'_> {
        match self {
            Self::Text(text) => ExtraBody::Text(Cow::Borrowed(text)),
            Self::Structured(body) => ExtraBody::Structured(body.lend()),
        }
    }

    /// Writes the field.
    pub fn write(&self, name: &str, header: &mut HeaderSection<'_>) {
        match self {
            Self::Text(text) => header.extra(name, text),
            Self::Structured(body) => header.structured(name, body),
        }
    }

    /// About how many bytes it takes.
    pub fn estimate(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Structured(body) => body.estimate(),
        }
    }

    /// Whether it contains an address that requires SMTPUTF8.
    pub fn is_internationalized(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Structured(body) => body.is_internationalized(),
        }
    }

    /// The body on one line, unless something in it has to be encoded or quoted.
    pub fn as_plain_line(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Structured(body) => body.as_plain_line().map(Cow::Owned),
        }
    }
}

/// Whether each word of a value fits in a line.
fn fits_lines(name: &str, value: &str) -> bool {
    let lengths = value.split(' ').map(|word| Some(word.len()));
    needs_encoding(value) || words_fit(name, lengths)
}
