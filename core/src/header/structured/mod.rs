//! Structured field bodies that the caller writes as text (RFC 5322 section 2.2.2): addresses, URLs,
//! identifiers, tokens.
//!
//! White space means nothing between their words, so it becomes one space, or a fold. Only a phrase and
//! a comment may be encoded words (RFC 2047 section 5); a letter that is not ASCII is a problem
//! elsewhere.
//!
//! ```text
//! List-Id:  Büchernews   <news.example.com>      =?utf-8?Q?B=C3=BCchernews?= <news.example.com>
//!           └ Phrase      └ Angle
//! Autocrypt: addr=a@example.com;<tab>keydata=…   addr=a@example.com; keydata= …
//!            └ Word                   └ Word
//! ```

mod read;
mod spaces;

pub(crate) use spaces::single_spaced;

use super::Signs;
use super::field::{Field, WORD_TOO_LONG, words_fit};
use super::fields::Grammar;
use super::phrase;
use crate::problem::{Code, Refusal};
use crate::syntax::Unclosed;
use encodify::rfc2047::Q_PHRASE;
use std::borrow::Cow;

/// A structured body that conforms to its grammar, as a list of its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StructuredBody<'a> {
    lexemes: Vec<Lexeme<'a>>,
}

/// A unit that is written without a fold in it, unless it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lexeme<'a> {
    kind: LexemeKind,
    text: Cow<'a, str>,
    /// Whether a comma follows.
    has_comma: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LexemeKind {
    /// As it is.
    Word,
    /// What is between angle brackets.
    Angle,
    /// A name: words, a quoted string or encoded words.
    Phrase,
    /// The text of a comment that has to be encoded; other comments are words.
    Comment,
}

impl<'a> StructuredBody<'a> {
    /// Reads the body of the field `name`. It contains no control characters except tabs.
    pub fn read(grammar: Grammar, name: &str, text: &Cow<'a, str>) -> Result<Self, Refusal> {
        let body = Self {
            lexemes: read::lexemes(grammar, text)?,
        };
        if body.fits_lines(name) {
            Ok(body)
        } else {
            Err(WORD_TOO_LONG)
        }
    }

    /// URLs in angle brackets, which are known to be valid.
    pub fn of_urls(urls: Vec<Cow<'a, str>>) -> Self {
        let last = urls.len().saturating_sub(1);
        let angle = |(index, url)| Lexeme {
            has_comma: index < last,
            ..Lexeme::new(LexemeKind::Angle, url)
        };
        Self {
            lexemes: urls.into_iter().enumerate().map(angle).collect(),
        }
    }

    /// What is in angle brackets.
    pub fn angles(&self) -> impl Iterator<Item = &str> {
        let angles = self.lexemes.iter();
        let angles = angles.filter(|lexeme| lexeme.kind == LexemeKind::Angle);
        angles.map(|lexeme| lexeme.text.as_ref())
    }

    fn fits_lines(&self, name: &str) -> bool {
        let lexemes = self.lexemes.iter();
        words_fit(
            name,
            lexemes.map(|lexeme| (!lexeme.is_foldable()).then(|| lexeme.length())),
        )
    }

    /// About how many bytes it takes.
    pub fn estimate(&self) -> usize {
        self.lexemes.iter().map(|lexeme| lexeme.length() + 1).sum()
    }

    /// Whether it contains an address that requires SMTPUTF8 (RFC 6531).
    pub fn is_internationalized(&self) -> bool {
        let mut lexemes = self.lexemes.iter();
        lexemes.any(|lexeme| !lexeme.is_foldable() && !lexeme.text.is_ascii())
    }

    /// The body on one line, if it consists of words only: nothing is encoded, quoted or in parentheses.
    pub fn as_plain_line(&self) -> Option<String> {
        let mut line = String::new();
        for lexeme in &self.lexemes {
            if !lexeme.is_plain() {
                return None;
            }
            let (open, close) = lexeme.brackets();
            let comma = if lexeme.has_comma { "," } else { "" };
            let blank = if line.is_empty() { "" } else { " " };
            for piece in [blank, open, &lexeme.text, close, comma] {
                line.push_str(piece);
            }
        }
        Some(line)
    }

    /// The same body, borrowed.
    pub fn lend(&self) -> StructuredBody<'_> {
        let lexemes = self.lexemes.iter().map(|lexeme| Lexeme {
            kind: lexeme.kind,
            text: Cow::Borrowed(lexeme.text.as_ref()),
            has_comma: lexeme.has_comma,
        });
        StructuredBody {
            lexemes: lexemes.collect(),
        }
    }

    /// Writes it. A phrase with other characters than `signs` is encoded.
    pub(super) fn write(&self, mut field: Field<'_>, signs: Signs) {
        for lexeme in &self.lexemes {
            lexeme.write(&mut field, signs);
        }
        field.end();
    }
}

impl<'a> Lexeme<'a> {
    fn new(kind: LexemeKind, text: impl Into<Cow<'a, str>>) -> Self {
        Self {
            kind,
            text: text.into(),
            has_comma: false,
        }
    }

