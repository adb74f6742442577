//! The declarations of a `style` attribute.

use super::super::marks::{Marked, Piece};
use crate::template::TagKind;

/// The declarations of the style sheets that an attribute does not have itself. `existing` is its value.
pub(super) fn of_sheets(sheets: &str, existing: Option<&str>, marked: &Marked<'_>) -> String {
    let existing =
        existing.map_or_else(String::new, |existing| without_statements(existing, marked));
    let own: Vec<String> = split(&existing).filter_map(property).collect();
    let is_new = |declaration: &&str| {
        let is_own = property(declaration).is_some_and(|name| own.contains(&name));
        !is_own || is_important(declaration)
    };
    split(sheets).filter(is_new).collect::<Vec<_>>().join("; ")
}

/// A value without what statements decide.
pub(super) fn without_statements(value: &str, marked: &Marked<'_>) -> String {
    let mut depth = 0_usize;
    let mut out = String::with_capacity(value.len());
    for piece in marked.pieces(value) {
        match piece {
            Piece::Text(text) if depth == 0 => out.push_str(text),
            Piece::Text(_) => {}
            Piece::Mark(number) => match marked.tag(number).map(|tag| tag.kind) {
                Some(TagKind::Opens) => depth += 1,
                Some(TagKind::Closes) => depth = depth.saturating_sub(1),
                Some(TagKind::Value { .. }) if depth == 0 => out.push_str(&marked.mark(number)),
                _ => {}
            },
        }
    }
    out
}

/// Escapes a value for these quotes.
pub(super) fn escaped(declarations: &str, quote: u8) -> String {
    let text = declarations.replace('&', "&amp;");
    if quote == b'"' {
        text.replace('"', "&quot;")
    } else {
        text.replace('\'', "&#39;")
    }
}

fn property(declaration: &str) -> Option<String> {
    let (name, _) = declaration.split_once(':')?;
    Some(name.trim().to_ascii_lowercase())
}

fn is_important(declaration: &str) -> bool {
    let end = declaration.trim_end().to_ascii_lowercase();
    end.strip_suffix("important")
        .is_some_and(|rest| rest.trim_end().ends_with('!'))
}

/// The declarations between semicolons, which may also occur in quotes and brackets.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let parts = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = end_of_declaration(rest);
        let (declaration, behind) = rest.split_at(end);
        rest = behind.strip_prefix(';').unwrap_or(behind);
        Some(declaration.trim())
    });
    parts.filter(|declaration| !declaration.is_empty())
}

fn end_of_declaration(text: &str) -> usize {
    let mut quote = None;
    let mut brackets = 0_usize;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (_, b'\\') => drop(bytes.next()),
            (Some(open), _) => quote = (open != byte).then_some(open),
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => brackets += 1,
            (None, b')' | b']' | b'}') => brackets = brackets.saturating_sub(1),
            (None, b';') if brackets == 0 => return at,
            _ => {}
        }
    }
    text.len()
}
