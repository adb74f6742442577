//! Matches the starts and ends of statements.

use crate::template::TagKind;
use std::collections::HashMap;

/// Whether statements still match as they did in their source.
pub(super) struct Pairs {
    /// For each statement that ends a block or begins another branch of it, the one that began it.
    begun_by: HashMap<usize, usize>,
    open: Vec<usize>,
}

impl Pairs {
    pub fn of(statements: impl Iterator<Item = (usize, TagKind)>) -> Self {
        let mut open = Vec::new();
        let mut begun_by = HashMap::new();
        for (number, kind) in statements {
            match kind {
                TagKind::Opens => open.push(number),
                TagKind::Branches | TagKind::Closes => {
                    let begin = if kind == TagKind::Closes {
                        open.pop()
                    } else {
                        open.last().copied()
                    };
                    begun_by.extend(begin.map(|begin| (number, begin)));
                }
                _ => {}
            }
        }
        Self {
            begun_by,
            open: Vec::new(),
        }
    }

    /// Advances to a statement, and returns whether it belongs there.
    pub fn pass(&mut self, number: usize, kind: TagKind) -> bool {
        match kind {
            TagKind::Opens => {
                self.open.push(number);
                true
            }
            TagKind::Branches => self.begun_by.get(&number) == self.open.last(),
            TagKind::Closes => self.begun_by.get(&number).copied() == self.open.pop(),
            _ => true,
        }
    }

    /// The innermost statement that is open.
    pub fn open(&self) -> Option<usize> {
        self.open.last().copied()
    }
}

/// What is left of a run of statements with nothing written between them: blocks that begin and end within it are
/// dropped.
pub(super) fn unpaired(statements: impl Iterator<Item = (usize, TagKind)>) -> Vec<usize> {
    // Whether a block is open that may be dropped, for each that is open.
    let mut left: Vec<(usize, TagKind)> = Vec::new();
    for (number, kind) in statements {
        match kind {
            TagKind::Value { .. } | TagKind::Verbatim => {}
            TagKind::Closes => {
                let open = left
                    .iter()
                    .rposition(|(_, kind)| *kind != TagKind::Branches);
                match open {
                    Some(open) if left[open].1 == TagKind::Opens => left.truncate(open),
                    _ => left.push((number, kind)),
                }
            }
            kind => left.push((number, kind)),
        }
    }
    left.into_iter().map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use TagKind::{Branches, Closes, Opens, Silent};

    #[test]
    fn whole_blocks_are_dropped() {
        for (kinds, expected) in [
            (&[Opens, Closes] as &[_], &[] as &[_]),
            (&[Opens, Opens, Branches, Closes, Branches, Closes], &[]),
            (&[Opens, Silent, Closes], &[0, 1, 2]),
            (&[Closes, Opens], &[0, 1]),
            (&[Branches, Opens, Closes], &[0]),
            (&[Silent, TagKind::Value { is_html: true }], &[0]),
        ] {
            assert_eq!(
                unpaired(kinds.iter().copied().enumerate()),
                expected,
                "{kinds:?}"
            );
        }
    }
}