    /// Whether it may be encoded, and then folded.
    fn is_foldable(&self) -> bool {
        matches!(self.kind, LexemeKind::Phrase | LexemeKind::Comment)
    }

    fn brackets(&self) -> (&'static str, &'static str) {
        match self.kind {
            LexemeKind::Angle => ("<", ">"),
            LexemeKind::Comment => ("(", ")"),
            LexemeKind::Word | LexemeKind::Phrase => ("", ""),
        }
    }

    fn length(&self) -> usize {
        let (open, close) = self.brackets();
        open.len() + self.text.len() + close.len() + usize::from(self.has_comma)
    }

    fn is_plain(&self) -> bool {
        match self.kind {
            LexemeKind::Word => !self.text.contains(['"', '(', '\\']),
            LexemeKind::Angle => !self.text.contains('"'),
            LexemeKind::Phrase => phrase::is_plain(&self.text),
            LexemeKind::Comment => false,
        }
    }

    fn write(&self, field: &mut Field<'_>, signs: Signs) {
        let comma = if self.has_comma { "," } else { "" }.as_bytes();
        match self.kind {
            LexemeKind::Word | LexemeKind::Angle => {
                let (open, close) = self.brackets();
                field.token(&[
                    open.as_bytes(),
                    self.text.as_bytes(),
                    close.as_bytes(),
                    comma,
                ]);
            }
            LexemeKind::Phrase => {
                phrase::write(field, &self.text, signs);
                if self.has_comma {
                    // An encoded word ends at white space (RFC 2047 section 5).
                    field.comma(phrase::is_encoded(&self.text, signs));
                }
            }
            LexemeKind::Comment => {
                field.token(&[b"("]);
                field.encoded_words(&self.text, Q_PHRASE);
                field.token(&[b")", comma]);
            }
        }
    }
}

const fn invalid(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidHeaderValue, detail)
}

fn unclosed(_: Unclosed) -> Refusal {
    invalid("This header field contains a quoted string or a comment that is not closed.")
}

#[cfg(test)]
mod tests {
    use super::super::field::LONGEST_LINE;
    use super::*;
    use crate::header::{Body, HeaderSection, KnownField, LINE};
    use proptest::prelude::*;

    fn grammar(name: &str) -> Grammar {
        match KnownField::named(name).map(|field| field.body) {
            Some(Body::Structured(grammar)) => grammar,
            body => panic!("{name}: {body:?}"),
        }
    }

