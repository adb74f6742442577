//! `POST /messages` and its relatives: one message as JSON in the body, whatever its media type.

use super::body::{self, BodyLimits};
use super::log::{self, Line};
use super::refusal::Refusal;
use super::state::Daemon;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pmtaemail::{Problems, Receipt, Submission};
use serde::Serialize;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
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
    match understood(&daemon, request, pmtaemail::check).await {
        Ok(((), _)) => json(&NoProblems { problems: [] }),
        Err(refusal) => refusal.into_response(),
    }
}

/// Answers with the message as it would be sent.
pub async fn render(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    match understood(&daemon, request, pmtaemail::render).await {
        Ok((octets, _)) => ([(header::CONTENT_TYPE, "message/rfc822")], octets).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    line: &mut Line,
) -> Result<Receipt, Refusal> {
    let (submission, permit) = understood(&daemon, request, Submission::from_json).await?;
    line.submission(&submission);
    elsewhere(move || {
        let receipt = daemon.pickup.submit(&submission);
        drop(permit);
        receipt
    })
    .await?
    .map_err(Refusal::HandOver)
}

/// Reads a request's body and what `read` makes of it. The permit stands for the message at work.
async fn understood<T: Send + 'static>(
    daemon: &Daemon,
    request: Request,
    read: impl FnOnce(&[u8]) -> Result<T, Problems> + Send + 'static,
) -> Result<(T, OwnedSemaphorePermit), Refusal> {
    let (permit, json) = admitted(daemon, daemon.body, request).await?;
    let value = if json.len() <= INLINE_OCTETS {
        read(&json)
    } else {
        elsewhere(move || read(&json)).await?
    };
    Ok((value.map_err(Refusal::Problems)?, permit))
}

/// Receives the body of a request, if there is room for it. The permit comes first: bodies are
/// what takes memory.
async fn admitted(
    daemon: &Daemon,
    limits: BodyLimits,
    request: Request,
) -> Result<(OwnedSemaphorePermit, Bytes), Refusal> {
    // Who waits for `100 Continue` has sent nothing yet.
    let waits = request.headers().contains_key(header::EXPECT);
    let mut body = request.into_body();
    let permit = limits.admit(&body).and_then(|()| daemon.admit());
    let (started, result) = match permit {
        Err(refusal) => (!waits, Err(refusal)),
        Ok(permit) => {
            let octets = limits.receive(&mut body).await;
            (true, octets.map(|octets| (permit, octets)))
        }
    };
    if started && matches!(result, Err(Refusal::TooLarge { .. } | Refusal::Busy)) {
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
