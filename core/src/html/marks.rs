//! Words in place of placeholders and statements.

use super::Source;
use crate::problem::{Code, Refusal};
use crate::template::{Place, Tag, TagKind};
use std::ops::Range;

/// A text with a mark in place of each of its tags: a word of lower-case letters and digits, which HTML, CSS and MJML
/// do not change.
#[derive(Debug)]
pub(super) struct Marked<'s> {
    pub text: String,
    source: Source<'s>,
    prefix: String,
    /// For each mark, its end in the text and the end of its tag in the source.
    ends: Vec<(usize, usize)>,
}

/// A piece of a text with marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// The number of a tag, or one given by the caller.
    Mark(usize),
}

const NO_WORD: Refusal = Refusal::new(
    Code::InvalidContent,
    "The HTML contains words of the form `pmtaxxx…` in every length; one of them is needed to mark placeholders.",
);

impl<'s> Marked<'s> {
    /// Replaces the tags with marks. White space that a tag strips is kept or stripped.
    pub fn new(source: Source<'s>, keeps_blanks: bool) -> Result<Self, Refusal> {
        let prefix = unused_word(source.text)?;
        let mut marked = Self {
            text: String::with_capacity(source.text.len() + source.tags.len() * 8),
            source,
            prefix,
            ends: Vec::with_capacity(source.tags.len()),
        };
        let mut at = 0;
        for (number, tag) in source.tags.iter().enumerate() {
            marked.text.push_str(&source.text[at..tag.range.start]);
            at = tag.range.end;
            let text = &source.text[tag.range.clone()];
            if !text.trim_ascii().is_empty() {
                let mark = marked.mark(number);
                marked.text.push_str(&mark);
            } else if keeps_blanks {
                marked.text.push_str(text);
            }
            marked.ends.push((marked.text.len(), at));
        }
        marked.text.push_str(&source.text[at..]);
        Ok(marked)
    }

    /// The word that all marks start with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The mark with this number.
    pub fn mark(&self, number: usize) -> String {
        format!("{}{number}x", self.prefix)
    }

    /// The tag with this number; `None` for numbers of the caller.
    pub fn tag(&self, number: usize) -> Option<&Tag> {
        self.source.tags.get(number)
    }

    /// The number of tags. The caller can give marks with higher numbers a meaning.
    pub fn tag_count(&self) -> usize {
        self.source.tags.len()
    }

    /// The source text that the mark of a tag replaces.
    pub fn tag_text(&self, tag: &Tag) -> &'s str {
        &self.source.text[tag.range.clone()]
    }

    /// Position in the source of the byte `at` of the text; within a mark, the end of its tag.
    pub fn offset(&self, at: usize) -> usize {
        let before = self.ends.partition_point(|(end, _)| *end <= at);
        let (end, offset) = match before.checked_sub(1) {
            Some(last) => self.ends[last],
            None => (0, 0),
        };
        let next = self.source.tags.get(before).map(|tag| tag.range.start);
        let offset = offset + at - end;
        next.map_or(offset, |next| offset.min(next))
    }

    /// The same as line and column.
    pub fn place(&self, at: usize) -> Place {
        Place::of(self.source.text, self.offset(at))
    }

    /// Position of a tag.
    pub fn place_of_tag(&self, number: usize) -> Place {
        let start = self.tag(number).map_or(0, |tag| tag.range.start);
        Place::of(self.source.text, start)
    }

    /// Splits any text that contains marks.
    pub fn pieces<'t>(&self, text: &'t str) -> Pieces<'t, '_> {
        Pieces {
            text,
            prefix: &self.prefix,
            found: None,
        }
    }

    /// The kinds of the tags whose marks are in a text.
    pub fn kinds<'t>(&'t self, text: &'t str) -> impl Iterator<Item = (usize, TagKind)> + 't {
        self.pieces(text).filter_map(|piece| match piece {
            Piece::Mark(number) => Some((number, self.tag(number)?.kind)),
            Piece::Text(_) => None,
        })
    }

    /// A text with the tags in place of their marks.
    pub fn put_back(&self, text: &str) -> String {
        let pieces = self.pieces(text).map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Mark(number) => self.tag(number).map_or("", |tag| self.tag_text(tag)),
        });
        pieces.collect()
    }
}

