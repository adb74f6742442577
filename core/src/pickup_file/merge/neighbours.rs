//! Line ends that a value and the text beside it make together.

use crate::template::Piece;

/// What stands beside a value. CR and LF that meet are one line end, which no value can say by
/// itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Neighbours {
    cr_before: bool,
    lf_behind: bool,
    /// Without the value the body would end with the end of a line, and need no other.
    ends_before: bool,
}

impl Neighbours {
    /// Those of the piece of this number.
    pub fn of(pieces: &[Piece<'_>], index: usize) -> Self {
        let (before, behind) = pieces.split_at(index);
        let before = before.iter().rev().find_map(literal).unwrap_or_default();
        let next = behind.get(1);
        Self {
            cr_before: before.ends_with('\r'),
            // What the next value begins with is not known.
            lf_behind: next
                .is_some_and(|next| literal(next).is_none_or(|text| text.starts_with('\n'))),
            ends_before: next.is_none() && before.ends_with(['\r', '\n']),
        }
    }

    /// Those of this one and of another place where the value stands as well.
    pub fn and(self, other: Self) -> Self {
        Self {
            cr_before: self.cr_before || other.cr_before,
            lf_behind: self.lf_behind || other.lf_behind,
            ends_before: self.ends_before || other.ends_before,
        }
    }

    /// Whether the value makes one line end of two.
    pub fn meet(self, value: &str) -> bool {
        (self.cr_before && value.starts_with('\n'))
            || (self.lf_behind && value.ends_with('\r'))
            || (value.is_empty() && (self.ends_before || (self.cr_before && self.lf_behind)))
    }
}

fn literal<'p>(piece: &'p Piece<'_>) -> Option<&'p str> {
    match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Slot(_) => None,
    }
}
