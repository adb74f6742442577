//! What is between the quotes of a quoted-string (RFC 5322 section 3.2.4, RFC 2045 section 5.1).

use std::borrow::Cow;

/// The characters that the quoted content represents, and whether a backslash preceded each of them. A backslash
/// reported without one is the last character of the content, with nothing to quote.
pub(crate) fn quoted_characters(content: &str) -> impl Iterator<Item = (char, bool)> + '_ {
    let mut characters = content.chars();
    std::iter::from_fn(move || match characters.next()? {
        '\\' => Some(characters.next().map_or(('\\', false), |c| (c, true))),
        c => Some((c, false)),
    })
}

/// The text that the quoted content represents.
pub(crate) fn unquote(content: Cow<'_, str>) -> Cow<'_, str> {
    if !content.contains('\\') {
        return content;
    }
    Cow::Owned(quoted_characters(&content).map(|(c, _)| c).collect())
}

/// The content of a quoted-string that represents `text`.
pub(crate) fn quote(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '\\']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::super::Cursor;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_backslash_quotes_what_follows() {
        assert_eq!(unquote("a \\\"b\\\" \\\\ \\c".into()), "a \"b\" \\ c");
        let characters: Vec<_> = quoted_characters("a\\é\\").collect();
        assert_eq!(characters, [('a', false), ('é', true), ('\\', false)]);
    }

    proptest! {
        #[test]
        fn quoting_comes_back(text in "([ -~]|\\PC|[\"\\\\]){0,60}") {
            let quoted = format!("\"{}\"", quote(&text));
            prop_assert_eq!(Cursor::new(&quoted).quoted_string(), Ok(0..quoted.len()));
            prop_assert_eq!(unquote(quote(&text)), text.as_str());
        }
    }
}
