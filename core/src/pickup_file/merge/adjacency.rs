//! Line ends that a value makes together with what it touches.

use crate::template::Piece;

/// What a value touches. CR and LF that meet are one line end, which no value can say by
/// itself; and a body that ends with a line end needs no other.
#[derive(Debug, Clone, Default)]
pub(super) struct Adjacency {
    cr_before: bool,
    lf_behind: bool,
    tail: Option<Tail>,
}

/// A value that ends its body.
#[derive(Debug, Clone)]
enum Tail {
    /// Lines of its own, which are not there if it is empty.
    Lines,
    /// Behind other values, nearest first, and behind a text that ends a line or does not.
    Behind { values: Vec<usize>, ends: bool },
}

impl Adjacency {
    /// Those of the piece of this number.
    pub fn of(pieces: &[Piece<'_>], index: usize) -> Self {
        let (before, behind) = pieces.split_at(index);
        let text = before.iter().rev().find_map(literal).unwrap_or_default();
        let values = before.iter().rev().map_while(|piece| match piece {
            Piece::Slot(slot) => Some(slot.value),
            Piece::Literal(_) => None,
        });
        let values: Vec<usize> = values.collect();
        let next = behind.get(1);
        let ends = text.ends_with(['\r', '\n']);
        Self {
            cr_before: text.ends_with('\r'),
            // What the next value begins with is not known.
            lf_behind: next
                .is_some_and(|next| literal(next).is_none_or(|text| text.starts_with('\n'))),
            tail: next.is_none().then_some(if values.is_empty() && ends {
                Tail::Lines
            } else {
                Tail::Behind { values, ends }
            }),
        }
    }

    /// Those of this one and of another place of the same value.
    pub fn and(self, other: Self) -> Self {
        let tail = match (self.tail, other.tail) {
            (Some(Tail::Lines), Some(Tail::Lines)) => Some(Tail::Lines),
            (None, tail) | (tail, None) => tail,
            // Empty, it ends one of the bodies twice at least as far as is known here.
            (Some(_), Some(_)) => Some(Tail::Behind {
                values: Vec::new(),
                ends: true,
            }),
        };
        Self {
            cr_before: self.cr_before || other.cr_before,
            lf_behind: self.lf_behind || other.lf_behind,
            tail,
        }
    }

    /// Whether it is lines of its own at the end of its body.
    pub fn is_lines(&self) -> bool {
        matches!(self.tail, Some(Tail::Lines))
    }

    /// Whether the value makes one line end of two; `others` gives other values by their number.
    pub fn meet<'v>(&self, value: &str, others: impl Fn(usize) -> &'v str) -> bool {
        if !value.is_empty() {
            return (self.cr_before && value.starts_with('\n'))
                || (self.lf_behind && value.ends_with('\r'));
        }
        let ends_twice = match &self.tail {
            Some(Tail::Behind { values, ends }) => {
                let mut before = values.iter().map(|number| others(*number));
                let before = before.find(|value| !value.is_empty());
                before.map_or(*ends, |value| value.ends_with(['\r', '\n']))
            }
            Some(Tail::Lines) | None => false,
        };
        ends_twice || (self.cr_before && self.lf_behind)
    }
}

fn literal<'p>(piece: &'p Piece<'_>) -> Option<&'p str> {
    match piece {
        Piece::Literal(literal) => Some(literal),
        Piece::Slot(_) => None,
    }
}
