//! Comments (RFC 5322 section 3.2.2), where they mean nothing.

use super::cursor::Cursor;
use std::borrow::Cow;

/// A text in which there are no quoted strings, trimmed, with a blank for each comment; `None` if one is not
/// closed.
pub(crate) fn without_comments(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('(') {
        return Some(Cow::Borrowed(text.trim()));
    }
    let mut plain = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text);
    while let Some(byte) = cursor.peek() {
        if byte == b'(' {
            cursor.comment().ok()?;
            plain.push(' ');
        } else {
            plain.push_str(&text[cursor.take_while(|byte| byte != b'(')]);
        }
    }
    Some(Cow::Owned(plain.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_blanks() {
        for (text, plain) in [
            ("1", Some("1")),
            (" 1 (Highest)\t", Some("1")),
            ("(a (b) \\) c)1(d)2", Some("1 2")),
            ("1 (", None),
            ("é (é)", Some("é")),
        ] {
            assert_eq!(without_comments(text).as_deref(), plain, "{text}");
        }
    }
}
