//! Letters beyond ASCII in the body of a header field that is already written: they become encoded words where these
//! are allowed (RFC 2047 section 5). Nothing else changes.

use crate::header::{Body, ENCODED_LINE, Grammar, KnownField, append_encoded_words};
use crate::syntax::{Cursor, Unclosed, unquote};
use encodify::rfc2047::Q_PHRASE;
use std::borrow::Cow;
use std::ops::Range;

/// Appends the body of a field, which contains no line ends. Letters in other places are not changed.
pub(super) fn encode_letters(known: Option<&KnownField>, body: &str, out: &mut Vec<u8>) {
    let mut runs = Runs {
        body,
        runs: Vec::new(),
    };
    let read = match known.map_or(Body::Text, |known| known.body) {
        Body::Text => {
            runs.text();
            Ok(())
        }
        Body::Structured(Grammar::Phrases) => runs.phrases(true),
        Body::Structured(Grammar::Addresses(_) | Grammar::Mailbox | Grammar::PhraseAndId) => {
            runs.phrases(false)
        }
        Body::Structured(_) => runs.comments(),
    };
    if read.is_err() {
        // Where its places are cannot be known.
        runs.runs.clear();
    }
    runs.runs.sort_unstable_by_key(|run| run.range.start);
    let mut done = 0;
    for run in &runs.runs {
        out.extend_from_slice(&body.as_bytes()[done..run.range.start]);
        write_encoded(&run.text, out);
        done = run.range.end;
    }
    out.extend_from_slice(&body.as_bytes()[done..]);
}

fn write_encoded(text: &str, out: &mut Vec<u8>) {
    // No further back than what follows asks for: there may be very many comments on one long line.
    let near = out.iter().rev().take(ENCODED_LINE / 2);
    let line = near.take_while(|byte| **byte != b'\n').count();
    // Where little room is left the first word will be folded to a line of its own.
    let mut column = if line < ENCODED_LINE / 2 { line } else { 1 };
    append_encoded_words(text, Q_PHRASE, &mut column, out);
}

/// The parts of a body to be encoded.
struct Runs<'b> {
    body: &'b str,
    runs: Vec<Run<'b>>,
}

/// Words that are encoded together: blanks between encoded words are ignored (RFC 2047 section 6.2).
struct Run<'b> {
    range: Range<usize>,
    text: Cow<'b, str>,
}

impl Runs<'_> {
    fn text(&mut self) {
        let mut start = 0;
        let mut words = Vec::new();
        for word in self.body.split([' ', '\t']) {
            if !word.is_empty() {
                words.push(start..start + word.len());
            }
            start += word.len() + 1;
        }
        self.words(&words, false);
    }

    /// Names before angle brackets and colons, and comments. `are_all`: words followed by neither are a phrase too.
    fn phrases(&mut self, are_all: bool) -> Result<(), Unclosed> {
        let mut cursor = Cursor::new(self.body);
        // Comments part the words of a phrase.
        let mut phrase: Vec<Vec<Range<usize>>> = vec![Vec::new()];
        loop {
            let is_phrase = match cursor.peek() {
                Some(b' ' | b'\t') => {
                    cursor.bump();
                    continue;
                }
                Some(b'(') => {
                    self.comment(&mut cursor)?;
                    phrase.push(Vec::new());
                    continue;
                }
                Some(b'<' | b':') => true,
                Some(b',' | b';') | None => are_all,
                Some(_) => {
                    let words = phrase.last_mut().expect("there is one from the start on");
                    words.push(word(&mut cursor)?);
                    continue;
                }
            };
            for words in phrase.drain(..).filter(|_| is_phrase) {
                self.words(&words, true);
            }
            phrase.push(Vec::new());
            match cursor.peek() {
                None => return Ok(()),
                Some(b'<') => angle(&mut cursor)?,
                Some(_) => cursor.bump(),
            }
        }
    }

    /// Only comments.
    fn comments(&mut self) -> Result<(), Unclosed> {
        let mut cursor = Cursor::new(self.body);
        while let Some(byte) = cursor.peek() {
            match byte {
                b'(' => self.comment(&mut cursor)?,
                b'"' => {
                    cursor.quoted_string()?;
                }
                b'<' => angle(&mut cursor)?,
                _ => cursor.bump(),
            }
        }
        Ok(())
    }

    fn comment(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Unclosed> {
        let comment = cursor.comment()?;
        let content = comment.start + 1..comment.end - 1;
        let text = &self.body[content.clone()];
        if !text.is_ascii() && !text.contains("=?") {
            self.runs.push(Run {
                range: content,
                text: unquote(Cow::Borrowed(text)),
            });
        }
        Ok(())
    }

    /// Encodes the words from the first to the last with letters beyond ASCII, except those that are already encoded.
    fn words(&mut self, words: &[Range<usize>], may_be_quoted: bool) {
        let body = self.body;
        let is_ascii = |word: &Range<usize>| body[word.clone()].is_ascii();
        let is_encoded = |word: &Range<usize>| {
            let text = &body[word.clone()];
            text.starts_with("=?") && text.ends_with("?=") && text.is_ascii()
        };
        let mut start = 0;
        while let Some(first) = words[start..].iter().position(|word| !is_ascii(word)) {
            let first = start + first;
            let rest = words[first..].iter();
            let end = first + rest.take_while(|word| !is_encoded(word)).count();
            let last = words[first..end].iter().rposition(|word| !is_ascii(word));
            let last = first + last.expect("the first is none of ASCII");
            start = end;
            let range = words[first].start..words[last].end;
            let mut text = String::new();
            if first > 0 && is_encoded(&words[first - 1]) {
                text.push(' ');
            }
            if may_be_quoted {
                let meant = words[first..=last]
                    .iter()
                    .map(|word| meant(&body[word.clone()]));
                text.push_str(&meant.collect::<Vec<_>>().join(" "));
            } else {
                text.push_str(&body[range.clone()]);
            }
            if words.get(last + 1).is_some_and(is_encoded) {
                text.push(' ');
            }
            self.runs.push(Run {
                range,
                text: Cow::Owned(text),
            });
        }
    }
}

/// The meaning of a word of a phrase, which may be a quoted string.
fn meant(word: &str) -> Cow<'_, str> {
    let content = word
        .strip_prefix('"')
        .and_then(|word| word.strip_suffix('"'));
    content.map_or(Cow::Borrowed(word), |content| {
        unquote(Cow::Borrowed(content))
    })
}

/// An atom, a quoted string, an address: anything without blanks outside of quotes.
fn word(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Unclosed> {
    let start = cursor.position();
    while let Some(byte) = cursor.peek() {
        match byte {
            b' ' | b'\t' | b'(' | b'<' | b',' | b';' | b':' => break,
            b'"' => {
                cursor.quoted_string()?;
            }
            b'[' => {
                cursor.domain_literal()?;
            }
            _ => cursor.bump(),
        }
    }
    Ok(start..cursor.position())
}

fn angle(cursor: &mut Cursor<'_>) -> Result<(), Unclosed> {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'"' => {
                cursor.quoted_string()?;
            }
            _ => cursor.bump(),
        }
        if byte == b'>' {
            return Ok(());
        }
    }
    Err(Unclosed)
}
