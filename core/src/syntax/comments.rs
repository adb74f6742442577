//! Comments (RFC 5322 section 3.2.2) where they are ignored.

use super::cursor::{Cursor, Unclosed};
use std::borrow::Cow;

/// White space, folded or not. Other white space of Unicode is text, which must not get lost.
const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// The text with a blank in place of each comment, trimmed. Quoted strings are not changed.
pub(crate) fn without_comments(text: &str) -> Result<Cow<'_, str>, Unclosed> {
    if !text.contains('(') {
        return Ok(Cow::Borrowed(text.trim_matches(BLANKS)));
    }
    let mut plain = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text);
    while let Some(byte) = cursor.peek() {
        match byte {
            b'(' => {
                cursor.comment()?;
                plain.push(' ');
            }
            b'"' => plain.push_str(&text[cursor.quoted_string()?]),
            _ => {
                let rest = cursor.take_while(|byte| !matches!(byte, b'(' | b'"'));
                plain.push_str(&text[rest]);
            }
        }
    }
    Ok(Cow::Owned(plain.trim_matches(BLANKS).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_blanks() {
        for (text, plain) in [
            ("1", Ok("1")),
            (" 1 (Highest)\t", Ok("1")),
            ("(a (b) \\) c)1(d)2", Ok("1 2")),
            ("\"a (b) \\\" c\" (d) e", Ok("\"a (b) \\\" c\"   e")),
            ("1 (", Err(Unclosed)),
            ("(a) \"b", Err(Unclosed)),
            ("é (é)", Ok("é")),
            ("\u{a0}1 (x)\r\n ", Ok("\u{a0}1")),
            ("\u{2028}", Ok("\u{2028}")),
        ] {
            assert_eq!(
                without_comments(text).as_deref(),
                plain.as_ref().map(|plain| *plain),
                "{text}"
            );
        }
    }
}
