//! The grammars of structured bodies.

use super::super::fields::Grammar;
use super::super::text::needs_encoding;
use super::super::{Date, MessageId, without_brackets};
use super::spaces::single_spaced;
use super::{Lexeme, LexemeKind, invalid, unclosed};
use crate::address::{Mailbox, name_and_angle};
use crate::problem::{Code, Refusal};
use crate::syntax::{Cursor, holds_encoded_word, is_atext, is_dot_atom, unquote};
use crate::text::part;
use std::borrow::Cow;

/// The words of a body.
pub(super) fn lexemes<'a>(
    grammar: Grammar,
    text: &Cow<'a, str>,
) -> Result<Vec<Lexeme<'a>>, Refusal> {
    let of_urls = matches!(grammar, Grammar::Uris | Grammar::UrisOrNo);
    let text = single_spaced(text, of_urls)?;
    if text.is_empty() {
        return Err(invalid(
            "This header field cannot be empty; leave it out instead.",
        ));
    }
    match grammar {
        Grammar::Addresses(_) => mailboxes(&text),
        Grammar::Mailbox => match mailboxes(&text)? {
            list if list.iter().any(|lexeme| lexeme.has_comma) => Err(Refusal::new(
                Code::TooManyMailboxes,
                "This header field takes one mailbox, not several.",
            )),
            one => Ok(one),
        },
        Grammar::Date => {
            let date = Date::from_rfc5322(&text)?.to_rfc5322().into_string();
            Ok(vec![Lexeme::new(LexemeKind::Word, date)])
        }
        Grammar::MessageIds => {
            let ids = MessageId::parse_body(&text)?.into_iter();
            let angle = |id: MessageId<'_>| Lexeme::new(LexemeKind::Angle, id.as_str().to_owned());
            Ok(ids.map(angle).collect())
        }
        Grammar::UrisOrNo if is_no(&text) => words(&text),
        Grammar::Uris | Grammar::UrisOrNo => uris(&text),
        Grammar::PhraseAndId => phrase_and_id(&text),
        Grammar::Phrases => phrases(&text),
        Grammar::Tokens => words(&text),
        Grammar::KeyData => Ok(with_folded_key(words(&text)?)),
    }
}

/// Mailboxes, by the same rules as all others of the message (RFC 5322 section 3.4).
fn mailboxes<'a>(text: &Cow<'a, str>) -> Result<Vec<Lexeme<'a>>, Refusal> {
    let mut lexemes = Vec::with_capacity(2);
    let mailboxes = Mailbox::parse_list(text)?;
    let last = mailboxes.len() - 1;
    for (index, Mailbox { name, address }) in mailboxes.into_iter().enumerate() {
        let kind = match name {
            None => LexemeKind::Word,
            Some(name) => {
                lexemes.push(Lexeme::new(LexemeKind::Phrase, name));
                LexemeKind::Angle
            }
        };
        let mut lexeme = Lexeme::new(kind, address.into_text());
        lexeme.has_comma = index < last;
        lexemes.push(lexeme);
    }
    Ok(lexemes)
}

/// Words, quoted strings and comments, separated by white space.
fn words<'a>(text: &Cow<'a, str>) -> Result<Vec<Lexeme<'a>>, Refusal> {
    let mut lexemes = Vec::new();
    let mut cursor = Cursor::new(text.as_ref());
    let mut start = 0;
    while let Some(byte) = cursor.peek() {
        let at = cursor.position();
        match byte {
            b' ' => {
                push_word(part(text, start..at), &mut lexemes)?;
                cursor.bump();
                start = cursor.position();
            }
            b'"' => {
                cursor.quoted_string().map_err(unclosed)?;
            }
            b'(' => {
                let comment = cursor.comment().map_err(unclosed)?;
                let content = part(text, comment.start + 1..comment.end - 1);
                if !needs_encoding(&content) {
                    for blank in blanks(&text[comment.clone()]) {
                        push_word(part(text, start..comment.start + blank), &mut lexemes)?;
                        start = comment.start + blank + 1;
                    }
                    continue;
                }
                if start < comment.start || !matches!(cursor.peek(), None | Some(b' ' | b',')) {
                    return Err(invalid(
                        "A comment that contains non-ASCII characters must be surrounded by white space.",
                    ));
                }
                let mut lexeme = Lexeme::new(LexemeKind::Comment, unquote(content));
                lexeme.has_comma = cursor.eat(b',');
                lexemes.push(lexeme);
                start = cursor.position();
            }
            _ => cursor.bump(),
        }
    }
    push_word(part(text, start..text.len()), &mut lexemes)?;
    // Many programs decode one that has blanks in it, too.
    if text.contains("=?") {
        let words = lexemes.iter().filter(|lexeme| !lexeme.is_foldable());
        let words: Vec<_> = words.map(|lexeme| lexeme.text.as_ref()).collect();
        if holds_encoded_word(&words.join(" ")) {
            return Err(NO_WORDS_OF_ASCII);
        }
    }
    Ok(lexemes)
}

