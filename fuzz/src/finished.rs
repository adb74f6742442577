//! The judge of finished messages, behind each door that takes them.

use crate::address::DEFAULTS;
use crate::{raw, refusal};
use pmtaemail::outbox::{Mail, SentMessage};
use pmtaemail::{
    HeaderAddresses, Message, PickupDirectory, Problems, Submission, add_missing_fields,
    header_recipients,
};

/// Judges bytes as a message.
pub fn judge(mail: &[u8]) {
    let none: [(&str, &str); 0] = [];
    let sent = submit(Message::from_rfc822(mail, &none));
    if let Some(sent) = &sent {
        raw::judge(mail, false, &sent.bytes);
        // Whom the header names, as a local program's header is read.
        let named = header_recipients(&crlf(mail)).addresses;
        for recipient in &sent.recipients {
            assert!(
                named.iter().any(|address| address.as_str() == recipient),
                "a recipient whom nobody named"
            );
        }
    }
    let envelope = [
        ("sender", "ann@example.com"),
        ("to", "bo@example.org"),
        ("to", "cy@example.org"),
    ];
    if let Some(sent) = submit(Message::from_rfc822(mail, &envelope)) {
        raw::judge(mail, true, &sent.bytes);
        assert_eq!(sent.recipients, ["bo@example.org", "cy@example.org"]);
    }
    // As sendmail hands it on.
    if let Ok(complete) = add_missing_fields(mail, &DEFAULTS) {
        judge_complete(&complete);
        let message = Message::from_rfc822_with(&complete, &envelope, HeaderAddresses::Ignore);
        if let Some(sent) = submit(message) {
            assert_eq!(sent.recipients, ["bo@example.org", "cy@example.org"]);
            assert!(
                sent.mail.header("Bcc").is_none(),
                "blind recipients are shown"
            );
        }
    }
    drop(Mail::read(mail));
}

/// What is complete lacks nothing.
fn judge_complete(complete: &[u8]) {
    // Left for whoever refuses them: NUL, and a CR that ends no line.
    let is_refused = complete.contains(&0)
        || (complete.windows(2)).any(|pair| pair[0] == b'\r' && pair[1] != b'\n')
        || complete.ends_with(b"\r");
    if is_refused {
        return;
    }
    let Ok(again) = add_missing_fields(complete, &DEFAULTS) else {
        return;
    };
    let lines = |mail: &[u8]| mail.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(
        lines(complete),
        lines(&again),
        "a complete message is given more"
    );
}

fn submit(message: Result<Message<'_>, Problems>) -> Option<SentMessage> {
    let message = match message {
        Ok(message) => message,
        Err(problems) => {
            for problem in &problems {
                refusal::check_sentence(problem.detail());
            }
            return None;
        }
    };
    let directory = PickupDirectory::in_memory();
    directory
        .submit(&Submission::new(&message))
        .expect("there is room");
    let mut sent =
        SentMessage::of(&directory.submitted_files()).expect("our own files are readable");
    assert_eq!(sent.len(), 1, "one message for all");
    sent.pop()
}

fn crlf(mail: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        lines.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        lines.extend_from_slice(b"\r\n");
    }
    lines
}
