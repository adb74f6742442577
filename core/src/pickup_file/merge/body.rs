//! A body of the template in quoted-printable, with room for what recipients put in.

use crate::header::push_mark;
use crate::mime::quoted_printable::Lines;
use crate::template::{Piece, TemplateText};

/// How much room a value takes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// It stands amid its line, so many columns wide at most.
    Inline(usize),
    /// It has lines of its own.
    Lines,
    /// It ends the body with lines of its own, line ends and all, or with none.
    LastLines,
}

/// Lays a body out so that no line is too long, whatever recipient's values stand in it. `slots` gives
/// for each slot in order its mark and its room.
pub(super) fn lay_out(
    text: &TemplateText<'_>,
    mut slots: impl Iterator<Item = (usize, Room)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out);
    let pieces = text.pieces();
    let mut ends_open = matches!(pieces.last(), Some(Piece::Slot(_)));
    let mut mark = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => {
                let rest = pieces.get(index + 1..).unwrap_or_default();
                put_literal(&mut lines, literal, line_may_end(rest));
            }
            Piece::Slot(_) => {
                let Some((number, room)) = slots.next() else {
                    continue;
                };
                mark.clear();
                push_mark(&mut mark, number);
                match room {
                    Room::Inline(width) => lines.later(&mark, width),
                    Room::Lines => lines.whole_lines(&mark),
                    Room::LastLines => {
                        lines.whole_lines(&mark);
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
    while let Some(end) = rest.find(['\r', '\n']) {
        let (line, next) = rest.split_at(end);
        put_line(lines, line, true);
        lines.line_end();
        rest = next
            .strip_prefix("\r\n")
            .or_else(|| next.get(1..))
            .unwrap_or_default();
    }
    put_line(lines, rest, line_may_end);
}

fn put_line(lines: &mut Lines<'_>, line: &str, is_at_end: bool) {
    match line.as_bytes() {
        [.., blank @ (b' ' | b'\t')] if is_at_end => {
            lines.text(line.get(..line.len() - 1).unwrap_or_default());
            lines.blank(*blank);
        }
        _ => lines.text(line),
    }
}
