//! The positions of the braces in a text, and the line ends that are removed with them.

use super::super::place::Place;
use super::fault::Fault;
use super::mustache::Mustache;
use super::parser::is_statement;
use crate::problem::Refusal;
use std::ops::Range;

/// A piece of a text, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Outside of all braces: the part that is written.
    Text(Range<usize>),
    /// The content of braces.
    Tag {
        inner: Range<usize>,
        /// There are three of them.
        is_raw: bool,
        place: Place,
    },
}

/// Parses a text whose lines end with LF. A line that consists only of blanks and statements ends with the last
/// statement: neither the blanks after it nor the line end are written.
pub(super) fn segments(text: &str, is_html: bool) -> Result<Vec<Segment>, Refusal> {
    let mustache = if is_html {
        Mustache::find(text)
    } else {
        Mustache::default()
    };
    let mut segments = Vec::new();
    let mut line = Line::START;
    let mut place = Place::START;
    let mut at = 0;
    while let Some(tag) = next_tag(text, at, &mustache) {
        place.advance(&text[at..tag.open]);
        line.push_text(text, at..tag.open, &mut segments);
        let inner = tag.inner.ok_or_else(|| Fault::Form.at(place))?;
        if is_statement(&text[inner.clone()]) {
            line.has_statement = true;
        } else {
            line.is_bare = false;
        }
        let end = inner.end + if tag.is_raw { 3 } else { 2 };
        let is_raw = tag.is_raw;
        segments.push(Segment::Tag {
            inner,
            is_raw,
            place,
        });
        place.advance(&text[tag.open..end]);
        at = end;
    }
    line.push_text(text, at..text.len(), &mut segments);
    Ok(segments)
}

/// The current line so far.
struct Line {
    /// Only blanks and statements.
    is_bare: bool,
    has_statement: bool,
}

impl Line {
    const START: Self = Self {
        is_bare: true,
        has_statement: false,
    };

    fn push_text(&mut self, text: &str, range: Range<usize>, segments: &mut Vec<Segment>) {
        const BLANKS: [char; 2] = [' ', '\t'];

        let mut start = range.start;
        let own = &text[range.clone()];
        if self.is_bare && self.has_statement {
            let behind = own.trim_start_matches(BLANKS);
            let blanks = own.len() - behind.len();
            if behind.starts_with('\n') {
                start += blanks + 1;
                *self = Self::START;
            } else if behind.is_empty() && range.end == text.len() {
                start += blanks;
            }
        }
        let last_line = match text[start..range.end].rsplit_once('\n') {
            None => &text[start..range.end],
            Some((_, last_line)) => {
                *self = Self::START;
                last_line
            }
        };
        self.is_bare &= last_line.trim_start_matches(BLANKS).is_empty();
        if start < range.end {
            segments.push(Segment::Text(start..range.end));
        }
    }
}

struct FoundTag {
    open: usize,
    /// `None` if it has no end.
    inner: Option<Range<usize>>,
    is_raw: bool,
}

/// The next pair of braces. If three braces are not closed by `}}}`, the first one is text.
fn next_tag(text: &str, from: usize, mustache: &Mustache) -> Option<FoundTag> {
    let bytes = text.as_bytes();
    let mut opens = memchr::memchr_iter(b'{', &bytes[from..]).map(|at| from + at);
    let mut kept = from;
    opens.find_map(|open| {
        if bytes.get(open + 1) != Some(&b'{') || open < kept {
            return None;
        }
        let is_raw = bytes.get(open + 2) == Some(&b'{');
        let start = open + if is_raw { 3 } else { 2 };
        let inner = end_of_tag(&text[start..]).map(|length| start..start + length);
        if is_raw
            && !inner
                .as_ref()
                .is_some_and(|inner| text[inner.end..].starts_with("}}}"))
        {
            return None;
        }
        let kept_inner = inner.clone().unwrap_or(start..start);
        if mustache.keeps(open, &text[kept_inner.clone()]) {
            kept = kept_inner.end;
            return None;
        }
        Some(FoundTag {
            open,
            inner,
            is_raw,
        })
    })
}

/// The position of the first `}}` outside of quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'}') if text[at..].starts_with("}}") => return Some(at),
            (None, b'{') => return None,
            _ => {}
        }
    }
    None
}
