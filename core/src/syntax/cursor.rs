//! A position in a text, and the tokens that may come next (RFC 5322 section 3.2).

use super::characters::{Class, is_atext};
use std::ops::Range;

/// A token without an end: a quote, parenthesis or bracket that is not closed. The cursor is then at the end of the
/// text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed;

/// Reads a text token by token.
///
/// Tokens are ranges of bytes, since the text may be borrowed, owned or not even UTF-8. Everything that ends a token is
/// ASCII, so none of them ends within a character.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'t> {
    bytes: &'t [u8],
    position: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            bytes: text.as_ref(),
            position: 0,
        }
    }

    /// The start of the next token.
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The next byte.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    /// Skips the next byte, if there is one.
    #[inline]
    pub fn bump(&mut self) {
        self.position = self.bytes.len().min(self.position + 1);
    }

    /// Skips the next byte if it is this one, and returns whether it was.
    #[inline]
    pub fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// Skips spaces and tabs.
    pub fn skip_blanks(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
    }

    /// An atom (RFC 5322 section 3.2.3, RFC 6532 section 3.2), possibly empty.
    pub fn atom(&mut self) -> Range<usize> {
        let start = self.position;
        let atom = self.take_while(|byte| Class::ATEXT.has(byte) || !byte.is_ascii());
        let bytes = &self.bytes[atom];
        // Beyond ASCII there are blanks and control characters, which are in no atom.
        if !bytes.is_ascii()
            && let Ok(text) = std::str::from_utf8(bytes)
            && let Some(end) = text.find(|c| !is_atext(c))
        {
            self.position = start + end;
        }
        start..self.position
    }

    /// A token (RFC 2045 section 5.1), possibly empty.
    pub fn token(&mut self) -> Range<usize> {
        self.take_while(|byte| Class::TOKEN.has(byte))
    }

    /// The quoted-string (RFC 5322 section 3.2.4) that is next, with its quotes.
    pub fn quoted_string(&mut self) -> Result<Range<usize>, Unclosed> {
        let start = self.position;
        self.bump();
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b'"' => return Ok(start..self.position),
                b'\\' => self.bump(),
                _ => {}
            }
        }
        Err(Unclosed)
    }

    /// The comment (RFC 5322 section 3.2.2) that is next, with its parentheses. Comments may contain comments, at any
    /// depth: they are counted, so that depth costs no stack.
    pub fn comment(&mut self) -> Result<Range<usize>, Unclosed> {
        let start = self.position;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            self.bump();
            match byte {
                b'(' => depth += 1,
                b')' if depth == 1 => return Ok(start..self.position),
                b')' => depth -= 1,
                b'\\' => self.bump(),
                _ => {}
            }
        }
        Err(Unclosed)
    }

    /// The domain literal (RFC 5322 section 3.4.1) that is next, with its brackets. Its content is not checked.
    pub fn domain_literal(&mut self) -> Result<Range<usize>, Unclosed> {
        let literal = self.take_while(|byte| byte != b']');
        if self.eat(b']') {
            Ok(literal.start..self.position)
        } else {
            Err(Unclosed)
        }
    }

    /// Takes bytes while they satisfy a condition.
    pub fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.position;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|byte| !fits(*byte));
        self.position = start + length.unwrap_or(rest.len());
        start..self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a method takes from the start of a text.
    fn taken<'t>(
        text: &'t str,
        token: impl Fn(&mut Cursor<'t>) -> Result<Range<usize>, Unclosed>,
    ) -> Option<&'t str> {
        let mut cursor = Cursor::new(text);
        let range = token(&mut cursor).ok()?;
        assert_eq!(range, 0..cursor.position(), "{text}");
        Some(&text[range])
    }

    #[test]
    fn tokens_end_where_the_grammar_says() {
        for (text, atom) in [
            ("ab.c", "ab"),
            ("a b", "a"),
            ("é\u{3000}b", "é"),
            ("é\u{85}", "é"),
            ("a\"b\"", "a"),
            ("", ""),
            ("<", ""),
        ] {
            assert_eq!(
                taken(text, |cursor| Ok(cursor.atom())),
                Some(atom),
                "{text}"
            );
        }
        for (text, token) in [("a.b/c", "a.b"), ("é", ""), ("a=b", "a")] {
            assert_eq!(
                taken(text, |cursor| Ok(cursor.token())),
                Some(token),
                "{text}"
            );
        }
        for (text, quoted) in [
            ("\"a\" b", Some("\"a\"")),
            ("\"a\\\"b\"c", Some("\"a\\\"b\"")),
            ("\"a\\\\\"c", Some("\"a\\\\\"")),
            ("\"\"", Some("\"\"")),
            ("\"\\é\"", Some("\"\\é\"")),
            ("\"a\\\"", None),
            ("\"a\\", None),
            ("\"", None),
        ] {
            assert_eq!(taken(text, Cursor::quoted_string), quoted, "{text}");
        }
        for (text, comment) in [
            ("(a) b", Some("(a)")),
            ("(a (b) \\) c)d)", Some("(a (b) \\) c)")),
            ("(\")\"", Some("(\")")),
            ("((a)", None),
            ("(a\\)", None),
            ("(\\", None),
        ] {
            assert_eq!(taken(text, Cursor::comment), comment, "{text}");
        }
        for (text, literal) in [
            ("[1.2.3.4]x", Some("[1.2.3.4]")),
            ("[a,\"b]", Some("[a,\"b]")),
            ("[a", None),
        ] {
            assert_eq!(taken(text, Cursor::domain_literal), literal, "{text}");
        }
    }

    #[test]
    fn comments_may_be_deep() {
        let deep = "(".repeat(1_000_000) + &")".repeat(1_000_000);
        assert_eq!(taken(&deep, Cursor::comment), Some(deep.as_str()));
    }

    proptest! {
        /// Whatever comes, the cursor moves on, stays within the text and parts no character.
        #[test]
        fn no_text_confuses_it(text in "([ -~]|\\PC|[\r\n\t\0\"\\\\()\\[\\]<>,:;@.]){0,60}") {
            let mut cursor = Cursor::new(&text);
            while let Some(byte) = cursor.peek() {
                let start = cursor.position();
                let token = match byte {
                    b'"' => cursor.quoted_string(),
                    b'(' => cursor.comment(),
                    b'[' => cursor.domain_literal(),
                    _ => Ok(cursor.atom()),
                };
                if let Ok(range) = token {
                    prop_assert_eq!((range.start, range.end), (start, cursor.position()));
                    prop_assert!(text.get(range).is_some());
                } else {
                    prop_assert_eq!(cursor.peek(), None);
                }
                if cursor.position() == start {
                    cursor.bump();
                    while !text.is_char_boundary(cursor.position()) {
                        cursor.bump();
                    }
                }
            }
            prop_assert_eq!(cursor.position(), text.len());
        }
    }
}
