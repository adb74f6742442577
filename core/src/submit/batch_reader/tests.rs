use super::*;
use crate::submit::SubmitError;
use proptest::prelude::*;

/// What becomes of each entry: its text, or a word for why it is none.
fn entries(text: &[u8], format: BatchFormat, limit: usize, chunk: usize) -> Vec<(u64, String)> {
    let mut reader = BatchReader::new(format, limit);
    for bytes in text.chunks(chunk) {
        reader.feed(bytes);
    }
    reader.finish();
    assert!(reader.has_ended());
    let mut found = Vec::new();
    while !reader.is_empty() {
        assert_eq!(reader.position(), reader.ready.entries[0].position());
        for entry in reader.take() {
            let (Position::Line(number) | Position::Index(number)) = entry.position();
            let text = match entry.json {
                Ok(json) => String::from_utf8(json).unwrap(),
                Err(BatchError::TooLarge { .. }) => "(too large)".to_owned(),
                Err(BatchError::NotAnArray) => "(no array)".to_owned(),
                Err(BatchError::Submit(SubmitError::Problems(problems))) => {
                    assert!(problems.is_not_json());
                    "(broken)".to_owned()
                }
                Err(error) => panic!("{error}"),
            };
            found.push((number, text));
        }
    }
    assert_eq!(reader.ready.bytes, 0);
    found
}

fn assert_entries(text: &str, format: BatchFormat, limit: usize, expected: &[(u64, &str)]) {
    for chunk in [1, 2, 3, 7, 1_000] {
        let found = entries(text.as_bytes(), format, limit, chunk);
        let found: Vec<_> = found.iter().map(|(n, text)| (*n, text.as_str())).collect();
        assert_eq!(found, expected, "{text:?} by {chunk}");
    }
}

#[test]
fn lines_are_messages() {
    for (text, expected) in [
        ("", &[][..]),
        ("\n \r\n\t", &[]),
        ("\u{feff}", &[]),
        ("{}", &[(1, "{}")]),
        ("{}\n", &[(1, "{}")]),
        (
            "\u{feff}{}\r\n\r\n[1]\n",
            &[(1, "\u{feff}{}\r"), (3, "[1]")],
        ),
        ("\n\n1\n\"\n\n2", &[(3, "1"), (4, "\""), (6, "2")]),
        (
            "12345678\n123456789\n1",
            &[(1, "12345678"), (2, "(too large)"), (3, "1")],
        ),
        ("123456789", &[(1, "(too large)")]),
        ("1\n\n\n\n\n\n\n\n\n\n2", &[(1, "1"), (11, "(too large)")]),
    ] {
        assert_entries(text, BatchFormat::Lines, 8, expected);
    }
}

#[test]
fn elements_are_messages() {
    for (text, expected) in [
        ("[]", &[][..]),
        (" \u{feff}[]", &[(0, "(no array)")]),
        ("\u{feff}\u{feff}[]", &[(0, "(no array)")]),
        ("\u{feff} [ ] \n", &[]),
        ("[{}]", &[(0, "{}")]),
        (
            "[ 1 ,[2,3]\n,{\"4\":[5]}]",
            &[(0, " 1 "), (1, "[2,3]\n"), (2, "{\"4\":[5]}")],
        ),
        (r#"["],[\"", "\\"]"#, &[(0, r#""],[\"""#), (1, r#" "\\""#)]),
        ("[1", &[(0, "(broken)")]),
        ("[1,", &[(0, "1"), (1, "(broken)")]),
        ("[1,]", &[(0, "1"), (1, "(broken)")]),
        ("[,1]", &[(0, "(broken)")]),
        ("[1 2,3]", &[(0, "(broken)")]),
        ("[1,}2,3]", &[(0, "1"), (1, "(broken)")]),
        ("[1] 2", &[(0, "1"), (1, "(broken)")]),
        ("[1]]", &[(0, "1"), (1, "(broken)")]),
        ("[\"1\"\",{\",2]", &[(0, "(broken)")]),
        ("", &[(0, "(no array)")]),
        ("\u{feff}", &[(0, "(no array)")]),
        ("{\"a\":[1]}", &[(0, "(no array)")]),
        ("\"[1]\"", &[(0, "(no array)")]),
        (
            "[1,\"0123456789012345\",3]",
            &[(0, "1"), (1, "(too large)"), (2, "3")],
        ),
        ("[\"0123456789012345\"]", &[(0, "(too large)")]),
        ("[               1]", &[(0, "               1")]),
        ("                 [1]", &[(0, "(too large)")]),
    ] {
        assert_entries(text, BatchFormat::Array, 16, expected);
    }
}

#[test]
fn half_a_mark_begins_no_array() {
    for before in [&b"\xef"[..], b"\xef\xbb", b"\xef ", b"\xef\xbb\n", b"\xbf"] {
        let text = [before, b"[1]"].concat();
        for chunk in [1, 2, 100] {
            let found = entries(&text, BatchFormat::Array, 16, chunk);
            assert_eq!(found, [(0, "(no array)".to_owned())], "{before:?}");
        }
    }
}

#[test]
fn blanks_before_an_array_are_scanned_only_once() {
    let text = [&b" ".repeat(2 << 20)[..], b"[1]"].concat();
    let mut reader = BatchReader::new(BatchFormat::Array, 32 << 20);
    for byte in text.chunks(1) {
        reader.feed(byte);
        assert!(reader.buffered() <= 1);
    }
    reader.finish();
    assert_eq!(reader.take().len(), 1);
}

#[test]
fn deep_elements_need_no_stack() {
    let deep = format!("[{}{}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let found = entries(deep.as_bytes(), BatchFormat::Array, 1 << 22, 1 << 16);
    assert_eq!(found.len(), 1);
}

#[test]
fn groups_are_bounded() {
    let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
    reader.feed(&b"{}\n".repeat(100_000));
    assert!(reader.is_full());
    assert_eq!(reader.take().len(), 256);
    assert_eq!(reader.position(), Position::Line(257));
    let mut reader = reader.with_group(1_000);
    assert!(reader.is_full());
    assert_eq!(reader.take().len(), 1_000);
    let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
    for _ in 0..3 {
        reader.feed(&b"x".repeat(20 << 20));
        reader.feed(b"\n");
        assert!(reader.is_full());
    }
    assert_eq!((reader.take().len(), reader.buffered()), (1, 40 << 20));
}

proptest! {
    /// What serde_json writes comes out as it went in, as lines and as an array.
    #[test]
    fn values_come_out_as_they_went_in(texts in prop::collection::vec(".{0,8}", 0..6), chunk in 1usize..20) {
        let values: Vec<_> = texts.iter().map(|text| serde_json::json!({text: [text, {}]}).to_string()).collect();
        let array = format!("[{}]", values.join(","));
        let lines = values.join("\n");
        for (text, format) in [(array, BatchFormat::Array), (lines, BatchFormat::Lines)] {
            let found = entries(text.as_bytes(), format, 1 << 20, chunk);
            let found: Vec<_> = found.into_iter().map(|(_, text)| text).collect();
            prop_assert_eq!(&found, &values);
        }
    }
}
