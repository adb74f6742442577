//! The judge of header fields.
//!
//! ```text
//! {"List-Id": "News <a.b>", "filename": "é.txt"}      names of header fields, and of what becomes part of a header
//! ```
//!
//! Each goes into a message for all of its recipients, and into mail merges: as the recipient's own, and as a value. All
//! of them have to say the same.

use crate::expected;
use crate::foreign::Reader;
use crate::header_body::judge_body;
use crate::merge;
use crate::message;
use crate::{raw, wire};
use pmtaemail::fuzzing::known_header_fields;
use pmtaemail::outbox::SentMessage;
use pmtaemail::{Identity, Message};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// The names of an input's members.
pub static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let known = known_header_fields().map(|field| capitals(field.name));
    let parts = PARTS.iter().flat_map(|(_, names)| *names);
    let parts = parts.chain(&MEMBERS).map(|name| (*name).to_owned());
    let own = ["X-A", "Comments", "Organization", "Thread-Topic"].map(str::to_owned);
    known.chain(parts).chain(own).collect()
});

/// Members of the message.
const MEMBERS: [&str; 9] = [
    "from",
    "sender",
    "replyTo",
    "subject",
    "date",
    "messageId",
    "inReplyTo",
    "references",
    "priority",
];

/// Members of what is in the message.
const PARTS: [(&str, &[&str]); 3] = [
    (
        "attachments",
        &["filename", "contentType", "cid", "disposition"],
    ),
    ("unsubscribe", &["url", "mailto", "oneClick"]),
    ("calendar", &["method"]),
];

/// Members that may be templates, and in which part of the message they are.
const TEMPLATES: [(&str, &str); 4] = [
    ("attachments", "filename"),
    ("unsubscribe", "url"),
    ("unsubscribe", "mailto"),
    ("subject", ""),
];

/// Judges an input.
pub fn judge(data: &[u8]) {
    let Ok(Value::Object(members)) = serde_json::from_slice(data) else {
        return;
    };
    let Given { message, headers } = Given::of(members);
    let whole = whole(&message, &headers, json!({"to": "bo@example.org"}));
    let json = whole.to_string();
    message::judge(json.as_bytes());
    let sent = sent(&json);
    if let Some(sent) = &sent {
        judge_sent(&message, &headers, sent);
    }
    judge_merges(&message, &headers, sent.as_ref());
}

/// What an input asks for.
struct Given {
    /// Members of a message.
    message: Map<String, Value>,
    /// Header fields by their names.
    headers: Vec<(String, Value)>,
}

impl Given {
    fn of(members: Map<String, Value>) -> Self {
        let (mut message, mut headers) = (Map::new(), Vec::new());
        for (name, value) in members {
            let part = PARTS
                .iter()
                .find(|(_, names)| names.contains(&name.as_str()));
            if let Some((part, _)) = part {
                message.entry(*part).or_insert_with(|| json!({}))[name] = value;
            } else if MEMBERS.contains(&name.as_str()) {
                message.insert(name, value);
            } else {
                headers.push((name, value));
            }
        }
        if let Some(file) = message.get_mut("attachments") {
            file["content"] = "eA==".into();
            *file = json!([file]);
        }
        if let Some(calendar) = message.get_mut("calendar") {
            calendar["content"] = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n".into();
        }
        Self { message, headers }
    }
}

/// The message with these header fields and members.
fn whole(message: &Map<String, Value>, headers: &[(String, Value)], members: Value) -> Value {
    let mut whole = json!({"from": "ann@example.com", "text": "x", "headers": list(headers)});
    for (name, value) in members.as_object().into_iter().flatten().chain(message) {
        whole[name] = value.clone();
    }
    whole
}

fn list(headers: &[(String, Value)]) -> Value {
    let header = |(name, value): &(String, Value)| json!({"name": name, "value": value});
    headers.iter().map(header).collect()
}

/// The first message, if it is taken.
fn sent(json: &str) -> Option<SentMessage> {
    let files = message::submit(json.as_bytes(), Identity::now()).ok()?;
    let sent = SentMessage::of(&files).expect("our own files are readable");
    sent.into_iter().next()
}

