//! What each reader makes of a few hundred inputs, good and bad: `recorded.jsonl` holds what was read
//! before there was one lexer, so that a change of behaviour shows here and is made on purpose.

use crate::message::{MessageKind, SingleMessage};
use crate::{AddrSpec, Identity, Message, SenderDefaults, add_missing_fields};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write;

/// One input and what its reader says.
#[derive(Debug, Serialize, Deserialize)]
struct Recorded {
    reader: String,
    input: String,
    result: String,
}

const RECORDS: &str = include_str!("recorded.jsonl");

#[test]
fn every_reader_reads_as_recorded() {
    let mut records = 0;
    let mut changed = String::new();
    for line in RECORDS.lines() {
        let record: Recorded = serde_json::from_str(line).unwrap();
        let result = read(&record.reader, &record.input);
        if result != record.result {
            let found = Recorded { result, ..record };
            writeln!(changed, "{}", serde_json::to_string(&found).unwrap()).unwrap();
        }
        records += 1;
    }
    assert!(records > 500, "there are {records} records");
    assert!(changed.is_empty(), "read otherwise now:\n{changed}");
}

/// Reads `input` as one kind of text.
fn read(reader: &str, input: &str) -> String {
    match reader {
        "address" => address(input),
        "to" => field_of(json!({ "to": input }), "To"),
        "sender" => path(input),
        "messageId" => field_of(json!({ "messageId": input }), "Message-ID"),
        "inReplyTo" => field_of(json!({ "inReplyTo": input }), "In-Reply-To"),
        "cid" => attached(json!({ "cid": input, "content": "" }), "Content-ID"),
        "contentType" => attached(
            json!({ "contentType": input, "content": "" }),
            "Content-Type",
        ),
        "calendar" => calendar(input),
        "raw header" => finished(&format!("{HEAD}To: {input}\r\n\r\nHello\r\n")),
        "raw" => finished(input),
        "qualified" => DEFAULTS.qualified(input),
        "completed" => completed(input),
        reader => panic!("no such reader: {reader}"),
    }
}

const HEAD: &str = "Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n";

const DEFAULTS: SenderDefaults<'static> = SenderDefaults {
    name: None,
    address: "a@h.example",
    domain: "h.example",
};

fn address(text: &str) -> String {
    match AddrSpec::parse(text) {
        Ok(address) => format!("{} at {}", address.local_part(), address.domain()),
        Err(error) => format!("{}: {error}", error.code()),
    }
}

/// A message that is read from its fields.
fn with_message<T: ToString>(fields: Value, then: impl FnOnce(&Message<'_>) -> T) -> String {
    let mut message = json!({
        "from": "a@example.com",
        "to": "b@example.org",
        "text": "Hello",
        "date": "2026-11-23T05:33:54Z",
        "messageId": "1@example.com",
    });
    match (&mut message, fields) {
        (Value::Object(message), Value::Object(fields)) => message.extend(fields),
        _ => unreachable!("both are objects"),
    }
    let json = serde_json::to_vec(&message).unwrap();
    match Message::from_json(&json) {
        Ok(message) => then(&message).to_string(),
        Err(problems) => problems.to_string(),
    }
}

/// The body of the last field of this name in the rendered message, or the problems.
fn field_of(fields: Value, name: &str) -> String {
    with_message(fields, |message| {
        let mail = String::from_utf8(message.render()).unwrap();
        let name = format!("\r\n{name}:");
        let (_, rest) = mail.rsplit_once(&name).unwrap();
        let end = rest
            .match_indices("\r\n")
            .find(|(at, _)| !rest[at + 2..].starts_with([' ', '\t']));
        rest[..end.unwrap().0].to_owned()
    })
}

fn attached(attachment: Value, name: &str) -> String {
    let attachments = Value::Array(vec![attachment]);
    field_of(json!({ "attachments": attachments }), name)
}

fn path(text: &str) -> String {
    with_message(json!({ "sender": text }), |message| {
        let path = single(message).envelope().reverse_path;
        path.map_or("null".to_owned(), ToString::to_string)
    })
}

fn calendar(content: &str) -> String {
    // Most of the inputs have no end.
    let end = if content.contains("END:") {
        ""
    } else {
        "\r\nEND:VCALENDAR"
    };
    let content = format!("{content}{end}");
    with_message(json!({ "calendar": { "content": content } }), |message| {
        let mail = String::from_utf8(message.render()).unwrap();
        let (_, rest) = mail.split_once("method=").unwrap();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic());
        rest[..end.unwrap()].to_owned()
    })
}

/// A finished message: who gets it, whence, and its header; or the problems.
fn finished(mail: &str) -> String {
    let message = Message::from_rfc822::<&str>(mail.as_bytes(), &[]);
    let message = match &message {
        Ok(message) => message,
        Err(problems) => return problems.to_string(),
    };
    let envelope = single(message).envelope();
    let from = envelope.reverse_path.unwrap();
    let paths = envelope.forward_paths.iter().map(ToString::to_string);
    let paths: Vec<_> = paths.collect();
    let identity = Identity::now();
    let mail = message.render_with(identity);
    let mail = String::from_utf8_lossy(&mail);
    let is_made = |line: &&str| line.contains(identity.id.as_str());
    let kept = mail.split_inclusive("\r\n").filter(|line| !is_made(line));
    let kept: String = kept.collect();
    format!("from {from} to {}\n{kept}", paths.join(" and "))
}

fn single<'m, 'a>(message: &'m Message<'a>) -> &'m SingleMessage<'a> {
    match message.kind() {
        MessageKind::Single(message) => message,
        MessageKind::Merge(..) => unreachable!("none of these is a mail merge"),
    }
}

fn completed(mail: &str) -> String {
    match add_missing_fields(mail.as_bytes(), &DEFAULTS) {
        Ok(mail) => String::from_utf8_lossy(&mail).into_owned(),
        Err(problems) => problems.to_string(),
    }
}

/// Writes `recorded.jsonl` anew: `cargo test -p pmtaemail -- --ignored record`.
#[test]
#[ignore = "writes what the other test compares with"]
fn record() {
    let mut out = String::new();
    for line in RECORDS.lines() {
        let record: Recorded = serde_json::from_str(line).unwrap();
        let result = read(&record.reader, &record.input);
        let record = serde_json::to_string(&Recorded { result, ..record }).unwrap();
        writeln!(out, "{record}").unwrap();
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/syntax/tests/recorded.jsonl"
    );
    std::fs::write(path, out).unwrap();
}