const NO_WORDS_OF_ASCII: Refusal = invalid(
    "This header field takes only ASCII and no encoded words, so it cannot contain non-ASCII \
     characters.",
);

fn push_word<'a>(word: Cow<'a, str>, lexemes: &mut Vec<Lexeme<'a>>) -> Result<(), Refusal> {
    if !word.is_ascii() || holds_encoded_word(&word) {
        return Err(NO_WORDS_OF_ASCII);
    }
    if !word.is_empty() {
        lexemes.push(Lexeme::new(LexemeKind::Word, word));
    }
    Ok(())
}

/// The blanks in a comment that are not quoted with a backslash.
fn blanks(comment: &str) -> impl Iterator<Item = usize> + '_ {
    let mut is_quoted = false;
    comment.bytes().enumerate().filter_map(move |(at, byte)| {
        let was_quoted = is_quoted;
        is_quoted = byte == b'\\' && !was_quoted;
        (byte == b' ' && !was_quoted).then_some(at)
    })
}

/// URLs in angle brackets, separated by commas, with comments (RFC 2369 section 2, RFC 5064 section 2.2).
fn uris<'a>(text: &Cow<'a, str>) -> Result<Vec<Lexeme<'a>>, Refusal> {
    let mut lexemes = Vec::with_capacity(2);
    let mut cursor = Cursor::new(text.as_ref());
    let mut has_url = false;
    loop {
        cursor.skip_blanks();
        match (cursor.peek(), has_url) {
            (Some(b'('), _) => {
                let comment = cursor.comment().map_err(unclosed)?;
                lexemes.extend(words(&part(text, comment))?);
            }
            (Some(b'<'), false) => {
                cursor.bump();
                let url = cursor.take_while(|byte| byte != b'>');
                if !cursor.eat(b'>') {
                    return Err(invalid("The angle bracket is not closed."));
                }
                check_url(&text[url.clone()])?;
                let url = without_brackets(part(text, url));
                lexemes.push(Lexeme::new(LexemeKind::Angle, url));
                has_url = true;
            }
            (Some(b','), true) => {
                cursor.bump();
                let last = lexemes.last_mut().expect("a URL was read");
                last.has_comma = true;
                has_url = false;
            }
            (None, true) => return Ok(lexemes),
            _ => {
                return Err(invalid(
                    "This header field takes URLs in angle brackets, separated by commas: \
                     <https://example.com/a>, <mailto:a@example.com>.",
                ));
            }
        }
    }
}

/// Whether it is the word `NO`, for a list that nobody may post to (RFC 2369 section 3.4).
fn is_no(text: &str) -> bool {
    let word = text.split([' ', '(']).next().unwrap_or(text);
    let rest = text[word.len()..].trim_start();
    word.eq_ignore_ascii_case("no") && (rest.is_empty() || rest.starts_with('('))
}

