//! Unstructured field bodies (RFC 5322 section 3.2.5).

use super::Signs;
use super::field::{Field, LINE, has_fragile_blanks, looks_encoded};
use encodify::rfc2047::{Q_PHRASE, Q_TEXT};

/// Writes `text` so that every reader gets exactly that text back. It is encoded if a word is too long for a line
/// (unless it `may_be_long`) or if it contains other characters than `signs`.
pub(super) fn write(mut field: Field<'_>, text: &str, may_be_long: bool, signs: Signs) {
    let folds = may_be_long || folds(text, field.room());
    let (folds, q) = if signs == Signs::All {
        (folds, Q_TEXT)
    } else {
        (folds && !signs.exclude_any_of(text), Q_PHRASE)
    };
    if text.is_empty() {
        return field.end();
    }
    if needs_encoding(text) || !folds {
        field.encoded_words(text, q);
    } else if text.len() <= field.room() {
        field.token(&[text.as_bytes()]);
    } else {
        for word in text.split(' ') {
            field.token(&[word.as_bytes()]);
        }
    }
    field.end();
}

/// Whether a reader would not get the text back if it were written as it is.
pub(crate) fn needs_encoding(text: &str) -> bool {
    !text.is_ascii() || looks_encoded(text) || has_fragile_blanks(text)
}

/// Whether folding at blanks keeps every line within the limit, with this much `room` on the first one. The first word
/// stays there: a line with only a name is legal, but some readers lose it.
pub(crate) fn folds(text: &str, room: usize) -> bool {
    let mut words = text.split(' ');
    words.next().is_some_and(|first| first.len() <= room) && words.all(|word| word.len() < LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write(Field::begin(&mut out, "Subject"), text, false, Signs::All);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(written(""), "Subject:\r\n");
        assert_eq!(written("Hello world"), "Subject: Hello world\r\n");
        assert_eq!(written("a = b ? c"), "Subject: a = b ? c\r\n");
    }

    #[test]
    fn long_text_folds_at_blanks() {
        let text = "word ".repeat(40);
        let field = written(text.trim_end());
        assert!(field.split("\r\n").all(|line| line.len() <= 78), "{field}");
        assert_eq!(
            field.replace("\r\n ", " ").trim_end(),
            format!("Subject: {}", text.trim_end())
        );
    }

    #[test]
    fn what_folding_would_change_is_encoded() {
        for text in [
            " a",
            "a ",
            "a  b",
            "a\tb",
            "=?utf-8?q?x?=",
            "é",
            &"x".repeat(80),
            " ",
        ] {
            let field = written(text);
            assert!(field.starts_with("Subject: =?utf-8?"), "{field}");
            assert!(field.split("\r\n").all(|line| line.len() <= 76), "{field}");
            let decoded = encodify::rfc2047::decode_text(
                field.strip_prefix("Subject: ").unwrap().as_bytes(),
                encodify::rfc2047::utf8_charset,
            );
            assert_eq!(decoded, text);
        }
    }
}
