//! SparkPost's API: <https://developers.sparkpost.com/api/transmissions/>. PowerMTA's own API at the same path
//! speaks a part of it.
//!
//! ```text
//! mod                  the request and its answer
//!   transmission       a transmission to a mail merge of ours, or to a finished message
//!     content          what is sent
//!     recipients       the recipients, one after the other
//!     options          how
//!   errors             errors as its clients know them
//! ```

mod content;
mod errors;
mod options;
mod recipients;
mod transmission;

pub use errors::refuse;

use super::super::counters::Api;
use super::super::error::ApiError;
use super::super::idempotency::{self, KEY};
use super::super::log::RequestLog;
use super::super::memory::needed_for_json;
use super::super::query::Query;
use super::super::state::Daemon;
use super::answer;
use super::submit::{Asked, submit_one};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use pmtaemail::{Code, IdempotencyKey, Problem, Receipt};
use serde_json::json;
use std::sync::Arc;

/// Says that the answer is that of an earlier request under the same key.
const REPLAYED: HeaderName = HeaderName::from_static("x-idempotent-replayed");
/// The header field with the number of the sending subaccount.
const SUBACCOUNT: HeaderName = HeaderName::from_static("x-msys-subaccount");

/// Digits of a number of 64 bits.
const LONGEST_SUBACCOUNT: usize = 20;

/// Submits a transmission.
pub async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.submits(Api::SparkPost);
    let submitted = try_submit(daemon, request, &log).await;
    answer::or_refusal(submitted.map(|receipt| accepted(&receipt)), &log, refuse)
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    let mut query = Query::of(request.uri(), &[])?;
    // How many errors of recipients are reported: all of them.
    query.others.retain(|(name, _)| name != "num_rcpt_errors");
    query.without_others()?;
    let subaccount = subaccount_of(request.headers())?;
    let asked = Asked {
        service: match &subaccount {
            Some(number) => format!("sparkpost {number}").into(),
            None => "sparkpost".into(),
        },
        key: key_of(request.headers())?,
        is_found: false,
        needed: needed_for_json,
    };
    let ignored = daemon.compat.sparkpost_ignore.clone();
    let translate = move |body| transmission::translate(body, &ignored, subaccount.as_deref());
    submit_one(daemon, request, asked, translate, log).await
}

/// The key of a request: letters, digits, dots, hyphens and underscores.
fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    let is_right = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    match headers.get(KEY) {
        Some(key) if !key.as_bytes().iter().all(is_right) => Err(ApiError::IdempotencyKey),
        _ => idempotency::key_of(headers),
    }
}

/// The number of a subaccount, which PowerMTA has too. 0 is the account itself.
fn subaccount_of(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(SUBACCOUNT).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let number = value.to_str().unwrap_or_default().trim();
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    if values.next().is_some() || !(1..=LONGEST_SUBACCOUNT).contains(&number.len()) || !is_number {
        return Err(wrong_subaccount());
    }
    Ok((number != "0").then(|| number.to_owned()))
}

fn wrong_subaccount() -> ApiError {
    let detail = "X-MSYS-SUBACCOUNT must be given once, with the number of a subaccount.";
    ApiError::Problems(Problem::found(Code::InvalidToken, "", detail).into())
}

fn accepted(receipt: &Receipt) -> Response {
    let body = json!({"results": {
        "total_rejected_recipients": 0,
        "total_accepted_recipients": receipt.recipients,
        "id": receipt.id.to_decimal(),
    }});
    let mut response = answer::json(StatusCode::OK, &body);
    answer::add_id(response.headers_mut(), receipt.id);
    if receipt.replayed {
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
