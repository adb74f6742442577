//! `POST /messages` and its relatives: one message in the body.

use super::body::{self, BodyLimits};
use super::log::{self, Line};
use super::refusal::Refusal;
use super::request::Format;
use super::state::{Daemon, InFlight};
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pmtaemail::{Message, Receipt, Submission};
use serde::Serialize;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// A body up to this size is read and rendered in some ten microseconds: less than it costs to
/// have another thread do it.
const INLINE_OCTETS: usize = 64 << 10;

/// Hands a message over and answers with its receipt.
pub async fn submit(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    let mut line = Line::start();
    match try_submit(daemon, request, &mut line).await {
        Ok(receipt) => {
            line.accepted();
            json(&receipt)
        }
        Err(refusal) => {
            line.refused(&refusal);
            refusal.into_response()
        }
    }
}

/// Tells what is wrong with a message: nothing (200), or the problems (422).
pub async fn check(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    #[derive(Serialize)]
    struct NoProblems {
        problems: [(); 0],
    }
    match understood(&daemon, request, |_| ()).await {
        Ok(((), _)) => json(&NoProblems { problems: [] }),
        Err(refusal) => refusal.into_response(),
    }
}

/// Answers with the message as it would be sent.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a path is a function for one lifetime of messages, not for all"
)]
pub async fn render(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    match understood(&daemon, request, |message| message.render()).await {
        Ok((octets, _)) => ([(header::CONTENT_TYPE, "message/rfc822")], octets).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

#[expect(
    clippy::redundant_closure,
    reason = "a path is a function for one lifetime of messages, not for all"
)]
async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    line: &mut Line,
) -> Result<Receipt, Refusal> {
    let (submission, in_flight) =
        understood(&daemon, request, |message| Submission::new(message)).await?;
    line.submission(&submission);
    elsewhere(move || {
        let receipt = daemon.pickup.submit(&submission);
        drop(in_flight);
        receipt
    })
    .await?
    .map_err(Refusal::HandOver)
}

/// Reads a request's message and what `then` makes of it.
async fn understood<T: Send + 'static>(
    daemon: &Daemon,
    request: Request,
    then: impl FnOnce(&Message<'_>) -> T + Send + 'static,
) -> Result<(T, InFlight), Refusal> {
    let format = Format::of(request.uri(), request.headers());
    let (format, in_flight, body) = admitted(daemon, daemon.body, format, request).await?;
    let value = if body.len() <= INLINE_OCTETS {
        format.read(body, then)
    } else {
        elsewhere(move || format.read(body, then)).await?
    };
    Ok((value?, in_flight))
}

/// Receives the body of a request, if its format is known and there is room for it. The room comes
/// first: bodies are what takes memory.
async fn admitted(
    daemon: &Daemon,
    limits: BodyLimits,
    format: Result<Format, Refusal>,
    request: Request,
) -> Result<(Format, InFlight, Bytes), Refusal> {
    // Who waits for `100 Continue` has sent nothing yet.
    let waits = request.headers().contains_key(header::EXPECT);
    let mut body = request.into_body();
    let admitted = format.and_then(|format| {
        limits.admit(&body)?;
        Ok((format, daemon.admit(body.size_hint().lower())?))
    });
    let (started, result) = match admitted {
        Err(refusal) => (!waits, Err(refusal)),
        Ok((format, mut in_flight)) => {
            let octets = limits.receive(&mut body, &mut in_flight).await;
            (true, octets.map(|octets| (format, in_flight, octets)))
        }
    };
    let unread = matches!(
        result,
        Err(Refusal::TooLarge { .. }
            | Refusal::Busy
            | Refusal::ContentEncoding
            | Refusal::Form(_)
            | Refusal::Query)
    );
    if started && unread {
        body::discard(body);
    }
    result
}

/// Does what takes long in a thread where it may.
async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    spawn_blocking(work).await.map_err(|_| Refusal::Internal)
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            log::fault(&error);
            Refusal::Internal.into_response()
        }
    }
}