/// Judges the message for all of its recipients.
fn judge_sent(message: &Map<String, Value>, headers: &[(String, Value)], sent: &SentMessage) {
    let headers = expected::headers(Some(&list(headers)));
    let fields = fields(&sent.bytes);
    judge_names(message, &headers, &fields);
    let is_ascii = wire::head(&sent.bytes).is_ascii()
        && sent.envelope.from.is_ascii()
        && sent.recipients.iter().all(|recipient| recipient.is_ascii());
    assert_eq!(
        sent.envelope.smtputf8, !is_ascii,
        "SMTPUTF8 is not what the message needs"
    );
    judge_bodies(&headers, &fields);
    for (name, _) in by_name(&headers) {
        for body in bodies(name, &fields) {
            judge_again(name, body);
        }
    }
    judge_as_finished(sent);
}

/// Each body says what was given.
fn judge_bodies(headers: &[(String, String)], fields: &[(String, String)]) {
    for (name, texts) in by_name(headers) {
        for (text, body) in texts.iter().zip(bodies(name, fields)) {
            judge_body(name, text, body);
        }
    }
}

/// The bodies of the fields with this name.
fn bodies<'f>(name: &str, fields: &'f [(String, String)]) -> impl Iterator<Item = &'f str> {
    let named = fields
        .iter()
        .filter(move |(other, _)| other.eq_ignore_ascii_case(name));
    named.map(|(_, body)| body.as_str())
}

/// What was written can be given again, and is written as it was.
fn judge_again(name: &str, body: &str) {
    let mut given =
        json!({"from": "ann@example.com", "to": "bo@example.org", "headers": {name: body}});
    if name.eq_ignore_ascii_case("List-Unsubscribe-Post") {
        given["headers"]["List-Unsubscribe"] = "<https://a.example/>".into();
    }
    // An encoded word would be text that looks like one.
    if body.contains("=?") {
        return;
    }
    let sent = sent(&given.to_string()).expect("what was written can be given");
    let again = fields(&sent.bytes)
        .into_iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    let again = again.map(|(_, body)| body).unwrap_or_default();
    assert_eq!(again, body, "{name}: another body when it is given again");
}

/// Another program that has the message as a finished one may hand it on.
fn judge_as_finished(sent: &SentMessage) {
    let mut envelope = vec![("sender", sent.envelope.from.as_ref())];
    if sent.envelope.from.is_empty() {
        envelope[0].1 = "<>";
    }
    let recipients = sent.recipients.iter().map(|to| ("to", to.as_str()));
    envelope.extend(recipients);
    let message = Message::from_rfc822(&sent.bytes, &envelope);
    let message = message.expect("what was composed is a finished message");
    raw::judge(&sent.bytes, true, &message.render());
}

fn by_name(headers: &[(String, String)]) -> Vec<(&str, Vec<&str>)> {
    let mut names: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, text) in headers {
        match names.iter_mut().find(|(other, _)| other == name) {
            Some((_, texts)) => texts.push(text),
            None => names.push((name, vec![text])),
        }
    }
    names
}

/// The names that were asked for, and those that every message has.
fn judge_names(
    message: &Map<String, Value>,
    headers: &[(String, String)],
    fields: &[(String, String)],
) {
    let mut left: Vec<String> = fields
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| !name.starts_with("content-"))
        .collect();
    let mut take = |name: &str, must: bool| match left.iter().position(|other| other == name) {
        Some(at) => drop(left.remove(at)),
        None => assert!(!must, "{name} is not there"),
    };
    for name in ["from", "to", "date", "message-id", "mime-version"] {
        take(name, name != "to");
    }
    for (member, name) in [
        ("replyTo", "reply-to"),
        ("subject", "subject"),
        ("inReplyTo", "in-reply-to"),
        ("references", "references"),
        ("priority", "x-priority"),
        ("priority", "importance"),
        ("unsubscribe", "list-unsubscribe"),
        ("unsubscribe", "list-unsubscribe-post"),
    ] {
        if message.contains_key(member) {
            take(name, false);
        }
    }
    for (name, _) in headers {
        match name.as_str() {
            "date" | "message-id" => {}
            "x-priority" | "importance" => {
                take("x-priority", false);
                take("importance", false);
            }
            name => take(name, true),
        }
    }
    assert!(
        left.is_empty(),
        "header fields that nobody asked for: {left:?}"
    );
}

