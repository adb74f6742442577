//! What the recipients of a file have defined of a variable of the bodies, and what that costs others.

use super::definitions::size;
use super::plan::BodyVariable;
use super::value::Extent;

/// What the recipients of a file have defined of one variable of the bodies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// How many have a value of their own.
    owners: usize,
    /// How many pieces these values have in all.
    pieces: usize,
    /// How many the longest has.
    most: u8,
    /// How wide their last pieces are at most.
    last: u8,
}

/// What somebody has to define for the sake of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    /// How many pieces the variable has in the template.
    pub pieces: u8,
    /// How wide the last is at most.
    pub last: u8,
    /// How many bytes it takes in all: in definitions, and in messages where a piece is empty.
    pub cost: usize,
}

impl Usage {
    /// With one more recipient, whose value takes so much room if it is their own.
    pub fn with(self, own: Option<Extent>) -> Self {
        own.map_or(self, |own| Self {
            owners: self.owners + 1,
            pieces: self.pieces + usize::from(own.pieces),
            most: self.most.max(own.pieces),
            last: self.last.max(own.last),
        })
    }

    /// Whether it is a variable at all: if nobody has a value of their own, the one of everybody
    /// is in the template.
    pub fn is_variable(self) -> bool {
        self.owners > 0
    }

    /// What so many recipients have to define that they have not defined yet: who has no value of their
    /// own that of everybody, and all of them as many pieces as the longest value has. `None` if
    /// that cannot be done.
    pub fn late(self, variable: &BodyVariable, recipients: usize) -> Option<Late> {
        let mut late = Late {
            pieces: self.most,
            last: self.last,
            cost: 0,
        };
        let others = recipients - self.owners;
        if self.owners == 0 {
            return Some(late);
        }
        let mut defined = self.pieces;
        if others > 0 {
            let common = variable.common?;
            late.pieces = late.pieces.max(common.pieces);
            late.last = late.last.max(common.last);
            late.cost += others * common.size;
            defined += others * usize::from(common.pieces);
        }
        let missing = recipients * usize::from(late.pieces) - defined;
        let empty = size(variable.name.first(), "99".len()) + variable.places * "=\r\n".len();
        late.cost += missing * empty;
        Some(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickup_file::merge::names::Names;

    const fn extent(pieces: u8, last: u8, size: usize) -> Extent {
        Extent { pieces, last, size }
    }

    #[test]
    fn what_is_late_is_counted() {
        let variable = |common| BodyVariable {
            value: 0,
            escaped: false,
            name: Names::default().next(),
            places: 5,
            common,
        };
        let late = |pieces, last, cost| Some(Late { pieces, last, cost });
        let with_common = variable(Some(extent(2, 20, 100)));
        let nobody = Usage::default().with(None);
        assert!(!nobody.is_variable());
        assert_eq!(nobody.late(&with_common, 1), late(0, 0, 0));
        let one = nobody.with(Some(extent(1, 30, 40)));
        assert!(one.is_variable());
        // The first defines the common value, the second one more piece, ` a99=""`, for which there are
        // five lines in the message.
        assert_eq!(one.late(&with_common, 2), late(2, 30, 100 + 7 + 15));
        assert_eq!(one.late(&variable(None), 2), None);
        // None lacks a value, but the first two pieces.
        let three = Usage::default()
            .with(Some(extent(1, 30, 40)))
            .with(Some(extent(3, 10, 200)));
        assert_eq!(three.late(&variable(None), 2), late(3, 30, 2 * 22));
    }
}
