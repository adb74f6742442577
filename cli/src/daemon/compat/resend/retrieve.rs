//! What is known about a message.

use super::super::super::access::Requester;
use super::super::super::blocking::run_blocking;
use super::super::super::error::ApiError;
use super::super::super::log::RequestLog;
use super::super::super::query::Query;
use super::super::super::state::Daemon;
use super::super::answer;
use super::{refuse, uuid};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use pmtaemail::{Code, Id, IdempotencyKey, Problem, Receipt};
use serde_json::json;
use std::sync::Arc;

/// Answers with what is known about a message of the last 24 hours that was sent with the same access key.
pub async fn retrieve(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    let response = try_retrieve(daemon, request).await.map(|receipt| {
        let mut response = answer::json(StatusCode::OK, &told(&receipt));
        answer::add_id(response.headers_mut(), receipt.id);
        response
    });
    answer::or_refusal(response, &log, refuse)
}

async fn try_retrieve(daemon: Arc<Daemon>, request: Request) -> Result<Receipt, ApiError> {
    Query::of(request.uri(), &[])?.without_others()?;
    let path = request.uri().path();
    let id = path.rsplit('/').next().and_then(uuid::parse);
    let id = id.ok_or_else(|| {
        let detail = "The identifier of a message must be a UUID.";
        ApiError::Problems(Problem::found(Code::InvalidToken, "/id", detail).into())
    })?;
    let submitter = Requester::of(&request).submitter();
    let name = submitter.idempotency_key(IdempotencyKey::of_uuid(id));
    let found = run_blocking(move || daemon.pickup.find_receipt(name)).await??;
    // The name may be that of a whole batch rather than of a message.
    found
        .filter(|receipt| receipt.id.to_uuid() == id)
        .ok_or(ApiError::NotFound)
}

/// The message itself is not kept after PowerMTA took it: fields that only it contains are `null`.
fn told(receipt: &Receipt) -> serde_json::Value {
    let message_id = receipt.message_id.as_ref();
    json!({
        "object": "email",
        "id": uuid::text(receipt.id.to_uuid()),
        "message_id": message_id.map(|id| format!("<{id}>")),
        "created_at": created_at(receipt.id),
        "last_event": "queued",
        "from": null,
        "to": null,
        "cc": null,
        "bcc": null,
        "reply_to": null,
        "subject": null,
        "html": null,
        "text": null,
        "scheduled_at": null,
        "tags": null,
    })
}

fn created_at(id: Id) -> Option<String> {
    let time = Timestamp::try_from(id.time()).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_its_identifier() {
        let id: Id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse().unwrap();
        assert_eq!(created_at(id).unwrap(), "2026-11-23T06:39:11+00:00");
        let last = "zzzzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
        assert_eq!(created_at(last).unwrap(), "3058-10-26T03:46:07+00:00");
    }
}
