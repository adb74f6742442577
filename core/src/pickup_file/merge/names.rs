//! The names of variables.

use std::borrow::Cow;

/// The name of a variable; where one is several lines, the others have numbers behind it.
#[derive(Debug, Clone, Default)]
pub(super) struct Name(String);

impl Name {
    /// The name of the first line.
    pub fn first(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name of a line, counted from 1.
    pub fn numbered(&self, number: usize) -> Cow<'_, [u8]> {
        if number == 1 {
            return Cow::Borrowed(self.first());
        }
        Cow::Owned(format!("{}{number}", self.0).into_bytes())
    }
}

/// The numbers of the variables of a recipient whose value has so many lines beyond the first.
///
/// Lines beyond the first stand in blocks of 1, 2, 4, 8, … of which a recipient has those that
/// make up its number: so any number of lines can be said with few parts of the template, and nobody
/// has to define variables for the lines of others.
pub(super) fn numbers(more: u8) -> impl Iterator<Item = usize> {
    let blocks = (0..u8::BITS).filter(move |bit| more >> bit & 1 == 1);
    std::iter::once(1).chain(blocks.flat_map(numbers_of_block))
}

/// The numbers of the variables in the block of 2 to the `bit` lines.
pub(super) fn numbers_of_block(bit: u32) -> impl Iterator<Item = usize> {
    let size = 1_usize << bit;
    size + 1..=2 * size
}

/// Short names: a, b, …, z, aa, ab, … Letter case does not count in them.
#[derive(Debug, Default)]
pub(super) struct Names(usize);

impl Names {
    pub fn next(&mut self) -> Name {
        self.0 += 1;
        let mut number = self.0;
        let mut name = String::new();
        while number > 0 {
            number -= 1;
            name.insert(0, char::from(b"abcdefghijklmnopqrstuvwxyz"[number % 26]));
            number /= 26;
        }
        Name(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters() {
        let mut names = Names::default();
        let first: Vec<_> = (0..29).map(|_| names.next().0).collect();
        assert_eq!(first[..2], ["a", "b"]);
        assert_eq!(first[25..], ["z", "aa", "ab", "ac"]);
        let name = Name("a".to_owned());
        assert_eq!(
            (name.numbered(1), name.numbered(12)),
            (b"a".into(), b"a12".into())
        );
    }

    #[test]
    fn lines_are_made_up_of_blocks() {
        assert_eq!(numbers(0).collect::<Vec<_>>(), [1]);
        assert_eq!(numbers(1).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(numbers(2).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(numbers(5).collect::<Vec<_>>(), [1, 2, 5, 6, 7, 8]);
        for more in 0..64 {
            assert_eq!(numbers(more).count(), usize::from(more) + 1);
        }
    }
}
