//! The names of variables.

use std::borrow::Cow;

/// The name of a variable; if a value is in several pieces, the others have the same name with a number.
#[derive(Debug, Clone, Default)]
pub(super) struct Name(String);

impl Name {
    /// The name of the first piece.
    pub fn first(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name of a piece, counted from 1.
    pub fn numbered(&self, number: usize) -> Cow<'_, [u8]> {
        if number == 1 {
            return Cow::Borrowed(self.first());
        }
        Cow::Owned(format!("{}{number}", self.0).into_bytes())
    }
}

/// Short names: a, b, …, z, aa, ab, … They ignore letter case.
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
}
