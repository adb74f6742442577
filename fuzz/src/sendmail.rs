//! The judge of `sendmail`.

use crate::wire;
use crate::words::CANARY;
use pmtaemail::outbox::SentMessage;
use pmtaemailapi::fuzzing::{SendmailOutcome, sendmail_in_memory};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

/// Judges a call: arguments that end with NUL, an empty one, and standard input.
pub fn judge(data: &[u8]) {
    let (mut arguments, mut input) = (Vec::new(), data);
    while let Some(end) = input.iter().position(|byte| *byte == 0) {
        let argument = &input[..end];
        input = &input[end + 1..];
        if argument.is_empty() {
            break;
        }
        arguments.push(argument.to_vec());
    }
    let line = arguments.iter().cloned().map(OsString::from_vec).collect();
    let outcome = sendmail_in_memory(line, input);
    if let Some(sentence) = &outcome.failure {
        assert!(!sentence.contains(CANARY), "a caller's value in a sentence");
    }
    let sent = SentMessage::of(&outcome.files).expect("our own files are readable");
    for message in &sent {
        for line in wire::lines(&message.bytes) {
            assert!(line.len() <= 998, "a line of more than 998 octets");
            assert!(
                !line.iter().any(|byte| b"\r\n\0".contains(byte)),
                "a bare CR or LF, or a NUL"
            );
        }
        for name in ["From", "Date", "Message-ID"] {
            let count = message
                .mail
                .headers
                .iter()
                .filter(|field| field.name.eq_ignore_ascii_case(name))
                .count();
            assert_eq!(count, 1, "{name} stands once");
        }
        assert!(
            message.mail.header("Bcc").is_none(),
            "blind recipients are shown"
        );
    }
    match &outcome.replies {
        Some(replies) => judge_dialogue(replies, &sent),
        None => judge_call(&outcome, &sent, &arguments, input),
    }
}

/// Each is submitted, or told to be no recipient, and nobody else is.
fn judge_call(
    outcome: &SendmailOutcome,
    sent: &[SentMessage],
    arguments: &[Vec<u8>],
    input: &[u8],
) {
    assert!(sent.len() <= 1, "one message for all");
    assert!(
        outcome.failure.is_none() || sent.is_empty(),
        "it failed, and submitted"
    );
    let mut given = arguments.concat();
    given.extend_from_slice(input);
    let given = pmtaemail::text_of_local_program(&given);
    for recipient in sent.iter().flat_map(|message| &message.recipients) {
        let (local, _) = recipient.rsplit_once('@').expect("it is an address");
        let word = local
            .split(|char: char| !char.is_alphanumeric())
            .find(|word| !word.is_empty());
        let word = word.unwrap_or_default();
        assert!(
            given.contains(word) || !word.is_ascii(),
            "a recipient out of nothing"
        );
    }
}

/// What was accepted was submitted, to those who were accepted.
fn judge_dialogue(replies: &[u8], sent: &[SentMessage]) {
    let replies = String::from_utf8(replies.to_vec()).expect("replies are text");
    assert!(replies.ends_with("\r\n"), "a reply without an end");
    let mut accepted = 0;
    let mut submitted = Vec::new();
    for line in replies.split_terminator("\r\n") {
        assert!(
            line.len() <= 510 && !line.contains(char::is_control),
            "a line that is no reply"
        );
        let is_reply = line
            .get(..3)
            .is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(is_reply, "a line that is no reply");
        match line.get(..9) {
            Some("250 2.1.0") => accepted = 0,
            Some("250 2.1.5") => accepted += 1,
            Some("250 2.0.0") if line.contains("submitted as") => submitted.push(accepted),
            _ => {}
        }
    }
    assert_eq!(
        submitted.len(),
        sent.len(),
        "what is acknowledged is submitted, and nothing else"
    );
    for (accepted, message) in submitted.into_iter().zip(sent) {
        let count = message.recipients.len();
        assert!(
            (1..=accepted).contains(&count),
            "{count} recipients of {accepted}"
        );
    }
}
