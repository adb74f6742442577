//! The text of a template as minijinja gets it.

use super::super::place::Place;
use std::ops::Range;

/// What stands behind each factor of a product; see [`factors`](super::factors).
pub(super) const FILTER: &str = "|_factor";

/// A template with the filter in it.
#[derive(Debug)]
pub(super) struct Source {
    pub text: String,
    /// Where the filter was put in: ascending offsets in what was given.
    factors: Vec<usize>,
}

impl Source {
    /// Puts the filter in.
    pub fn new(text: &str, factors: Vec<usize>) -> Self {
        let mut out = String::with_capacity(text.len() + factors.len() * FILTER.len());
        let mut start = 0;
        for &factor in &factors {
            out.push_str(&text[start..factor]);
            out.push_str(FILTER);
            start = factor;
        }
        out.push_str(&text[start..]);
        Self { text: out, factors }
    }

    /// Where a range of what was given is now. No filter stands at its ends.
    pub fn range(&self, range: &Range<usize>) -> Range<usize> {
        let moved = |offset: usize| {
            let before = self.factors.partition_point(|factor| *factor < offset);
            offset + before * FILTER.len()
        };
        moved(range.start)..moved(range.end)
    }

    /// Where that which is now at `offset` was in what was given.
    pub fn place(&self, offset: usize) -> Place {
        let offset = self.text.floor_char_boundary(offset);
        let mut place = Place::START;
        let mut start = 0;
        for (index, factor) in self.factors.iter().enumerate() {
            let filter = factor + index * FILTER.len();
            if filter >= offset {
                break;
            }
            place.advance(&self.text[start..filter]);
            start = filter + FILTER.len();
        }
        if start < offset {
            place.advance(&self.text[start..offset]);
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_what_they_were() {
        let given = "a\n{{ é * b }}{{ c }}";
        let (left, right) = (given.find(" *").unwrap(), given.find(" }}{{").unwrap());
        let source = Source::new(given, vec![left, right]);
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
