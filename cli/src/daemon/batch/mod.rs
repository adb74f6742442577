//! `POST /messages/batch`: many messages in one request, and one line for the result of each.
//!
//! ```text
//!   client  ―― lines ――→  BatchReader  ―― groups ――→  two at a time: render, write, sync
//!   client  ←― results ――  in the order of the lines  ←――――――――――――――――――┘
//! ```
//!
//! The response starts with the first result, while the body is still being received. If a client does not read
//! results, its body is not read either, so that neither side of a batch takes memory that grows with it.
//!
//! ```text
//! mod                     what is requested
//!   session   atomic      message by message; all or none
//!     output              the response, as the client takes it
//!     results             what a result looks like
//!     client_time         how long the client may take
//!     next_group          which messages are submitted together next
//! ```

mod atomic;
mod client_time;
mod next_group;
mod output;
mod results;
mod session;

pub use results::result_pieces;

use super::access::Requester;
use super::admission::Receiving;
use super::client::Peer;
use super::coding::{Coding, DecodedBody};
use super::connection::Permits;
use super::counters::Api;
use super::error::ApiError;
use super::log::{BatchLog, RequestLog};
use super::query::{self, Query};
use super::request::{LINES, essence};
use super::state::Daemon;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pmtaemail::{BatchFormat, Submitter};
use std::sync::Arc;

/// In effect no limit: only the messages of a batch have one. It leaves room for sums.
const NO_LIMIT: usize = usize::MAX / 2;

/// Submits messages, and answers with a line for each.
pub async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("batch");
    let response = try_submit(daemon, request, &log).await;
    response.unwrap_or_else(|error| {
        log.failed(&error);
        error.into_response()
    })
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    log: &RequestLog,
) -> Result<Response, ApiError> {
    let query = Query::of(request.uri(), query::BATCH)?;
    let is_atomic = query.atomic.unwrap_or(false);
    let warns = query.warnings.unwrap_or(false);
    query.without_others()?;
    if request.headers().contains_key("idempotency-key") {
        return Err(ApiError::KeyOfBatch);
    }
    let format = format_of(request.headers())?;
    let codings = Coding::of(request.headers())?;
    daemon.back_pressure.check()?;
    let peer = Peer::of(&request);
    let submitter = Requester::of(&request).batch_submitter();
    let permits = request.extensions().get::<Permits>().cloned();
    // An atomic batch waits on the disk.
    let limit = if is_atomic {
        daemon.body.max_streamed()
    } else {
        NO_LIMIT
    };
    let body = DecodedBody::new(request.into_body(), &codings, limit)?;
    let receiving = daemon.admission.receive(peer.into(), 0)?;
    let batch = Batch {
        format,
        body,
        receiving,
        log: BatchLog::start(log, Api::Batch, is_atomic),
        permits,
        submitter,
        warns,
    };
    if is_atomic {
        atomic::submit(daemon, batch).await
    } else {
        session::submit(daemon, batch).await
    }
}

/// A batch whose body is arriving.
struct Batch {
    format: BatchFormat,
    body: DecodedBody,
    receiving: Receiving,
    log: BatchLog,
    /// Permits that keep the daemon from ending in the middle.
    permits: Option<Permits>,
    submitter: Submitter,
    /// Whether receipts include warnings.
    warns: bool,
}

fn format_of(headers: &HeaderMap) -> Result<BatchFormat, ApiError> {
    // Any other media type means an array: `curl -d` declares a form.
    const OTHERS: [&str; 3] = ["message/rfc822", "multipart/form-data", "text/csv"];

    let Some(media_type) = headers.get(header::CONTENT_TYPE) else {
        return Ok(BatchFormat::Array);
    };
    let name = essence(media_type.to_str().unwrap_or_default());
    let is_one_of = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    if is_one_of(&LINES) {
        Ok(BatchFormat::Lines)
    } else if is_one_of(&OTHERS) {
        Err(ApiError::BatchType)
    } else {
        Ok(BatchFormat::Array)
    }
}

/// An answer with lines.
fn answer(status: StatusCode, body: Body) -> Response {
    (status, [(header::CONTENT_TYPE, LINES[0])], body).into_response()
}
