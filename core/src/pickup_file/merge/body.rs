//! A body of the template in quoted-printable, with the names of variables in place of values.

use super::names::Name;
use super::syntax::push_variable;
use crate::mime::quoted_printable::Lines;
use crate::template::{Piece, TemplateText};

/// How much room a variable needs in the layout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'n> {
    pub name: &'n Name,
    /// The number of pieces of the longest value.
    pub pieces: u8,
    /// The maximum width of the last piece, in columns.
    pub last: u8,
}

/// Lays out a body so that no line is too long, whichever recipient's values are in it. `places` are those of the
/// slots, in order.
///
/// All pieces of a value except the last have lines of their own with a soft line break; recipients with fewer pieces
/// than others have empty ones: a line with only `=` is valid quoted-printable and means nothing.
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

/// Whether the line may end before another character of the text: values may be empty.
fn line_may_end(rest: &[Piece<'_>]) -> bool {
    let next = rest.iter().find_map(|piece| match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Slot(_) => None,
    });
    next.is_none_or(|literal| literal.starts_with(['\r', '\n']))
}
