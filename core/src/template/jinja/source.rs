//! The text of a template for minijinja.

use super::super::place::Place;
use super::operands::Insertion;
use std::ops::Range;

/// A template with insertions for its operands; see [`operands`](super::operands).
#[derive(Debug)]
pub(super) struct Source {
    pub text: String,
    /// What was inserted: ascending offsets in the original.
    insertions: Vec<Inserted>,
}

#[derive(Debug)]
struct Inserted {
    /// Its offset in the original.
    at: usize,
    /// The total length of insertions up to and including this one.
    total: usize,
}

impl Source {
    /// Puts ascending insertions in.
    pub fn new(text: &str, insertions: &[Insertion]) -> Self {
        let mut out = String::with_capacity(text.len() + insertions.len() * 9);
        let mut start = 0;
        let mut total = 0;
        let insertions = insertions.iter();
        let insertions = insertions.map(|insertion| {
            let inserted = insertion.text.as_str();
            out.push_str(&text[start..insertion.at]);
            out.push_str(inserted);
            start = insertion.at;
            total += inserted.len();
            Inserted { at: start, total }
        });
        let insertions = insertions.collect();
        out.push_str(&text[start..]);
        Self {
            text: out,
            insertions,
        }
    }

    /// The range that corresponds to one of the original. Nothing was inserted at its ends.
    pub fn range(&self, range: &Range<usize>) -> Range<usize> {
        let moved = |offset: usize| {
            let before = self.insertions.partition_point(|one| one.at < offset);
            offset + self.total(before)
        };
        moved(range.start)..moved(range.end)
    }

    /// The position in the original that corresponds to `offset`.
    pub fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let mut place = Place::START;
        let mut start = 0;
        for (index, inserted) in self.insertions.iter().enumerate() {
            let at = inserted.at + self.total(index);
            if at >= offset {
                break;
            }
            place.advance(&self.text[start..at]);
            start = inserted.at + inserted.total;
        }
        if start < offset {
            place.advance(&self.text[start..offset]);
        }
        place
    }

    /// The total length of the first ones.
    fn total(&self, count: usize) -> usize {
        count
            .checked_sub(1)
            .map_or(0, |last| self.insertions[last].total)
    }
}

#[cfg(test)]
mod tests {
    use super::super::operands::Inserted::Factor;
    use super::*;

    #[test]
    fn places_stay_what_they_were() {
        let given = "a\n{{ é * b }}{{ c }}";
        let (left, right) = (given.find(" *").unwrap(), given.find(" }}{{").unwrap());
        let source = Source::new(
            given,
            &[left, right].map(|at| Insertion { at, text: Factor }),
        );
        for part in ["é", "* ", "b", "{{ c"] {
            let place = Place::of(given, given.find(part).unwrap());
            assert_eq!(
                source.place(source.text.find(part).unwrap()),
                place,
                "{part}"
            );
        }
        assert_eq!(
            source.place(source.text.find("_factor").unwrap()),
            Place::of(given, left)
        );
        let c = given.find("{{ c").unwrap();
        assert_eq!(&source.text[source.range(&(c..given.len()))], "{{ c }}");
    }
}
