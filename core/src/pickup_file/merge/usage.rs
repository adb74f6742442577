//! What the recipients of a file have defined for a variable of the bodies, and what that costs others.

use super::definitions::size;
use super::plan::BodyVariable;
use super::value::Extent;

/// What the recipients of a file have defined for one variable of the bodies.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    /// How many have their own value.
    owners: usize,
    /// The total number of pieces of these values.
    pieces: usize,
    /// The number of pieces of the longest.
    most: u8,
    /// The maximum width of their last pieces.
    last: u8,
}

/// What a recipient has to define for the sake of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Late {
    /// The number of pieces of the variable in the template.
    pub pieces: u8,
    /// The maximum width of the last one.
    pub last: u8,
    /// The total cost in bytes: of definitions, and of messages in which a piece is empty.
    pub cost: usize,
}

impl Usage {
    /// With one more recipient, and the room that its value takes if it has its own.
    pub fn with(self, own: Option<Extent>) -> Self {
        own.map_or(self, |own| Self {
            owners: self.owners + 1,
            pieces: self.pieces + usize::from(own.pieces),
            most: self.most.max(own.pieces),
            last: self.last.max(own.last),
        })
    }

    /// Whether it is a variable at all: if nobody has their own value, the common one is part of the template.
    pub fn is_variable(self) -> bool {
        self.owners > 0
    }

    /// What this many recipients have not defined yet but have to: those without their own value, the common one; and
    /// all of them as many pieces as the longest value has. `None` if that is not possible.
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
    fn late_definitions_are_counted() {
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
