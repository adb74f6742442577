//! `POST /messages` and the like: one message in the body.

use super::access::Requester;
use super::blocking::{INLINE_BYTES, run_blocking};
use super::counters::Api;
use super::error::ApiError;
use super::hand_over::Remembered;
use super::idempotency::{self, BodyFingerprint};
use super::log::RequestLog;
use super::memory::needed_for_json;
use super::query::{self, Query};
use super::receipt::{self, ReceiptFormat, json};
use super::request::{BodyFormat, BufferedBody, Checked, ReceivedBody};
use super::state::Daemon;
use super::submission::{Submitting, receive_request, submit_received};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use pmtaemail::{Receipt, RejectedRecipients, StreamedMessage, SubmitError, Submitter, Warning};
use serde::Serialize;
use std::sync::Arc;

/// Submits a message and answers with its receipt.
pub async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.submits(Api::Messages);
    let format = ReceiptFormat::of(request.headers());
    let status = if daemon.pickup.is_queue() {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    let result = match Query::of(request.uri(), query::SUBMIT) {
        Ok(query) => try_submit(daemon, request, query, &log).await,
        Err(error) => Err(error),
    };
    let receipt = result.map(|receipt| (status, receipt::answer(receipt, format)));
    answer(&log, receipt.map(IntoResponse::into_response))
}

/// What is answered, and logged.
fn answer(log: &RequestLog, result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(|error| {
        log.failed(&error);
        error.into_response()
    })
}

/// Answers 200 if a message is valid, and with its problems (422) if not.
pub async fn check(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    #[derive(Serialize)]
    struct NoProblems {
        problems: [(); 0],
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
        #[serde(skip_serializing_if = "Option::is_none")]
        rejected: Option<RejectedRecipients>,
    }
    log.event("check");
    let verbs = |query: &Query, submitter: Submitter| {
        let senders = submitter.senders().clone();
        let strict = query.strict.unwrap_or(false);
        let buffered = move |body: &BufferedBody| {
            let checked = body.check(&senders)?.strictly(strict);
            checked.map_err(ApiError::Problems)
        };
        let streamed = move |received: StreamedMessage| {
            let received = received.with_submitter(submitter);
            let warnings = received.warnings();
            let rejected = received.check()?;
            let warnings = warnings?;
            Ok(Checked { warnings, rejected }.strictly(strict)?)
        };
        (buffered, streamed)
    };
    let result = process(&daemon, request, query::CHECK, verbs).await;
    let checked = |Checked { warnings, rejected }| NoProblems {
        problems: [],
        warnings,
        rejected,
    };
    answer(&log, result.map(|found| json(&checked(found))))
}

/// Answers with the message as it would be sent; for a mail merge, with the first recipient's.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a path is a function for one lifetime of messages, not for all"
)]
pub async fn render(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("render");
    let verbs = |query: &Query, submitter: Submitter| {
        let selection = query.selection;
        let senders = submitter.senders().clone();
        let buffered =
            move |body: &BufferedBody| body.read(selection, &senders, |message| message.render());
        let streamed = move |received: StreamedMessage| {
            let received = received.with_submitter(submitter);
            received.with_selection(selection).render()
        };
        (buffered, streamed)
    };
    let result = process(&daemon, request, query::RENDER, verbs).await;
    let media_type = [(header::CONTENT_TYPE, "message/rfc822")];
    answer(
        &log,
        result.map(|bytes| (media_type, bytes).into_response()),
    )
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    Query {
        selection,
        warnings,
        others,
        ..
    }: Query,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    daemon.back_pressure.check()?;
    let submitter = Requester::of(&request).submitter();
    let key = idempotency::key_of(request.headers())?;
    let key = key.map(|key| submitter.idempotency_key(key));
    let format = BodyFormat::of(request.headers(), others);
    let fingerprint = |format: &BodyFormat, query: Option<&str>| {
        key.is_some().then(|| BodyFingerprint::new(format, query))
    };
    let mut received =
        receive_request(&daemon, request, format, fingerprint, needed_for_json).await?;
    let mut told = None;
    if warnings == Some(true) {
        let (body, found) = warnings_of(received.body).await?;
        received.body = body;
        told = Some(found);
    }
    let remembered = Remembered {
        key: key.zip(received.fingerprint),
        name: None,
    };
    let submitting = Submitting {
        selection,
        submitter,
        remembered,
    };
    let mut receipt = submit_received(daemon, received, submitting, log).await?;
    receipt.warnings = told;
    Ok(receipt)
}

/// Reads the warnings of a message; those of a large one on another thread.
async fn warnings_of(body: ReceivedBody) -> Result<(ReceivedBody, Vec<Warning>), ApiError> {
    match body {
        ReceivedBody::Buffered(body) if body.len() <= INLINE_BYTES => {
            let found = body.warnings();
            Ok((ReceivedBody::Buffered(body), found))
        }
        body => {
            run_blocking(move || {
                let found = body.warnings()?;
                Ok((body, found))
            })
            .await?
        }
    }
}

/// Receives the message of a request and returns what `buffered` or `streamed` makes of it.
async fn process<T, B, S>(
    daemon: &Arc<Daemon>,
    request: Request,
    names: &[query::Name],
    verbs: impl FnOnce(&Query, Submitter) -> (B, S),
) -> Result<T, ApiError>
where
    T: Send + 'static,
    B: FnOnce(&BufferedBody) -> Result<T, ApiError> + Send + 'static,
    S: FnOnce(StreamedMessage) -> Result<T, SubmitError> + Send + 'static,
{
    let query = Query::of(request.uri(), names)?;
    let submitter = Requester::of(&request).submitter();
    let (buffered, streamed) = verbs(&query, submitter);
    let format = BodyFormat::of(request.headers(), query.others);
    // Nothing is submitted here, so a key has no effect.
    let received = receive_request(daemon, request, format, |_, _| None, needed_for_json).await?;
    let _in_flight = received.in_flight;
    match received.body {
        ReceivedBody::Buffered(body) if body.len() <= INLINE_BYTES => buffered(&body),
        ReceivedBody::Buffered(body) => run_blocking(move || buffered(&body)).await?,
        ReceivedBody::Streamed(message) => Ok(run_blocking(move || streamed(*message)).await??),
    }
}
