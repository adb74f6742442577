//! White space in structured bodies (RFC 5322 section 3.2.2).

use super::super::field::has_fragile_blanks;
use super::unclosed;
use crate::problem::Refusal;
use crate::syntax::Cursor;
use std::borrow::Cow;

/// The body with one space for each run of white space, and none at either end. Quoted strings are not changed, nor, in
/// a body `of_urls`, what is in angle brackets: a parenthesis there starts no comment.
pub(crate) fn single_spaced<'a>(
    text: &Cow<'a, str>,
    of_urls: bool,
) -> Result<Cow<'a, str>, Refusal> {
    if !has_fragile_blanks(text) {
        return Ok(text.clone());
    }
    let mut spaced = String::with_capacity(text.len());
    let mut cursor = Cursor::new(text.as_ref());
    loop {
        let blanks = cursor.position();
        cursor.skip_blanks();
        let start = cursor.position();
        let Some(byte) = cursor.peek() else {
            return Ok(Cow::Owned(spaced));
        };
        if start > blanks && !spaced.is_empty() {
            spaced.push(' ');
        }
        match byte {
            b'"' if !of_urls => {
                cursor.quoted_string().map_err(unclosed)?;
            }
            b'<' if of_urls => {
                cursor.take_while(|byte| byte != b'>');
            }
            b'(' => {
                let comment = cursor.comment().map_err(unclosed)?;
                let words = text[comment].split([' ', '\t']);
                let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
                spaced.push_str(&words.join(" "));
                continue;
            }
            _ => {
                cursor.bump();
                cursor.take_while(|byte| !matches!(byte, b' ' | b'\t' | b'"' | b'(' | b'<'));
            }
        }
        spaced.push_str(&text[start..cursor.position()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn white_space_becomes_one_space() {
        for (text, spaced) in [
            ("a", "a"),
            (" a\t\tb  c ", "a b c"),
            ("a \"b  c\"  d", "a \"b  c\" d"),
            ("a  (b  (c\td) )e ", "a (b (c d) )e"),
            ("é  è", "é è"),
            ("<a  b> ", "<a b>"),
            ("\t", ""),
        ] {
            assert_eq!(single_spaced(&text.into(), false).unwrap(), spaced);
        }
        let urls = "<https://a/(b>,  <c> ";
        assert_eq!(
            single_spaced(&urls.into(), true).unwrap(),
            "<https://a/(b>, <c>"
        );
        for text in ["\"a  b", "a  (b"] {
            assert!(single_spaced(&text.into(), false).is_err());
        }
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_changes(text in "([ -~é]|[\t \"\\\\()<>,])[ -~é\t]{0,40}", of_urls: bool) {
            if let Ok(spaced) = single_spaced(&text.as_str().into(), of_urls) {
                let letters = |text: &str| text.replace([' ', '\t'], "");
                prop_assert_eq!(letters(&spaced), letters(&text));
                prop_assert_eq!(&single_spaced(&spaced, of_urls).unwrap(), &spaced);
            }
        }
    }
}
