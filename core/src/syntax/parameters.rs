//! Parameters of structured fields (RFC 2045 section 5.1): `; name=value; name="value"`.

use super::cursor::Cursor;
use super::quoted_string::{quoted_characters, unquote};
use std::borrow::Cow;

/// One parameter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parameter<'t> {
    pub name: &'t str,
    pub value: Cow<'t, str>,
    pub is_quoted: bool,
}

/// Something other than a parameter where there should be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The next parameter of `text`; `None` at its end. The cursor is after the previous value, or after what the field has
/// before its first parameter.
pub(crate) fn next_parameter<'t>(
    text: &'t str,
    cursor: &mut Cursor<'t>,
) -> Result<Option<Parameter<'t>>, Malformed> {
    cursor.skip_blanks();
    let has_semicolon = cursor.eat(b';');
    cursor.skip_blanks();
    match cursor.peek() {
        None => Ok(None),
        Some(_) if has_semicolon => parameter(text, cursor).map(Some).ok_or(Malformed),
        Some(_) => Err(Malformed),
    }
}

fn parameter<'t>(text: &'t str, cursor: &mut Cursor<'t>) -> Option<Parameter<'t>> {
    let name = &text[cursor.token()];
    cursor.skip_blanks();
    if name.is_empty() || !cursor.eat(b'=') {
        return None;
    }
    cursor.skip_blanks();
    let is_quoted = cursor.peek() == Some(b'"');
    let value = if is_quoted {
        let quoted = cursor.quoted_string().ok()?;
        let content = &text[quoted.start + 1..quoted.end - 1];
        let is_text = |(c, is_quoted): (char, bool)| is_quoted || !c.is_control();
        quoted_characters(content)
            .all(is_text)
            .then(|| unquote(Cow::Borrowed(content)))?
    } else {
        let token = &text[cursor.token()];
        (!token.is_empty()).then_some(Cow::Borrowed(token))?
    };
    cursor.skip_blanks();
    matches!(cursor.peek(), None | Some(b';')).then_some(Parameter {
        name,
        value,
        is_quoted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, Malformed> {
        let mut cursor = Cursor::new(text);
        let mut found = Vec::new();
        while let Some(parameter) = next_parameter(text, &mut cursor)? {
            found.push((parameter.name.to_owned(), parameter.value.into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn parameters_are_read() {
        for (text, expected) in [
            ("", &[] as &[_]),
            (" ; ", &[]),
            ("; a=b;c = \"d;\\\"e\" ;", &[("a", "b"), ("c", "d;\"e")]),
        ] {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(read(text), Ok(expected), "{text}");
        }
        for text in [
            "a=b",
            ";;",
            "; a",
            "; a=",
            "; a=b c",
            "; a=\"b",
            "; a=\"\t\"",
            "; é=b",
        ] {
            assert_eq!(read(text), Err(Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "([ -~]|\\PC|[\r\n\t\0\"\\\\;=]){0,60}") {
            let _ = read(&text);
        }

        /// A value in quotes comes back whole.
        #[test]
        fn quoted_values_come_back(value in "([ -~]|\\PC|[\"\\\\;]){0,40}") {
            let text = format!("; a=\"{}\"; b=c", super::super::quote(&value));
            let expected = vec![("a".to_owned(), value), ("b".to_owned(), "c".to_owned())];
            prop_assert_eq!(read(&text), Ok(expected));
        }
    }
}