/// The fields of a message, unfolded.
pub fn fields(message: &[u8]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in wire::lines(wire::head(message)) {
        let line = std::str::from_utf8(line).expect("a header is UTF-8");
        match (line.starts_with([' ', '\t']), fields.last_mut()) {
            (true, Some((_, body))) => body.push_str(line),
            _ => {
                let (name, body) = line.split_once(':').expect("it is a field");
                fields.push((name.to_owned(), body.to_owned()));
            }
        }
    }
    for (_, body) in &mut fields {
        *body = body.strip_prefix(' ').unwrap_or(body).to_owned();
    }
    fields
}

/// Judges the merges that say the same.
fn judge_merges(
    message: &Map<String, Value>,
    headers: &[(String, Value)],
    single: Option<&SentMessage>,
) {
    let own = json!({"recipients": [{"address": "bo@example.org", "headers": list(headers)}, "cy@example.org"]});
    let own = whole(message, &[], own);
    let (mut values, mut slots) = (Map::new(), Vec::new());
    for (number, (name, value)) in headers.iter().enumerate() {
        // The one field that takes no placeholder.
        if name.eq_ignore_ascii_case("List-Unsubscribe-Post") {
            slots.push((name.clone(), value.clone()));
            continue;
        }
        let variable = format!("v{number}");
        slots.push((name.clone(), format!("{{{{ {variable} }}}}").into()));
        values.insert(variable, value.clone());
    }
    let templated = with_slots(message, &mut values);
    let filled = json!({"template": "merge", "recipients": [{"address": "bo@example.org", "variables": values}]});
    let filled = whole(&templated, &slots, filled);
    let are_texts = headers.iter().all(|(_, value)| value.is_string());
    // A recipient of a merge may see others, who get nothing. Members may be templates there, and an identifier for
    // all has to be one.
    let shows =
        |(name, _): &(String, Value)| ["to", "cc"].contains(&name.to_ascii_lowercase().as_str());
    let is_comparable = are_texts
        && !headers.iter().any(shows)
        && !message.contains_key("messageId")
        && !message.values().any(may_be_template);
    for mut merge in [own, filled] {
        merge::judge(merge.clone(), false);
        for form in ["native", "expanded"] {
            merge["merge"] = form.into();
            let sent = sent(&merge.to_string());
            if is_comparable {
                assert_eq!(
                    sent.is_some(),
                    single.is_some(),
                    "{form}: what is taken depends on who gets it"
                );
                assert_eq!(
                    sent.as_ref().map(shown),
                    single.map(shown),
                    "{form}: what is shown depends on who gets it"
                );
            }
            if let Some(sent) = sent.filter(|_| are_texts) {
                judge_bodies(
                    &expected::headers(Some(&list(headers))),
                    &fields(&sent.bytes),
                );
            }
        }
    }
}

/// The message with slots in place of texts that may be templates, and `values` for them.
fn with_slots(message: &Map<String, Value>, values: &mut Map<String, Value>) -> Map<String, Value> {
    let mut templated = message.clone();
    for (part, name) in TEMPLATES {
        let part = match part {
            "attachments" => templated.get_mut(part).and_then(|files| files.get_mut(0)),
            part => templated.get_mut(part),
        };
        let text = part.and_then(|part| match name {
            "" => Some(part),
            // The type would follow from it.
            "filename" if part["contentType"].is_null() => None,
            name => part.get_mut(name),
        });
        if let Some(text) = text.filter(|text| text.is_string()) {
            let variable = format!("w{}", values.len());
            let value = std::mem::replace(text, format!("{{{{ {variable} }}}}").into());
            values.insert(variable, value);
        }
    }
    templated
}

/// Whether a text in it may be a template.
fn may_be_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(['{', '}']),
        Value::Array(list) => list.iter().any(may_be_template),
        Value::Object(members) => members.values().any(may_be_template),
        _ => false,
    }
}

/// The subject and the names of the files.
fn shown(sent: &SentMessage) -> (String, Vec<Option<String>>) {
    let reading = Reader::MailParser.read(&sent.bytes);
    let reading = reading.expect("our own mail is readable");
    let names = reading.files.into_iter().map(|file| file.name);
    (reading.subject, names.collect())
}

/// `List-Id` of `list-id`.
fn capitals(name: &str) -> String {
    let mut is_start = true;
    let capital = |char: char| {
        let is_first = std::mem::replace(&mut is_start, char == '-');
        if is_first {
            char.to_ascii_uppercase()
        } else {
            char
        }
    };
    let name: String = name.chars().map(capital).collect();
    // The names of a prefix's fields.
    if name.ends_with('-') {
        name + "X"
    } else {
        name
    }
}
