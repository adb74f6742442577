//! A body of the template in quoted-printable, with room for what recipients put in.

use crate::header::push_marker;
use crate::mime::quoted_printable::Lines;
use crate::syntax::{LineEnds, line_end};
use crate::template::{Piece, TemplateText};

/// How a value is laid out in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueLayout {
    /// It stands amid its line, so many columns wide at most.
    Inline(usize),
    /// It has lines of its own.
    OwnLines,
    /// It ends the body with lines of its own, line ends and all, or with none.
    FinalLines,
}

/// Lays a body out so that no line is too long, whatever recipient's values stand in it. `slots` gives
/// for each slot in order its marker and its layout.
pub(super) fn lay_out(
    text: &TemplateText<'_>,
    mut slots: impl Iterator<Item = (usize, ValueLayout)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out);
    let pieces = text.pieces();
    let mut ends_open = matches!(pieces.last(), Some(Piece::Slot(_)));
    let mut marker = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => {
                put_literal(&mut lines, literal, line_may_end(&pieces[index + 1..]));
            }
            Piece::Slot(_) => {
                let slot = slots.next();
                let (number, layout) = slot.expect("each slot has its marker and its layout");
                marker.clear();
                push_marker(&mut marker, number);
                match layout {
                    ValueLayout::Inline(width) => lines.later(&marker, width),
                    ValueLayout::OwnLines => lines.whole_lines(&marker),
                    ValueLayout::FinalLines => {
                        lines.whole_lines(&marker);
                        ends_open = false;
                    }
                }
            }
        }
    }
    // An empty value would leave a soft line break at the end, which means nothing there.
    if ends_open {
        lines.line_end();
    }
    out
}

/// Whether the line may end before another character of the text comes: values may be empty.
fn line_may_end(rest: &[Piece<'_>]) -> bool {
    let next = rest.iter().find_map(|piece| match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Slot(_) => None,
    });
    next.is_none_or(|literal| literal.starts_with(['\r', '\n']))
}

fn put_literal(lines: &mut Lines<'_>, literal: &str, line_may_end: bool) {
    let mut rest = literal;
    while let Some(end) = line_end(rest.as_bytes(), LineEnds::Any) {
        put_line(lines, &rest[..end.start], true);
        lines.line_end();
        rest = &rest[end.end..];
    }
    put_line(lines, rest, line_may_end);
}

fn put_line(lines: &mut Lines<'_>, line: &str, is_at_end: bool) {
    match line.as_bytes() {
        [.., blank @ (b' ' | b'\t')] if is_at_end => {
            lines.text(&line[..line.len() - 1]);
            lines.blank(*blank);
        }
        _ => lines.text(line),
    }
}
