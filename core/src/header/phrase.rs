//! Display names: phrases of RFC 5322 section 3.2.5.

use super::Signs;
use super::field::Field;
use super::text::needs_encoding;
use crate::syntax::{is_atext, quote};
use encodify::rfc2047::Q_PHRASE;

/// The longest name that is a single token; a longer one is encoded, so that it can be folded.
const LONGEST_TOKEN: usize = 70;

/// Writes a name as words if possible, in quotes if necessary, and encoded if nothing else preserves it or if it would
/// need other characters than `signs`.
pub(super) fn write(field: &mut Field<'_>, name: &str, signs: Signs) {
    if is_encoded(name, signs) {
        field.encoded_words(name, Q_PHRASE);
    } else if !is_words(name) {
        field.token(&[b"\"", quote(name).as_bytes(), b"\""]);
    } else {
        field.token(&[name.as_bytes()]);
    }
}

/// Whether a name is written as encoded words.
pub(super) fn is_encoded(name: &str, signs: Signs) -> bool {
    let may_be_quoted = !signs.exclude('"') && !signs.exclude_any_of(name);
    let length = name.len() + name.matches(['"', '\\']).count();
    needs_encoding(name) || length > LONGEST_TOKEN || !(may_be_quoted || is_words(name))
}

/// Whether a name is written as it is, without quotes.
pub(super) fn is_plain(name: &str) -> bool {
    !is_encoded(name, Signs::Definable)
}

/// Whether the name, which is ASCII, is made of atoms alone (RFC 5322 section 3.2.3).
fn is_words(name: &str) -> bool {
    name.chars().all(|c| c == ' ' || is_atext(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_take_the_plainest_form_that_keeps_them() {
        for (name, form) in [
            ("Jim", " Jim"),
            ("Ann Lee", " Ann Lee"),
            ("Lee, Ann", " \"Lee, Ann\""),
            ("J. Lee", " \"J. Lee\""),
            ("a \"b\" \\c", " \"a \\\"b\\\" \\\\c\""),
            ("Jörg", " =?utf-8?B?SsO2cmc=?="),
            ("Jörg of the Hill", " =?utf-8?Q?J=C3=B6rg_of_the_Hill?="),
            ("=?utf-8?Q?x?=", " =?utf-8?B?PT91dGYtOD9RP3g/PQ==?="),
            ("two  blanks", " =?utf-8?Q?two__blanks?="),
            // With its escapes it would be too long for a line.
            (
                &"\"".repeat(36),
                " =?utf-8?B?IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIi?=",
            ),
        ] {
            let mut out = Vec::new();
            write(&mut Field::begin(&mut out, "To"), name, Signs::All);
            assert_eq!(String::from_utf8(out).unwrap(), format!("To:{form}"));
        }
    }
}
