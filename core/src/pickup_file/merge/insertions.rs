//! Insertions into bytes that are too many to be copied elsewhere.

/// What is to be inserted, ordered by position.
#[derive(Debug, Default)]
pub(super) struct Insertions {
    bytes: Vec<u8>,
    /// For each, where it belongs, and where it starts in the bytes.
    places: Vec<(usize, usize)>,
}

impl Insertions {
    /// Returns the buffer to which to append what belongs before this byte.
    pub fn at(&mut self, place: usize) -> &mut Vec<u8> {
        self.places.push((place, self.bytes.len()));
        &mut self.bytes
    }

    /// Inserts everything, starting at the end, so that each byte is moved once.
    pub fn insert_into(self, bytes: &mut Vec<u8>) {
        let (mut from, mut to) = (bytes.len(), bytes.len() + self.bytes.len());
        bytes.resize(to, 0);
        let mut rest = self.bytes.as_slice();
        for (place, start) in self.places.into_iter().rev() {
            to -= from - place;
            bytes.copy_within(place..from, to);
            from = place;
            let inserted = &rest[start..];
            to -= inserted.len();
            bytes[to..][..inserted.len()].copy_from_slice(inserted);
            rest = &rest[..start];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_inserted_where_it_belongs() {
        let mut bytes = b"bdf".to_vec();
        let mut more = Insertions::default();
        for (place, inserted) in [(0, "aa"), (1, "c"), (1, ""), (2, "eeee"), (3, "g")] {
            more.at(place).extend_from_slice(inserted.as_bytes());
        }
        more.insert_into(&mut bytes);
        assert_eq!(bytes, b"aabcdeeeefg");
        Insertions::default().insert_into(&mut bytes);
        assert_eq!(bytes.len(), 11);
    }
}
