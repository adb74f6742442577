//! A body of the template in quoted-printable, with the names of variables where values stand.

use super::names::Name;
use super::syntax::push_variable;
use crate::mime::quoted_printable::Lines;
use crate::template::{Piece, TemplateText};

/// A variable as it is laid out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'n> {
    pub name: &'n Name,
    /// How many pieces the longest value has.
    pub pieces: u8,
    /// How many columns the last piece takes at most.
    pub last: u8,
}

/// Lays a body out so that no line is too long, whatever recipient's values are in it. `places` are
/// those of the slots, in order.
///
/// All pieces of a value but the last have lines of their own that end softly, and who has fewer pieces
/// than others has empty ones: `=` alone is a line of quoted-printable, and means nothing.
///
/// ```text
/// See https://example.com/?token=3D=
/// [a3]=
/// [a2]=
/// [a] today.
/// ```
pub(super) fn lay_out<'n>(
    text: &TemplateText<'_>,
    mut places: impl Iterator<Item = Place<'n>>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut lines = Lines::new(&mut out);
    let pieces = text.pieces();
    let mut variable = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Literal(literal) => lines.text(literal, line_may_end(&pieces[index + 1..])),
            Piece::Slot(_) => {
                let place = places.next().expect("each slot has its place");
                for number in (1..=usize::from(place.pieces)).rev() {
                    variable.clear();
                    push_variable(&mut variable, &place.name.numbered(number));
                    if number > 1 {
                        lines.later_line(&variable);
                    } else {
                        lines.later(&variable, usize::from(place.last));
                    }
                }
            }
        }
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
