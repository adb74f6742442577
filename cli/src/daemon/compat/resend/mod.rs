//! Resend's API: <https://resend.com/docs/api-reference>.
//!
//! ```text
//! mod                  one message
//! batch                up to 100 of them
//!   emails             those of a batch to ours
//! retrieve             what is known about one
//!   email              a message to one of ours
//!     attachments      its files
//!     reply_to         header fields, and the reply address
//!       mailboxes      whom it names
//!     tags             checked, but without effect
//!   errors             errors as its clients know them
//!   key                the idempotency key of a request
//!   uuid               identifiers as its clients know them
//! ```

mod attachments;
mod batch;
mod email;
mod emails;
mod errors;
mod key;
mod mailboxes;
mod reply_to;
mod retrieve;
mod tags;
mod uuid;

pub use errors::refuse;

use super::super::counters::Api;
use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::memory::needed_for_json_with_octets;
use super::super::paths;
use super::super::query::Query;
use super::super::request::ReceivedBody;
use super::super::state::Daemon;
use super::answer;
use super::object::Value;
use super::submit::{Asked, Ours, bytes_of, submit_one};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use pmtaemail::{Problems, Receipt};
use serde_json::json;
use std::sync::Arc;

/// Its paths.
pub fn routes() -> Router<Arc<Daemon>> {
    Router::new()
        .route(paths::EMAILS, post(submit))
        .route(paths::EMAILS_BATCH, post(batch::submit))
        .route(paths::EMAIL, get(retrieve::retrieve))
}

/// Submits one message.
async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.submits(Api::Resend);
    let submitted = try_submit(daemon, request, &log).await;
    answer::or_refusal(submitted.map(|receipt| accepted(&receipt)), &log, refuse)
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    Query::of(request.uri(), &[])?.without_others()?;
    let asked = Asked {
        service: "resend".into(),
        key: key::of(request.headers())?,
        is_found: true,
        needed: needed_for_json_with_octets,
    };
    let translate = |body| translate(&body);
    submit_one(daemon, request, asked, translate, log).await
}

fn translate(body: &ReceivedBody) -> Result<Ours, ApiError> {
    let value = Value::of_body(bytes_of(body)).map_err(Problems::from);
    let translated = value.and_then(|value| email::translate(&value));
    let (json, places) = translated.map_err(ApiError::Problems)?;
    Ok(Ours::of_json(json, places))
}

fn accepted(receipt: &Receipt) -> Response {
    let body = json!({"id": uuid::text(receipt.id.to_uuid())});
    let mut response = answer::json(StatusCode::OK, &body);
    answer::add_id(response.headers_mut(), receipt.id);
    if receipt.replayed {
        key::add_replayed(response.headers_mut());
    }
    response
}