    fn read<'t>(name: &str, text: &'t str) -> Result<StructuredBody<'t>, Refusal> {
        StructuredBody::read(grammar(name), name, &text.into())
    }

    fn written(name: &str, body: &StructuredBody<'_>) -> String {
        let mut out = Vec::new();
        HeaderSection::new(&mut out).structured(name, body);
        String::from_utf8(out).unwrap()
    }

    /// A field of each grammar.
    fn names() -> Vec<&'static str> {
        let mut names: Vec<(Body, &'static str)> = Vec::new();
        for KnownField { name, body, .. } in KnownField::all() {
            if *body != Body::Text && names.iter().all(|(known, _)| known != body) {
                names.push((*body, name));
            }
        }
        names.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn white_space_is_one_space_and_phrases_alone_are_encoded() {
        for (name, text, body) in [
            ("List-Help", "<https://a.example/>", "<https://a.example/>"),
            ("List-Help", " <https://a>,<b:c>\t", "<https://a>, <b:c>"),
            (
                "List-Help",
                "(x  y)<a:b>(z),  <c:d>",
                "(x y) <a:b> (z), <c:d>",
            ),
            ("List-Help", "<a:(b>  (\\) c)", "<a:(b> (\\) c)"),
            (
                "List-Help",
                "<a:b> (ü \\( y)",
                "<a:b> ( =?utf-8?B?w7wgKCB5?= )",
            ),
            (
                "List-Help",
                "<a:b> (ü), <c:d>",
                "<a:b> ( =?utf-8?B?w7w=?= ), <c:d>",
            ),
            ("List-Post", "no", "no"),
            ("List-Post", "NO(x\ty)", "NO(x y)"),
            ("List-Id", "Ü  <a.b>", "=?utf-8?B?w5w=?= <a.b>"),
            ("List-Id", "\"a,  b\" <a>", "=?utf-8?Q?a=2C__b?= <a>"),
            (
                "List-Id",
                "=?utf-8?Q?x?= <a>",
                "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?= <a>",
            ),
            ("Precedence", "\tbulk ", "bulk"),
            (
                "Auto-Submitted",
                "a;\tb=\"c  d\"  (e\tf)",
                "a; b=\"c  d\" (e f)",
            ),
            ("Auto-Submitted", "no (ü)", "no ( =?utf-8?B?w7w=?= )"),
            ("Auto-Submitted", "no (a\\ b c)", "no (a\\ b c)"),
            (
                "Sender",
                "Jörg <j@bücher.example>",
                "=?utf-8?B?SsO2cmc=?= <j@xn--bcher-kva.example>",
            ),
            (
                "Return-Receipt-To",
                "a@b.c,  \"d, e\" <d@e.f>",
                "a@b.c, \"d, e\" <d@e.f>",
            ),
            ("Keywords", "é ,\"a,b\",c", "=?utf-8?B?w6k=?= , \"a,b\", c"),
            ("Supersedes", "<a@b>\t<c@d>", "<a@b> <c@d>"),
            (
                "Expires",
                "Mon, 01 Feb 2027 00:00:00 (x) GMT",
                "Mon, 1 Feb 2027 00:00:00 +0000",
            ),
        ] {
            let expected = format!("{name}: {body}\r\n");
            assert_eq!(
                written(name, &read(name, text).unwrap()),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn blanks_of_other_scripts_are_not_left_out() {
        let field = written("Keywords", &read("Keywords", "\"a\u{3000}\" , b").unwrap());
        assert_eq!(field, "Keywords: =?utf-8?B?YeOAgA==?= , b\r\n");
        assert!(read("Keywords", "a\u{3000}, b").is_err());
    }

    #[test]
    fn encoded_words_are_refused_among_words_with_blanks_in_them_too() {
        for text in ["=?utf-8?Q?a?=", "a =?utf-8?Q?b c?= d", "a; b=\"=?\" ?="] {
            assert!(read("Auto-Submitted", text).is_err(), "{text}");
        }
        for text in ["a=?b", "a ?= b =?", "no (=?utf-8?Q?a?= b) ?="] {
            assert!(read("Auto-Submitted", text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_key_is_folded_where_a_line_cannot_hold_it() {
        let key = "A".repeat(2_000);
        for text in [
            format!("addr=a@b.c; keydata={key}"),
            format!("addr=a@b.c;  keydata= {}\t{}", &key[..700], &key[700..]),
        ] {
            let field = written("Autocrypt", &read("Autocrypt", &text).unwrap());
            assert!(
                field.split("\r\n").all(|line| line.len() <= LINE),
                "{field}"
            );
            let unfolded = field.replace("\r\n", "").replace(' ', "");
            assert_eq!(unfolded, format!("Autocrypt:addr=a@b.c;keydata={key}"));
        }
        let short = "addr=a@b.c; keydata=AAAA";
        let field = written("Autocrypt", &read("Autocrypt", short).unwrap());
        assert_eq!(field, format!("Autocrypt: {short}\r\n"));
    }

    #[test]
    fn only_base64_is_folded_as_a_key() {
        let key = "A".repeat(71);
        for (after_key, written_after) in [
            (" (é)", " ( =?utf-8?B?w6k=?= )"),
            (" (é), (x)", " ( =?utf-8?B?w6k=?= ), (x)"),
            (" (a  comment)", " (a comment)"),
            (" \"a  b\"", " \"a  b\""),
            ("; _x=1", "; _x=1"),
        ] {
            let text = format!("addr=a@b.c; keydata={key}{after_key}");
            let field = written("Autocrypt", &read("Autocrypt", &text).unwrap());
            let unfolded = field.replace("\r\n", "");
            let expected = format!("Autocrypt: addr=a@b.c; keydata={key}{written_after}");
            assert_eq!(unfolded, expected);
        }
    }

    #[test]
    fn a_plain_line_is_all_that_the_field_says() {
        for (name, text, line) in [
            ("List-Help", "<a:b>,<c:d>", Some("<a:b>, <c:d>")),
            ("List-Help", "<a:b> (x)", None),
            ("List-Id", "News  now <a.b>", Some("News now <a.b>")),
            ("List-Id", "\"a, b\" <a.b>", None),
            ("List-Id", "é <a.b>", None),
            ("Auto-Submitted", "a; b=\"c\"", None),
        ] {
            assert_eq!(read(name, text).unwrap().as_plain_line().as_deref(), line);
        }
    }

    proptest! {
        /// Whatever is read is written on lines that are short enough, is ASCII but for addresses with SMTPUTF8,
        /// and is read again as the same.
        #[test]
        fn what_is_written_is_read_as_the_same(
            name in proptest::sample::select(names()),
            text in "(<a:b>|, ?|  |\t|é|\"a, b\"|\\(x  y\\)|\\(é\\)|<a@b\\.c>|a@b\\.c|é@b|<https://\\[::1\\]/\\[a\\]>|keydata=A{90}|ab|;|=\\?|\\?=|NO|\\\\|\\(|\"|x{80}|23 Nov 2026 05:33 \\+0100){1,8}",
        ) {
            if let Ok(body) = read(name, &text) {
                let field = written(name, &body);
                prop_assert!(field.split("\r\n").all(|line| line.len() <= LONGEST_LINE));
                prop_assert_eq!(field.is_ascii(), !body.is_internationalized(), "{}", field);
                let blank = field.strip_prefix(name).unwrap().strip_prefix(':').unwrap();
                prop_assert!(blank.starts_with(' ') || blank.starts_with("\r\n =?"), "{field}");
                if !field.contains("=?") {
                    let again = blank.trim_end_matches("\r\n").replace("\r\n", "");
                    prop_assert_eq!(&written(name, &read(name, &again).unwrap()), &field);
                }
            }
        }
    }
}