fn check_url(url: &str) -> Result<(), Refusal> {
    if !url.is_ascii() {
        return Err(invalid(
            "A URL must be ASCII: percent-encode other characters (RFC 3986 section 2.1), and write \
             a host name as xn--….",
        ));
    }
    if !url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'<')
        || holds_encoded_word(url)
    {
        return Err(invalid(
            "A URL may not contain white space, angle brackets or encoded words; write a space as %20.",
        ));
    }
    let scheme = url.split_once(':').map_or("", |(scheme, _)| scheme);
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme || url.len() == scheme.len() + 1 {
        return Err(invalid(
            "A URL must start with its scheme, such as https: or mailto:.",
        ));
    }
    Ok(())
}

/// `News <news.example.com>` (RFC 2919 section 3).
fn phrase_and_id<'a>(text: &Cow<'a, str>) -> Result<Vec<Lexeme<'a>>, Refusal> {
    /// RFC 2919 section 3.
    const LONGEST: usize = 255;
    let Some((name, id)) = name_and_angle(text) else {
        return Err(invalid(
            "This header field takes an identifier in angle brackets, optionally preceded by a name, \
             which must be quoted if it contains special characters: News <news.example.com>.",
        ));
    };
    if !is_dot_atom(&id) || id.len() > LONGEST || holds_encoded_word(&id) {
        return Err(invalid(
            "The identifier in angle brackets must look like a host name, in ASCII, with at most 255 characters.",
        ));
    }
    let name = name.map(|name| Lexeme::new(LexemeKind::Phrase, name));
    let id = Lexeme::new(LexemeKind::Angle, id);
    Ok(name.into_iter().chain([id]).collect())
}

/// Phrases with commas between them (RFC 5322 section 3.6.5).
fn phrases<'a>(text: &Cow<'a, str>) -> Result<Vec<Lexeme<'a>>, Refusal> {
    let mut phrases: Vec<Lexeme<'a>> = Vec::new();
    let mut cursor = Cursor::new(text.as_ref());
    loop {
        cursor.skip_blanks();
        let start = cursor.position();
        while let Some(byte) = cursor.peek().filter(|byte| *byte != b',') {
            match byte {
                b'"' => {
                    cursor.quoted_string().map_err(unclosed)?;
                }
                _ => cursor.bump(),
            }
        }
        let end = start + text[start..cursor.position()].trim_end_matches(' ').len();
        phrases.push(phrase(part(text, start..end))?);
        if !cursor.eat(b',') {
            return Ok(phrases);
        }
        if let Some(phrase) = phrases.last_mut() {
            phrase.has_comma = true;
        }
    }
}

fn phrase(text: Cow<'_, str>) -> Result<Lexeme<'_>, Refusal> {
    let is_quoted =
        text.len() > 2 && Cursor::new(text.as_ref()).quoted_string() == Ok(0..text.len());
    if is_quoted && text.starts_with('"') {
        let content = unquote(part(&text, 1..text.len() - 1));
        return Ok(Lexeme::new(LexemeKind::Phrase, content));
    }
    let fits = |c: char| is_atext(c) || matches!(c, '.' | ' ');
    if text.is_empty() || !text.chars().all(fits) {
        return Err(invalid(
            "This header field takes words separated by commas; words that contain special characters must be quoted.",
        ));
    }
    Ok(Lexeme::new(LexemeKind::Phrase, text))
}

/// Folds the base64 of a key, in which white space is meaningless (Autocrypt level 1, section 2.1). It is the last
/// attribute. What else stands there, as a comment, stays in its words.
fn with_folded_key(mut words: Vec<Lexeme<'_>>) -> Vec<Lexeme<'_>> {
    const NAME: &str = "keydata=";
    const LINE: usize = 72;
    let Some(at) = words.iter().position(|word| word.text.starts_with(NAME)) else {
        return words;
    };
    let text: String = words[at..].iter().map(|word| word.text.as_ref()).collect();
    let key = &text[NAME.len()..];
    if text.len() <= LINE || !key.bytes().all(is_base64) {
        return words;
    }
    words.truncate(at);
    words.push(Lexeme::new(LexemeKind::Word, NAME));
    let mut rest = key;
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        words.push(Lexeme::new(LexemeKind::Word, line.to_owned()));
        rest = more;
    }
    words
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