/// The pieces of a text with marks.
pub(super) struct Pieces<'t, 'm> {
    text: &'t str,
    prefix: &'m str,
    /// A mark at the start of the text, and its length.
    found: Option<(usize, usize)>,
}

impl<'t> Iterator for Pieces<'t, '_> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if let Some((number, length)) = self.found.take() {
            self.text = &self.text[length..];
            return Some(Piece::Mark(number));
        }
        if self.text.is_empty() {
            return None;
        }
        let next = next_mark(self.text, self.prefix);
        let start = next
            .as_ref()
            .map_or(self.text.len(), |(range, _)| range.start);
        self.found = next.map(|(range, number)| (number, range.len()));
        if start == 0 {
            return self.next();
        }
        let (text, rest) = self.text.split_at(start);
        self.text = rest;
        Some(Piece::Text(text))
    }
}

/// Position and number of the first mark in a text.
fn next_mark(text: &str, prefix: &str) -> Option<(Range<usize>, usize)> {
    let starts = memchr::memmem::find_iter(text.as_bytes(), prefix);
    starts.into_iter().find_map(|start| {
        let rest = &text[start + prefix.len()..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse().ok()?;
        let is_mark = rest.as_bytes().get(digits) == Some(&b'x');
        is_mark.then(|| (start..start + prefix.len() + digits + 1, number))
    })
}

/// A word that does not occur in a text, ignoring letter case.
fn unused_word(text: &str) -> Result<String, Refusal> {
    const WORD: &str = "pmtax";
    const MOST: usize = 20;

    let mut longest = None;
    let bytes = text.as_bytes();
    for start in memchr::memchr2_iter(b'p', b'P', bytes) {
        let is_word = bytes
            .get(start..start + WORD.len())
            .is_some_and(|word| word.eq_ignore_ascii_case(WORD.as_bytes()));
        if is_word {
            let more = bytes[start + WORD.len()..].iter();
            let more = more
                .take_while(|byte| byte.eq_ignore_ascii_case(&b'x'))
                .take(MOST);
            longest = longest.max(Some(more.count()));
        }
    }
    match longest {
        None => Ok(WORD.to_owned()),
        Some(MOST) => Err(NO_WORD),
        Some(more) => Ok(format!("{WORD}{}", "x".repeat(more + 1))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<Tag> {
        crate::template::Language::merge().tags(text)
    }

    #[test]
    fn marking_tags_can_be_undone() {
        for text in [
            "",
            "a",
            "{{ a }}",
            "é {{ a }}{{{ b }}}\nc {{ d }} pmtax pmtax1x PMTAXX2x",
        ] {
            let tags = tags(text);
            let source = Source {
                text,
                tags: &tags,
                is_template: true,
            };
            let marked = Marked::new(source, true).unwrap();
            assert!(!marked.text.contains('{'), "{}", marked.text);
            assert_eq!(marked.put_back(&marked.text), text);
            assert_eq!(marked.kinds(&marked.text).count(), tags.len());
        }
        assert_eq!(
            unused_word(&format!("a{}", "pmtax".repeat(3) + &"X".repeat(30))),
            Err(NO_WORD)
        );
    }

    #[test]
    fn places_are_those_of_the_source() {
        let text = "a{{ b }}\nc {{ d }} e";
        let tags = tags(text);
        let source = Source {
            text,
            tags: &tags,
            is_template: true,
        };
        let marked = Marked::new(source, true).unwrap();
        for part in ["a", "\n", "c ", " e"] {
            let (at, expected) = (marked.text.find(part), text.find(part));
            assert_eq!(Some(marked.offset(at.unwrap())), expected, "{part:?}");
        }
        let mark = marked.text.find(&marked.mark(1)).unwrap();
        assert_eq!(marked.place(mark).to_string(), "line 2, column 3");
        assert_eq!(marked.place_of_tag(1).to_string(), "line 2, column 3");
    }
}
