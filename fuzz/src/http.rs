//! The judge of the daemon's answers.

use crate::words::CANARY;
use pmtaemail::SubmittedFile;
use pmtaemail::outbox::SentMessage;
use pmtaemailapi::fuzzing::{Answer, DaemonInMemory};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// A daemon, and how many requests it has had.
static DAEMON: Mutex<Option<(DaemonInMemory, usize)>> = Mutex::new(None);

/// It remembers what it submitted, for a day.
const MOST_REQUESTS: usize = 20_000;

fn send(path: &str, content_type: &[u8], body: Vec<Vec<u8>>) -> (Answer, Vec<Arc<SubmittedFile>>) {
    let mut daemon = DAEMON.lock().expect("a panic ends the process");
    if daemon
        .as_ref()
        .is_none_or(|(_, requests)| *requests == MOST_REQUESTS)
    {
        *daemon = Some((DaemonInMemory::start(), 0));
    }
    let (daemon, requests) = daemon.as_mut().expect("there is one");
    *requests += 1;
    daemon.post(path, &[("content-type", content_type)], body)
}

/// A body in as many pieces as it says, the same each time.
fn pieces(body: &[u8], length: usize) -> Vec<Vec<u8>> {
    body.chunks(length.max(1)).map(<[u8]>::to_vec).collect()
}

/// Posts a body whole, and in pieces; gives the answer and what was submitted.
pub fn post(path: &str, content_type: &[u8], body: &[u8]) -> (Answer, Vec<SentMessage>) {
    let asked: Option<Value> = serde_json::from_slice(body).ok();
    let may_name = asked.is_some_and(|asked| names_hold_canary(&asked));
    let (answer, files) = send(path, content_type, vec![body.to_vec()]);
    let sent = judge(&answer, &files, may_name);
    let length = 1 + body.len() / 7;
    let (in_pieces, files) = send(path, content_type, pieces(body, length));
    assert_eq!(
        in_pieces.status, answer.status,
        "it matters how a body is cut"
    );
    assert_eq!(
        judge(&in_pieces, &files, may_name).len(),
        sent.len(),
        "it matters how a body is cut"
    );
    (answer, sent)
}

/// `may_name`: the mark stands in a name.
fn judge(answer: &Answer, files: &[Arc<SubmittedFile>], may_name: bool) -> Vec<SentMessage> {
    let sent = SentMessage::of(files).expect("our own files are readable");
    let is_json = answer.content_type.contains("json");
    assert!(is_json, "an answer that is no JSON");
    let told: Value = serde_json::from_slice(&answer.body).expect("an answer of JSON");
    match answer.status {
        200 => assert!(!sent.is_empty(), "nothing was submitted"),
        400..500 => {
            assert!(sent.is_empty(), "it is refused, and submitted");
            assert!(
                may_name || !holds_canary(&told),
                "a caller's value in an answer"
            );
        }
        status => panic!("the answer is {status}"),
    }
    sent
}

/// Whether a value of the caller's stands there. A pointer has the names of members, which are not values.
fn holds_canary(told: &Value) -> bool {
    match told {
        Value::String(text) => text.contains(CANARY),
        Value::Array(list) => list.iter().any(holds_canary),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name != "pointer" && holds_canary(value)),
        _ => false,
    }
}

/// Whether the name of a member holds it: some services' errors say where something is within a sentence.
fn names_hold_canary(asked: &Value) -> bool {
    match asked {
        Value::Array(list) => list.iter().any(names_hold_canary),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains(CANARY) || names_hold_canary(value)),
        _ => false,
    }
}
