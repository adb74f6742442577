//! The language `merge`, whose syntax is Liquid's: `{{ name }}`, `{{ name | upcase | default: "friend" }}`,
//! `{{ "literal" }}`, and with three braces a value that is HTML already.
//!
//! ```text
//! parser      what stands between the braces
//! fault       why that is no placeholder
//! ```

mod fault;
mod parser;
#[cfg(test)]
mod tests;

use super::filters::{Filter, Work};
use super::place::Place;
use super::{Slot, TemplateText, TextKind, html};
use crate::problem::{Code, Refusal};
use crate::syntax::has_control_except_tab;
use crate::text::part;
use fault::Fault;
use parser::{Expression, Parser};
use std::borrow::Cow;

/// A variable that a text refers to, with the filters applied to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reference<'a> {
    /// The name of the variable; dots lead into objects.
    pub path: Cow<'a, str>,
    /// In order, each with its name.
    pub filters: Vec<(&'static str, Filter)>,
}

/// Parses a text. `number` returns the number of a value, or refuses it. An error says what is not a placeholder, and
/// where.
pub(super) fn parse<'a>(
    text: &Cow<'a, str>,
    kind: TextKind,
    mut number: impl FnMut(Reference<'a>, Place) -> Result<usize, Refusal>,
) -> Result<TemplateText<'a>, Refusal> {
    let mut template = TemplateText::default();
    let mut place = Place::START;
    let mut work = Work::new();
    let mut at = 0;
    while let Some(open) = tag_start(text, at) {
        place.advance(&text[at..open]);
        template.push_literal(part(text, at..open));
        if ["{%", "{{#", "{{/"]
            .iter()
            .any(|tag| text[open..].starts_with(tag))
        {
            return Err(Fault::Tag.at(place));
        }
        let is_html = text[open..].starts_with("{{{");
        let closing = if is_html { "}}}" } else { "}}" };
        let mut parser = Parser::new(text, open + closing.len(), work);
        let expression = parser.placeholder(closing).map_err(|fault| {
            let mut place = place;
            if fault.is_of_filter() {
                place.advance(&text[open..parser.filter_at]);
            }
            fault.at(place)
        })?;
        let is_escaped_html = kind == TextKind::Html && !is_html;
        // In a calendar no value is raw.
        let escaped = is_escaped_html || kind == TextKind::Calendar;
        match expression {
            Expression::Literal(text) if kind == TextKind::Header => {
                template.push_literal(header_text(text, place)?);
            }
            Expression::Literal(text) if is_escaped_html => {
                template.push_literal(html::escaped(&text).into());
            }
            Expression::Literal(text) => template.push_literal(text),
            Expression::Value(reference) => template.push_slot(Slot {
                value: number(reference, place)?,
                escaped,
            }),
        }
        place.advance(&text[open..parser.at]);
        at = parser.at;
        work = parser.work;
    }
    template.push_literal(part(text, at..text.len()));
    Ok(template)
}

/// The positions of the placeholders of a text that [`parse`] accepts.
#[cfg(any(feature = "inline-css", feature = "mjml", feature = "text-from-html"))]
pub(super) fn tags(text: &str) -> Vec<super::Tag> {
    let text = Cow::Borrowed(text);
    let mut tags = Vec::new();
    let mut work = Work::new();
    let mut at = 0;
    while let Some(open) = tag_start(&text, at) {
        let is_html = text[open..].starts_with("{{{");
        let closing = if is_html { "}}}" } else { "}}" };
        let mut parser = Parser::new(&text, open + closing.len(), work);
        if parser.placeholder(closing).is_err() {
            break;
        }
        at = parser.at;
        work = parser.work;
        tags.push(super::Tag {
            range: open..at,
            kind: super::TagKind::Value { is_html },
        });
    }
    tags
}

/// What a placeholder writes into a header field for everybody: it must not contain a line end.
pub(super) fn header_text(text: Cow<'_, str>, place: Place) -> Result<Cow<'_, str>, Refusal> {
    if !has_control_except_tab(&text) {
        return Ok(text);
    }
    let detail = format!(
        "In {place} a placeholder writes a line break or another control character into a header field."
    );
    Err(Refusal::with_detail(Code::ControlCharacter, detail))
}

/// The start of the next placeholder, or of what could be a tag of another language. If three braces are not closed by
/// `}}}`, the first one is text.
fn tag_start(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'{', &bytes[from..])
        .map(|at| from + at)
        .find(|&at| match bytes.get(at + 1) {
            Some(b'%') => true,
            Some(b'{') => bytes.get(at + 2) != Some(&b'{') || is_raw(&text[at + 3..]),
            _ => false,
        })
}

/// Whether the placeholder whose three braces are before this text ends with three as well.
fn is_raw(text: &str) -> bool {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'}') if text[at..].starts_with("}}") => {
                return text[at..].starts_with("}}}");
            }
            (None, b'{') => return false,
            _ => {}
        }
    }
    false
}
