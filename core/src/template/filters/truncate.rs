//! Truncated texts. Lengths are in characters, as in Ruby and Python.

use super::Filter;
use super::arguments::{Arguments, BadArguments};
use std::borrow::Cow;

/// How a text that is too long is truncated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Truncation {
    /// The maximum number of characters, including the ending.
    length: usize,
    /// Shows that it was truncated.
    ending: String,
    /// Keeps whole words, as far as there are any.
    keeps_words: bool,
    /// A text that exceeds the length by no more than this is not truncated.
    leeway: usize,
}

/// The maximum number of words of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WordLimit {
    words: usize,
    ending: String,
}

/// Liquid's: `truncate: 50, "..."`.
pub(super) fn liquid(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    Ok(Filter::Truncate(Truncation {
        length: arguments.count("length")?.unwrap_or(50),
        ending: arguments.text("ellipsis")?.unwrap_or_else(dots),
        keeps_words: false,
        leeway: 0,
    }))
}

/// Jinja's: `truncate(length=255, killwords=false, end='...', leeway=5)`.
pub(super) fn jinja(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    let truncation = Truncation {
        length: arguments.count("length")?.unwrap_or(255),
        keeps_words: !arguments.boolean("killwords")?.unwrap_or(false),
        ending: arguments.text("end")?.unwrap_or_else(dots),
        leeway: arguments.count("leeway")?.unwrap_or(5),
    };
    // What is cut would be longer than what was asked for.
    if truncation.ending.chars().count() > truncation.length {
        return Err(BadArguments);
    }
    Ok(Filter::Truncate(truncation))
}

/// Liquid's: `truncatewords: 15, "..."`.
pub(super) fn liquid_words(arguments: &mut Arguments) -> Result<Filter, BadArguments> {
    Ok(Filter::TruncateWords(WordLimit {
        // As Liquid has it, none is one.
        words: arguments.count("words")?.unwrap_or(15).max(1),
        ending: arguments.text("ellipsis")?.unwrap_or_else(dots),
    }))
}

fn dots() -> String {
    "...".to_owned()
}

impl Truncation {
    pub fn apply<'v>(&self, text: Cow<'v, str>) -> Cow<'v, str> {
        let most = self.length.saturating_add(self.leeway);
        if start_of(&text, most).len() == text.len() {
            return text;
        }
        let kept = self.length.saturating_sub(self.ending.chars().count());
        let mut start = start_of(&text, kept);
        if self.keeps_words
            && let Some(blank) = start.rfind(' ')
        {
            start = &start[..blank];
        }
        [start, &self.ending].concat().into()
    }
}

impl WordLimit {
    pub fn apply<'v>(&self, text: Cow<'v, str>) -> Cow<'v, str> {
        let mut words = text.split_whitespace();
        let kept: Vec<_> = words.by_ref().take(self.words).collect();
        if words.next().is_none() {
            return text;
        }
        (kept.join(" ") + &self.ending).into()
    }
}

/// The first characters of a text.
fn start_of(text: &str, characters: usize) -> &str {
    let end = text.char_indices().nth(characters);
    &text[..end.map_or(text.len(), |(at, _)| at)]
}
