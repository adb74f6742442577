//! The error responses. Each is created once, exactly as it is sent, and described from its head and body: so nothing
//! is documented that the daemon does not send.

use super::super::error::ApiError;
use super::super::request::BufferedBody;
use crate::args::PressureLimit;
use axum::http::header;
use axum::response::IntoResponse;
use pmtaemail::{Id, OverQuota, SenderDomains};
use serde_json::{Map, Value, json};
use std::io;
use std::time::Duration;

/// Errors that any request may get.
pub fn of_any() -> Vec<ApiError> {
    vec![
        ApiError::HeadBroken,
        ApiError::Host,
        ApiError::TransferEncoding,
        ApiError::PlainHttp,
        ApiError::Query,
        ApiError::QueryName,
        ApiError::ForeignPage,
        ApiError::HeadTimeout,
        ApiError::HeadTooLarge,
        ApiError::TooManyConnections,
        ApiError::Internal,
    ]
}

/// If the daemon has access keys.
pub fn of_keys() -> Vec<ApiError> {
    vec![
        ApiError::NoAccessKey,
        ApiError::WrongAccessKey,
        ApiError::OverQuota(OverQuota::of_messages(Duration::from_secs(1))),
    ]
}

/// Errors that any body may get.
pub fn of_bodies() -> Vec<ApiError> {
    vec![
        ApiError::BodyBroken,
        ApiError::Coding("The body does not match its Content-Encoding."),
        ApiError::BodyTimeout,
        ApiError::TooLarge { limit: 33_554_432 },
        ApiError::ContentEncoding,
        ApiError::Busy,
        ApiError::GaveWay,
    ]
}

/// Errors that a single message may get.
pub fn of_messages() -> Vec<ApiError> {
    vec![
        checked("{"),
        ApiError::Form("The Content-Type has no boundary."),
        ApiError::QueryValue(
            "`recipient` and `limit` must be whole numbers of at least 1 in the query.",
        ),
        checked(r#"{"from": "shop@example.net", "to": "ann@example.org"}"#),
        ApiError::MessageTooLarge { limit: 33_554_432 },
        ApiError::TooMuchMemory,
        ApiError::TableAlone,
        checked(
            r#"{"from": "Shop <shop@example.com>", "too": "ann@example.org", "text": "Hello"}"#,
        ),
    ]
}

/// Errors where messages are submitted.
pub fn of_submissions() -> Vec<ApiError> {
    let unknown = ApiError::MayBeDelivered {
        id: Some(example_id()),
        error: None,
    };
    vec![
        ApiError::Spool(io::ErrorKind::StorageFull.into()),
        ApiError::BackPressure(PressureLimit::MaxDepth),
        unknown,
    ]
}

/// Errors that a submission under an idempotency key may get.
pub fn of_idempotency() -> Vec<ApiError> {
    vec![
        ApiError::IdempotencyKey,
        ApiError::KeyInWork,
        ApiError::KeyConflict,
        ApiError::KeysFull,
        ApiError::OverQuota(OverQuota::of_recipients(Duration::from_hours(1))),
    ]
}

/// Errors that a batch may get.
pub fn of_batches() -> Vec<ApiError> {
    vec![
        ApiError::NotAnArray,
        ApiError::QueryValue("`atomic` must be true or false, and given only once in the query."),
        ApiError::KeyOfBatch,
        ApiError::BatchType,
        ApiError::Stopping,
    ]
}

/// An identifier that stays the same, unlike those of submissions.
pub fn example_id() -> Id {
    "1ng7qwf4c52q7bj9v8dsqnkxqv"
        .parse()
        .expect("it is an identifier")
}

/// The answer to a message whose key may send from a single other domain.
fn checked(message: &'static str) -> ApiError {
    let domain = "example.com".parse().expect("it is a domain");
    let senders = SenderDomains::from_iter([domain]);
    let body = BufferedBody::Json(message.as_bytes().into());
    body.check(&senders).expect_err("it has problems")
}

/// Answers by their status.
pub fn responses(errors: Vec<ApiError>) -> Map<String, Value> {
    let mut responses = Map::new();
    for error in &errors {
        let status = error.status();
        let response = responses
            .entry(status.as_str().to_owned())
            .or_insert_with(|| response(status.canonical_reason().unwrap_or_default()));
        let details = error.problem_details();
        let body: Value =
            serde_json::from_slice(&details.to_json()).expect("it was written as JSON");
        let examples = &mut response["content"]["application/problem+json"]["examples"];
        let name = unused_name(&details.word(), examples);
        examples[name] = json!({
            "summary": details.sentence(),
            "value": body,
        });
    }
    for error in errors {
        let status = error.status();
        let response = (responses.get_mut(status.as_str())).expect("it was put in");
        for name in head_of(error) {
            response["headers"][name] = reference(name);
        }
    }
    responses
}

/// The header fields that matter in an error.
fn head_of(error: ApiError) -> Vec<&'static str> {
    let response = error.into_response();
    let fields = [
        (header::RETRY_AFTER, "Retry-After"),
        (header::WWW_AUTHENTICATE, "WWW-Authenticate"),
        (header::ACCEPT_ENCODING, "Accept-Encoding"),
    ];
    (fields.into_iter())
        .filter(|(field, _)| response.headers().contains_key(field))
        .map(|(_, name)| name)
        .collect()
}

pub fn reference(header: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{header}")})
}

fn response(description: &str) -> Value {
    json!({
        "description": description,
        "headers": {"X-Request-Id": reference("X-Request-Id")},
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": Map::new(),
        }},
    })
}

/// A name that no example has yet.
fn unused_name(word: &str, examples: &Value) -> String {
    let names = (2..).map(|number| format!("{word}-{number}"));
    std::iter::once(word.to_owned())
        .chain(names)
        .find(|name| examples.get(name).is_none())
        .expect("there are more numbers than errors")
}
