//! The text of a template as minijinja gets it.

use super::super::place::Place;
use super::operands::Insertion;
use std::ops::Range;

/// A template with what its operands need; see [`operands`](super::operands).
#[derive(Debug)]
pub(super) struct Source {
    pub text: String,
    /// What was put in: ascending offsets in what was given.
    insertions: Vec<Inserted>,
}

#[derive(Debug)]
struct Inserted {
    /// Where, in what was given.
    at: usize,
    /// How much there is up to the end of it.
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

    /// Where a range of what was given is now. Nothing was put in at its ends.
    pub fn range(&self, range: &Range<usize>) -> Range<usize> {
        let moved = |offset: usize| {
            let before = self.insertions.partition_point(|one| one.at < offset);
            offset + self.total(before)
        };
        moved(range.start)..moved(range.end)
    }

    /// Where that which is now at `offset` was in what was given.
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

    /// How much the first of them come to.
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
