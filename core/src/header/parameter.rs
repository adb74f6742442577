//! Parameters of structured fields (RFC 2045 section 5.1, RFC 2231).

use super::Signs;
use super::field::{Field, has_fragile_blanks, looks_encoded};
use crate::syntax::{Class, quote};
use encodify::hex::PERCENT;

/// The longest value that is written as it is; longer ones are split into sections that fit in a line.
const LONGEST_PLAIN: usize = 60;
/// A line without its leading blank and the semicolon that may follow.
const LINE_ROOM: usize = 76;

/// Writes `; name=value`. A value that is not plain ASCII, or contains other characters than `signs`, is written in RFC
/// 2231's form, split into sections if it is long: every reader joins those, unlike a quoted string that is folded.
pub(super) fn write(field: &mut Field<'_>, name: &str, value: &str, signs: Signs) {
    // RFC 2231 gives these a meaning that some readers look for everywhere.
    if is_token(value) && !value.contains(['\'', '*', '%']) {
        field.parameter(&[name.as_bytes(), b"=", value.as_bytes()]);
    } else if is_plain_parameter(value) && !signs.exclude_any_of(value) {
        let escaped = quote(value);
        field.parameter(&[name.as_bytes(), b"=\"", escaped.as_bytes(), b"\""]);
    } else {
        write_extended(field, name, value);
    }
}

/// `name*=UTF-8''value`, or `name*0*=UTF-8''value; name*1*=…`.
fn write_extended(field: &mut Field<'_>, name: &str, value: &str) {
    const CHARSET: &str = "UTF-8''";

    let mut text = format!("{name}*={CHARSET}");
    value
        .chars()
        .for_each(|character| push_encoded(character, &mut text));
    if text.len() <= LINE_ROOM {
        field.parameter(&[text.as_bytes()]);
        return;
    }
    let mut section = 0;
    text = format!("{name}*0*={CHARSET}");
    for character in value.chars() {
        let end = text.len();
        push_encoded(character, &mut text);
        // Another section, before this character.
        if text.len() > LINE_ROOM {
            section += 1;
            let next = text.split_off(end);
            field.parameter(&[text.as_bytes()]);
            text = format!("{name}*{section}*={next}");
        }
    }
    field.parameter(&[text.as_bytes()]);
}

/// Whether every reader gets the value back from a quoted string.
pub(crate) fn is_plain_parameter(value: &str) -> bool {
    value.len() <= LONGEST_PLAIN
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && !looks_encoded(value)
        && !has_fragile_blanks(value)
}

/// Whether the text is a token (RFC 2045 section 5.1) that fits in a line.
pub(crate) fn is_token(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= LONGEST_PLAIN
        && value.bytes().all(|byte| Class::TOKEN.has(byte))
}

/// Appends a character as in an extended value (RFC 2231 section 7). Braces are encoded: RFC 2231 allows them, but RFC
/// 8187, HTTP's profile of it, does not.
fn push_encoded(character: char, text: &mut String) {
    match character {
        '{' => text.push_str("%7B"),
        '}' => text.push_str("%7D"),
        _ => {
            PERCENT.encode_append(character.encode_utf8(&mut [0; 4]), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> String {
        let mut out = Vec::new();
        let mut field = Field::begin(&mut out, "X");
        field.token(&[b"attachment"]);
        write(&mut field, "filename", value, Signs::All);
        field.end();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_take_the_plainest_form_that_keeps_them() {
        for (value, form) in [
            ("a.pdf", "; filename=a.pdf\r\n"),
            ("a b.pdf", "; filename=\"a b.pdf\"\r\n"),
            ("a\"b\\.pdf", "; filename=\"a\\\"b\\\\.pdf\"\r\n"),
            ("é.pdf", "; filename*=UTF-8''%C3%A9.pdf\r\n"),
            ("a  b", "; filename*=UTF-8''a%20%20b\r\n"),
            ("{é}", "; filename*=UTF-8''%7B%C3%A9%7D\r\n"),
            ("=?x?=", "; filename*=UTF-8''%3D%3Fx%3F%3D\r\n"),
        ] {
            assert_eq!(written(value), format!("X: attachment{form}"));
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let field = written(&"é".repeat(60));
        assert!(field.split("\r\n").all(|line| line.len() <= 78), "{field}");
        assert!(field.contains("filename*0*=UTF-8''") && field.contains(" filename*5*="));
        assert!(!field.contains("%C3;") && !field.contains("%C3\r"));
    }
}
