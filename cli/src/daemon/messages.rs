//! `POST /messages` and its relatives: one message in the body.

use super::body::{self, BodyLimits};
use super::log::Line;
use super::receipt::{self, json};
use super::refusal::Refusal;
use super::request::{Arrived, Format, Whole};
use super::state::{Daemon, InFlight};
use super::stream;
use super::threads::elsewhere;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pmtaemail::{Message, Receipt, StreamedMessage, Submission, SubmitError};
use serde::Serialize;
use std::sync::Arc;

/// A body up to this size is read and rendered in some ten microseconds: less than it costs to
/// have another thread do it.
const INLINE_OCTETS: usize = 64 << 10;

/// Hands a message over and answers with its receipt.
pub async fn submit(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    let mut line = Line::start();
    match try_submit(daemon, request, &mut line).await {
        Ok(receipt) => {
            line.accepted();
            receipt::answer(receipt)
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
    match understood(&daemon, request, |_| (), StreamedMessage::check).await {
        Ok(()) => json(&NoProblems { problems: [] }),
        Err(refusal) => refusal.into_response(),
    }
}

/// Answers with the message as it would be sent; of a mail merge, that of its first recipient.
#[expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a path is a function for one lifetime of messages, not for all"
)]
pub async fn render(State(daemon): State<Arc<Daemon>>, request: Request) -> Response {
    let first = |received: StreamedMessage| {
        let rendered = received.render_recipient(0)?;
        Ok(rendered.expect("a mail merge without recipients is refused"))
    };
    match understood(&daemon, request, |message| message.render(), first).await {
        Ok(octets) => ([(header::CONTENT_TYPE, "message/rfc822")], octets).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    line: &mut Line,
) -> Result<Receipt, Refusal> {
    let (arrived, in_flight) = admitted(&daemon, request).await?;
    let receipt = match arrived {
        Arrived::Apart(received) => {
            let pickup = Arc::clone(&daemon);
            elsewhere(move || received.submit(&pickup.pickup)).await??
        }
        Arrived::Whole(whole) => submit_whole(daemon, whole, line).await?,
    };
    drop(in_flight);
    line.receipt(&receipt);
    Ok(receipt)
}

async fn submit_whole(
    daemon: Arc<Daemon>,
    whole: Whole,
    line: &mut Line,
) -> Result<Receipt, Refusal> {
    let files = |message: &Message<'_>| (!message.is_merge()).then(|| Submission::new(message));
    let (submission, whole) = read(whole, files).await?;
    let Some(submission) = submission else {
        // Its files may be many and large: no more than one of them should be in memory.
        let submit = move || whole.read(|message| daemon.pickup.submit_message(message));
        return elsewhere(submit).await??.map_err(Refusal::HandOver);
    };
    drop(whole);
    line.submission(&submission);
    elsewhere(move || daemon.pickup.submit(&submission))
        .await?
        .map_err(Refusal::HandOver)
}

/// Reads a request's message and what `whole` or `apart` makes of it.
async fn understood<T: Send + 'static>(
    daemon: &Arc<Daemon>,
    request: Request,
    whole: impl FnOnce(&Message<'_>) -> T + Send + 'static,
    apart: impl FnOnce(StreamedMessage) -> Result<T, SubmitError> + Send + 'static,
) -> Result<T, Refusal> {
    let (arrived, _in_flight) = admitted(daemon, request).await?;
    match arrived {
        Arrived::Whole(body) => Ok(read(body, whole).await?.0),
        Arrived::Apart(received) => Ok(elsewhere(move || apart(received)).await??),
    }
}

/// Reads a body that is all there, where it takes no other's time.
async fn read<T: Send + 'static>(
    whole: Whole,
    then: impl FnOnce(&Message<'_>) -> T + Send + 'static,
) -> Result<(T, Whole), Refusal> {
    if whole.octets.len() <= INLINE_OCTETS {
        return Ok((whole.read(then)?, whole));
    }
    elsewhere(move || Ok((whole.read(then)?, whole))).await?
}

/// Receives the body of a request, if its format is known and there is room for it. The room comes
/// first: bodies are what takes memory.
async fn admitted(daemon: &Arc<Daemon>, request: Request) -> Result<(Arrived, InFlight), Refusal> {
    let format = Format::of(request.uri(), request.headers());
    // Who waits for `100 Continue` has sent nothing yet.
    let waits = request.headers().contains_key(header::EXPECT);
    let mut body = request.into_body();
    let admitted = format.and_then(|format| Ok((room(daemon, &format, &body)?, format)));
    let (started, result) = match admitted {
        Err(refusal) => (!waits, Err(refusal)),
        Ok((in_flight, format)) => (true, receive(daemon, format, &mut body, in_flight).await),
    };
    let ended = matches!(
        result,
        Ok(_) | Err(Refusal::BodyTimeout | Refusal::BodyBroken)
    );
    if started && !ended {
        body::discard(body);
    }
    result
}

/// Makes room for one more message with the octets that its body announces.
fn room(daemon: &Daemon, format: &Format, body: &Body) -> Result<InFlight, Refusal> {
    let limit = match format {
        Format::InPieces(_) => daemon.body.of_pieces(),
        Format::Whole(_) => daemon.body.octets,
    };
    BodyLimits::admit(limit, body)?;
    // Of a larger one the most are recipients, which take none of it.
    let octets = body.size_hint().lower();
    let stay = octets <= daemon.body.octets as u64;
    daemon.admit(if stay { octets } else { 0 })
}

async fn receive(
    daemon: &Arc<Daemon>,
    format: Format,
    body: &mut Body,
    mut in_flight: InFlight,
) -> Result<(Arrived, InFlight), Refusal> {
    let arrived = match format {
        Format::InPieces(format) => stream::receive(daemon, format, body, &mut in_flight).await?,
        Format::Whole(format) => Arrived::Whole(Whole {
            format,
            octets: daemon.body.receive(body, &mut in_flight).await?,
        }),
    };
    Ok((arrived, in_flight))
}
