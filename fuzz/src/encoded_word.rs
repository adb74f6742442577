//! The judge of texts in headers.

use crate::message;
use pmtaemail::outbox::Mail;
use pmtaemail::{add_missing_fields, text_of_local_program};
use serde_json::json;

/// Judges bytes as a text that goes into a header, and as a header that is read.
pub fn judge(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mail = json!({
        "from": {"name": text, "address": "ann@example.com"}, "to": [{"name": text, "address": "bo@example.org"}],
        "subject": text, "headers": {"X-A": text}, "attachments": [{"filename": text, "content": "eA=="}],
    });
    message::judge(mail.to_string().as_bytes());
    for field in ["subject", "name", "value", "filename"] {
        let mail = match field {
            "subject" => json!({"subject": text}),
            "name" => json!({"cc": {"name": text, "address": "cy@example.org"}}),
            "value" => json!({"headers": [{"name": "X-B", "value": [text, "b"]}]}),
            _ => json!({"attachments": [{"filename": text, "content": "eA=="}]}),
        };
        let mut whole = json!({"from": "ann@example.com", "to": "bo@example.org"});
        whole
            .as_object_mut()
            .expect("it is one")
            .extend(mail.as_object().cloned().expect("it is one"));
        message::judge(whole.to_string().as_bytes());
    }
    judge_reading(bytes);
}

/// What others wrote is shown whatever it is, and takes no more room than its charset can explain.
fn judge_reading(bytes: &[u8]) {
    let mail = [
        b"From: ",
        bytes,
        b" <a@b.example>\r\nSubject: ",
        bytes,
        b"\r\nX-A: ",
        bytes,
        b"\r\n\r\n",
    ]
    .concat();
    if let Some(mail) = Mail::read(&mail) {
        for field in &mail.headers {
            assert!(
                field.value.len() <= 8 * (bytes.len() + 100),
                "a field that grows"
            );
        }
        let mailboxes = mail.mailboxes("From");
        assert!(
            mailboxes.len() <= 2 + bytes.len(),
            "more mailboxes than bytes"
        );
    }
    let _ = add_missing_fields(&mail, &crate::address::DEFAULTS);
    drop(text_of_local_program(bytes));
}
