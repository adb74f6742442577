use super::*;
use crate::{Code, Identity, Message, PickupOptions, Problem, Problems};

fn streamed(text: &str, format: StreamFormat) -> StreamedMessage {
    let mut stream = MessageStream::new(format);
    for bytes in text.as_bytes().chunks(7) {
        stream.feed(bytes, None).unwrap();
    }
    stream.finish()
}

const HEAD: &str = r#""from": "a@example.com", "text": "Hello", "template": "merge""#;
const RAW: &str = r#"{"raw": "Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\r\nHello\r\n", "to": "b@example.org"}"#;

/// The same merge as one object, and as lines.
fn merges() -> [StreamedMessage; 2] {
    let recipients = [r#""b@example.org""#, r#"{"address": "c@example.org"}"#];
    let object = format!("{{{HEAD}, \"recipients\": [{}]}}", recipients.join(","));
    let lines = format!("{{{HEAD}}}\n\n{}\n", recipients.join("\n"));
    [
        streamed(&object, StreamFormat::Json),
        streamed(&lines, StreamFormat::Ndjson),
    ]
}

fn codes(result: Result<impl Sized, SubmitError>) -> Vec<String> {
    match result {
        Err(SubmitError::Problems(problems)) => {
            let code =
                |problem: &Problem| format!("{} {}", problem.pointer(), problem.code().as_str());
            problems.iter().map(code).collect()
        }
        Err(error) => panic!("{error}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn a_merge_is_rendered_for_one_recipient() {
    for index in 0..3 {
        for merge in merges() {
            let rendered = merge.render_recipient(index).unwrap();
            let text = rendered.map(|bytes| String::from_utf8(bytes).unwrap());
            let expected = match index {
                0 => Some("To: b@example.org\r\n"),
                1 => Some("To: c@example.org\r\n"),
                _ => None,
            };
            assert_eq!(text.is_some(), expected.is_some());
            assert!(text.is_none_or(|text| text.contains(expected.unwrap())));
        }
    }
    let plain = || streamed(RAW, StreamFormat::Json);
    let rendered = plain().render_recipient(9).unwrap();
    assert!(rendered.unwrap().ends_with(b"Hello\r\n"));
}

#[test]
fn files_are_counted() {
    for merge in merges() {
        let (file, count) = merge.pickup_file(1).unwrap();
        assert_eq!((file.unwrap().name().contains("-1"), count), (true, 1));
    }
    let (file, count) = streamed(RAW, StreamFormat::Json).pickup_file(2).unwrap();
    assert!(file.is_none() && count == 1);
}

#[test]
fn lines_that_are_messages_are_reported() {
    let one = r#"{"from": "a@example.com", "to": "b@example.org"}"#;
    let lines = format!("{one}\n{one}\n{one}\n");
    let told = |json: &str, format| match streamed(json, format).check() {
        Err(SubmitError::Problems(problems)) => problems.to_string(),
        other => panic!("{other:?}"),
    };
    let problems = told(&lines, StreamFormat::Ndjson);
    assert!(
        problems.starts_with("/recipients/0: wrong_type: This line is a message, "),
        "{problems}"
    );
    assert_eq!(problems.lines().count(), 1);
    assert!(told(&lines, StreamFormat::Json).contains("There is more JSON"));
    let merge = "{\"from\": \"a@example.com\"}\n{\"address\": \"b@example.org\", \"too\": 1}";
    assert!(told(merge, StreamFormat::Ndjson).contains("unknown_field"));
}

#[test]
fn recipients_may_come_in_the_format_of_another_service() {
    let text =
        r#"{"content": 1, "recipients": [{"a": "b@example.org"}, {"a": "nobody"}, {"x": 1}]}"#;
    let message = streamed(text, StreamFormat::Json);
    assert_eq!(message.json(), br#"{"content": 1, "recipients": []}"#);
    let head = format!(r#"{{{HEAD}, "recipients": []}}"#).into_bytes();
    let translate = |index: usize, bytes: &[u8], out: &mut Vec<u8>| {
        let value: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        let address = value.get("a").ok_or_else(|| {
            let pointer = format!("/recipients/{index}/a");
            Problems::one(Problem::found(
                Code::MissingField,
                pointer,
                "There is no `a`.",
            ))
        })?;
        out.extend(serde_json::to_vec(&serde_json::json!({"address": address})).unwrap());
        Ok(())
    };
    let problems = codes(message.with_translation(head, translate).check());
    let expected = [
        "/recipients/1/address invalid_address",
        "/recipients/2/a missing_field",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn many_recipients_need_a_way_to_unsubscribe_wherever_they_come_from() {
    let warnings = |head: &str, first: &str, count: usize, lines: bool| {
        let others = vec!["\"b@example.org\""; count - 1];
        let recipients: Vec<_> = [first].into_iter().chain(others).collect();
        let (text, format) = if lines {
            let text = format!("{{{head}}}\nnull\n\n{}\n", recipients.join("\n"));
            (text, StreamFormat::Ndjson)
        } else {
            let recipients = recipients.join(",");
            (
                format!(r#"{{{head}, "recipients": [null, {recipients}]}}"#),
                StreamFormat::Json,
            )
        };
        let found = streamed(&text, format).warnings().unwrap();
        let whole = format!(r#"{{{head}, "recipients": [{}]}}"#, recipients.join(","));
        assert_eq!(found, crate::warnings(whole.as_bytes()));
        found
            .into_iter()
            .map(|warning| warning.code)
            .collect::<Vec<_>>()
    };
    let way = r#""headers": {"List-Unsubscribe": "<mailto:a@example.com>"}"#;
    let own = format!(r#"{{"address": "b@example.org", {way}}}"#);
    let head_with_way = format!("{HEAD}, {way}");
    let plain = "\"b@example.org\"";
    for lines in [false, true] {
        assert_eq!(
            warnings(HEAD, plain, 5_001, lines),
            [Code::MissingUnsubscribe]
        );
        assert_eq!(warnings(HEAD, plain, 5_000, lines), []);
        assert_eq!(warnings(HEAD, &own, 5_001, lines), []);
        assert_eq!(warnings(&head_with_way, plain, 5_001, lines), []);
    }
    let text = r#"{"content": 1, "recipients": [{"a": 1}]}"#;
    let head = format!(r#"{{{HEAD}, "subject": "*|X|*", "recipients": []}}"#).into_bytes();
    let translated = streamed(text, StreamFormat::Json).with_translation(head, |_, _, _| Ok(()));
    let found = translated.warnings().unwrap();
    assert_eq!(found[0].code, Code::ForeignPlaceholder);
}

#[test]
fn blank_lines_are_not_recipients() {
    let long = format!("\"{}\"", "x".repeat(5 << 20));
    let lines = format!("{{{HEAD}}}\n\"b@example.org\"\n\n \n\n{long}\n");
    let problems = codes(streamed(&lines, StreamFormat::Ndjson).check());
    assert_eq!(problems, ["/recipients/1 too_long"]);
}

#[test]
fn the_receipt_describes_the_submitted_file() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
    let [object, lines] = merges().map(|merge| merge.submit(&directory).unwrap());
    let plain = streamed(RAW, StreamFormat::Json).submit(&directory);
    for (receipt, recipients) in [(object, 2), (lines, 2), (plain.unwrap(), 1)] {
        let [name] = &receipt.files[..] else {
            panic!("not one file")
        };
        assert!(name.starts_with(receipt.id.as_str()));
        let size = std::fs::metadata(temporary.path().join(name))
            .unwrap()
            .len();
        assert_eq!((receipt.recipients, receipt.size), (recipients, size));
        assert_eq!(receipt.message_id.is_none(), recipients == 2);
        assert_eq!(receipt.envelope_ids.is_some(), recipients == 2);
    }
}

#[test]
fn an_identity_may_be_given() {
    let temporary = tempfile::tempdir().unwrap();
    let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
    let [one, other] = merges().map(|merge| {
        let identity = Identity::now();
        let receipt = merge.with_identity(identity).submit(&directory).unwrap();
        assert_eq!(receipt.id, identity.id());
        identity
    });
    assert_ne!(one, other);
    for merge in merges() {
        let rendered = merge
            .with_identity(one)
            .render_recipient(0)
            .unwrap()
            .unwrap();
        assert!(
            String::from_utf8(rendered)
                .unwrap()
                .contains(one.id().as_str())
        );
    }
    for merge in merges() {
        let (file, _) = merge.with_identity(one).pickup_file(1).unwrap();
        assert!(file.unwrap().name().starts_with(one.id().as_str()));
    }
    let message = Message::from_json(RAW.as_bytes()).unwrap();
    let receipt = directory.submit_message_with(&message, one).unwrap();
    assert_eq!(receipt.id, one.id());
    let again = directory.submit_message_with(&message, one).unwrap_err();
    assert_eq!(again.kind(), crate::PickupErrorKind::AlreadyExists);
}

#[test]
fn recipients_after_a_finished_message_are_refused() {
    for lines in ["\"c@example.org\"", "\n1", "{}"] {
        let text = format!("{RAW}\n{lines}");
        let found = codes(streamed(&text, StreamFormat::Ndjson).check());
        assert!(!found.is_empty(), "{lines}");
    }
    let text = format!("{RAW}\n\"c@example.org\"\n");
    let found = codes(streamed(&text, StreamFormat::Ndjson).render_recipient(0));
    assert_eq!(found, ["/raw conflict"]);
    let array = RAW.replace('}', r#", "recipients": ["c@example.org"]}"#);
    let found = codes(streamed(&array, StreamFormat::Json).check());
    assert_eq!(found, ["/recipients conflict"]);
}
