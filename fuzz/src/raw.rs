//! The judge of finished messages: they are left as they are, but for what is documented.

use crate::fields::Fields;
use crate::wire;
use encodify::base64;
use pmtaemail::outbox::SentMessage;
use serde_json::Value;

/// Judges a message of which `raw` was this.
pub fn judge_json(raw: &Value, has_recipients: bool, sent: &SentMessage) {
    let fields = Fields::of(raw);
    let text = raw.as_str().or_else(|| fields.text("content"));
    let text = text.expect("a message that was taken has a content");
    let is_base64 = fields
        .text("encoding")
        .is_some_and(|word| word.eq_ignore_ascii_case("base64"));
    if !is_base64 {
        judge(text.as_bytes(), has_recipients, &sent.bytes);
    } else if let Ok(content) = base64::STANDARD.decode(text) {
        judge(&content, has_recipients, &sent.bytes);
    }
}

/// Judges what became of a finished message.
pub fn judge(given: &[u8], has_recipients: bool, sent: &[u8]) {
    assert!(
        sent.ends_with(b"\r\n"),
        "the last line does not end with CRLF"
    );
    for line in wire::lines(sent) {
        assert!(line.len() <= 998, "a line of more than 998 octets");
        assert!(
            !line.iter().any(|byte| b"\r\n\0".contains(byte)),
            "a bare CR or LF, or a NUL"
        );
    }
    let given = with_crlf(given);
    let (given_head, given_body) = parts(&given);
    let (sent_head, sent_body) = parts(sent);
    assert!(
        given_body == sent_body || given_body.is_empty() && sent_body == b"",
        "another body"
    );
    let mut given: Vec<_> = fields(given_head);
    for field in fields(sent_head) {
        match given.iter().position(|other| *other == field) {
            Some(at) => drop(given.remove(at)),
            None => assert!(
                is_named(field, &["date", "message-id"]),
                "a field that was not given"
            ),
        }
    }
    for field in given {
        let is_blind = is_named(field, &["bcc", "resent-bcc"]) && !has_recipients;
        assert!(
            is_blind || is_named(field, &["date", "message-id"]),
            "a field is lost"
        );
    }
    let blind = fields(sent_head)
        .into_iter()
        .find(|field| is_named(field, &["bcc", "resent-bcc"]));
    assert!(blind.is_none(), "blind recipients are shown");
}

fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(message.len() + 4);
    let mut bytes = message.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' => {
                bytes.next_if(|next| **next == b'\n');
                lines.extend_from_slice(b"\r\n");
            }
            b'\n' => lines.extend_from_slice(b"\r\n"),
            other => lines.push(*other),
        }
    }
    if !lines.ends_with(b"\r\n") {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

/// Header section and body.
fn parts(message: &[u8]) -> (&[u8], &[u8]) {
    match message.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(end) => (&message[..end + 2], &message[end + 4..]),
        None => (message, b""),
    }
}

/// The fields with their folds.
fn fields(head: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    let mut start = 0;
    let mut end = 0;
    for line in wire::lines(head) {
        let is_fold = line.starts_with(b" ") || line.starts_with(b"\t");
        if !is_fold && end > start {
            fields.push(&head[start..end]);
            start = end;
        }
        end += line.len() + 2;
    }
    fields.push(&head[start..end.min(head.len())]);
    fields
}

fn is_named(field: &[u8], names: &[&str]) -> bool {
    let name = field
        .split(|byte| *byte == b':')
        .next()
        .unwrap_or_default()
        .trim_ascii_end();
    names
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
}
