//! `POST /messages` and its relatives: one message in the body.

use super::access::Requester;
use super::admission::{InFlight, Receiving};
use super::blocking::{run_blocking, run_submission};
use super::client::Peer;
use super::coding::{Coding, DecodedBody};
use super::error::ApiError;
use super::hand_over::{INLINE_BYTES, Keyed, hand_over, submit_once};
use super::idempotency::{self, BodyFingerprint};
use super::log::RequestLog;
use super::memory::needed;
use super::query::{self, Query};
use super::receipt::{self, ReceiptFormat, json};
use super::request::{BodyFormat, BufferedBody, Checked, ReceivedBody};
use super::state::Daemon;
use super::stream::{self, PartialBody};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use pmtaemail::{
    ClaimError, Fingerprint, Identity, Message, PickupError, Receipt, RejectedRecipients,
    Selection, SenderDomains, StreamedMessage, Submission, SubmitError, Submitter, Warning,
};
use serde::Serialize;
use std::sync::Arc;

/// Submits a message and answers with its receipt.
pub async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("submission");
    let format = ReceiptFormat::of(request.headers());
    let result = match Query::of(request.uri(), query::SUBMIT) {
        Ok(query) => try_submit(daemon, request, query, &log).await,
        Err(error) => Err(error),
    };
    answer(&log, result.map(|receipt| receipt::answer(receipt, format)))
}

/// What is answered, and logged.
fn answer(log: &RequestLog, result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(|error| {
        log.failed(&error);
        error.into_response()
    })
}

/// Answers 200 if a message is right, and with its problems (422) if not.
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
    let verbs = |_, submitter: Submitter| {
        let senders = submitter.senders().clone();
        let buffered = move |body: &BufferedBody| body.check(&senders);
        let streamed = move |received: StreamedMessage| {
            let received = received.with_submitter(submitter);
            let warnings = received.warnings();
            let rejected = received.check()?;
            Ok(Checked { warnings, rejected })
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
    let verbs = |selection, submitter: Submitter| {
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
        selection, others, ..
    }: Query,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    daemon.back_pressure.check()?;
    let submitter = Requester::of(&request).submitter();
    let key = idempotency::key_of(request.headers())?;
    let key = key.map(|key| submitter.idempotency_key(key));
    let received = receive_request(&daemon, request, others, key.is_some()).await?;
    let Received {
        body,
        fingerprint,
        in_flight,
    } = received;
    let keyed = key.zip(fingerprint);
    // A body may have taken its time.
    daemon.back_pressure.check()?;
    let identity = log.identity();
    let permit = Arc::clone(&daemon.submissions).acquire_owned().await;
    let receipt = match body {
        ReceivedBody::Streamed(message) => {
            let message = message.with_identity(identity).with_selection(selection);
            let message = message.with_submitter(submitter);
            let submit = move || {
                submit_once(&daemon.pickup, keyed, |claim| {
                    message.with_claim(claim).submit(&daemon.pickup)
                })
            };
            run_submission(identity.id(), submit).await??
        }
        ReceivedBody::Buffered(body) => {
            let submission = Buffered {
                body,
                selection,
                submitter,
                keyed,
            };
            submit_buffered(daemon, submission, identity, log).await?
        }
    };
    drop((in_flight, permit));
    log.receipt(&receipt);
    Ok(receipt)
}

/// A submission whose body is in memory.
struct Buffered {
    body: BufferedBody,
    selection: Selection,
    submitter: Submitter,
    keyed: Keyed,
}

async fn submit_buffered(
    daemon: Arc<Daemon>,
    Buffered {
        body,
        selection,
        submitter,
        keyed,
    }: Buffered,
    identity: Identity,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    let files = move |message: &Message<'_>| {
        (!message.is_merge()).then(|| Submission::with_identity(message, identity))
    };
    let senders = submitter.senders().clone();
    let (submission, body) = match read(body, selection, senders, files).await {
        Ok(read) => read,
        Err(error) => return Err(or_conflict(daemon, keyed, error).await),
    };
    let Some(submission) = submission else {
        // Its files may be many and large: no more than one of them should be in memory.
        let submit = move || {
            submit_once(&daemon.pickup, keyed, |claim| {
                body.read(selection, submitter.senders(), |message| {
                    submit_counted(&submitter, message.addressee_count(), || {
                        (daemon.pickup).submit_message_claimed(message, identity, claim)
                    })
                })?
            })
        };
        return run_submission(identity.id(), submit).await?;
    };
    drop(body);
    log.submission(&submission);
    hand_over(daemon, submission, keyed, &submitter).await
}

/// Submits something that counts so many recipients of somebody's, if it goes well.
fn submit_counted(
    submitter: &Submitter,
    recipients: usize,
    submit: impl FnOnce() -> Result<Receipt, PickupError>,
) -> Result<Receipt, ApiError> {
    let reserved = submitter.reserve(recipients).map_err(ApiError::OverQuota)?;
    let result = submit();
    reserved.settle(&result);
    Ok(result?)
}

/// A message that breaks rules, under a key that stands for another, is told of the key.
async fn or_conflict(daemon: Arc<Daemon>, keyed: Keyed, error: ApiError) -> ApiError {
    let Some((key, fingerprint)) = keyed else {
        return error;
    };
    match run_blocking(move || daemon.pickup.claim(key, fingerprint)).await {
        Ok(Err(refused @ (ClaimError::Conflict | ClaimError::InWork))) => refused.into(),
        _ => error,
    }
}

/// Receives a request's message and gives what `buffered` or `streamed` makes of it.
async fn process<T, B, S>(
    daemon: &Arc<Daemon>,
    request: Request,
    names: &[query::Name],
    verbs: impl FnOnce(Selection, Submitter) -> (B, S),
) -> Result<T, ApiError>
where
    T: Send + 'static,
    B: FnOnce(&BufferedBody) -> Result<T, ApiError> + Send + 'static,
    S: FnOnce(StreamedMessage) -> Result<T, SubmitError> + Send + 'static,
{
    let Query {
        selection, others, ..
    } = Query::of(request.uri(), names)?;
    let submitter = Requester::of(&request).submitter();
    let (buffered, streamed) = verbs(selection, submitter);
    // Nothing happens twice here, so a key changes nothing.
    let received = receive_request(daemon, request, others, false).await?;
    let _in_flight = received.in_flight;
    match received.body {
        ReceivedBody::Buffered(body) if body.len() <= INLINE_BYTES => buffered(&body),
        ReceivedBody::Buffered(body) => run_blocking(move || buffered(&body)).await?,
        ReceivedBody::Streamed(message) => Ok(run_blocking(move || streamed(*message)).await??),
    }
}

/// Reads a body that is all there, where it takes no other's time.
async fn read<T: Send + 'static>(
    body: BufferedBody,
    selection: Selection,
    senders: SenderDomains,
    then: impl FnOnce(&Message<'_>) -> T + Send + 'static,
) -> Result<(T, BufferedBody), ApiError> {
    if body.len() <= INLINE_BYTES {
        return Ok((body.read(selection, &senders, then)?, body));
    }
    run_blocking(move || Ok((body.read(selection, &senders, then)?, body))).await?
}

/// A body, and its place among the messages at work.
struct Received {
    body: ReceivedBody,
    /// Where it was asked for.
    fingerprint: Option<Fingerprint>,
    in_flight: InFlight,
}

/// Receives the body of a request, if its format is known and there is room for it. The room comes first: bodies
/// are what takes memory.
///
/// A place among the messages at work is taken when all of the body is there.
async fn receive_request(
    daemon: &Arc<Daemon>,
    request: Request,
    others: Vec<(String, String)>,
    has_key: bool,
) -> Result<Received, ApiError> {
    let format = BodyFormat::of(request.headers(), others);
    let peer = Peer::of(&request);
    let codings = Coding::of(request.headers());
    let (format, codings) = (format?, codings?);
    let limit = match format {
        BodyFormat::Streamed(_) | BodyFormat::Form { .. } => daemon.body.max_streamed(),
        BodyFormat::Rfc822 { .. } => daemon.body.bytes,
    };
    let fingerprint = has_key.then(|| BodyFingerprint::new(&format, request.uri().query()));
    let mut body = DecodedBody::new(request.into_body(), &codings, limit)?;
    body.observe(fingerprint);
    let receiving = admit(daemon, peer, &body)?;
    let gives_way = receiving.gives_way();
    tokio::select! {
        biased;
        received = receive(daemon, format, &mut body, receiving) => received,
        () = gives_way => Err(ApiError::GaveWay),
    }
}

/// Makes room for one more body with the bytes that it announces.
fn admit(daemon: &Daemon, peer: Peer, body: &DecodedBody) -> Result<Receiving, ApiError> {
    // Of a larger one the most are recipients, which take none of it.
    let bytes = body.least();
    let stay = if bytes <= daemon.body.bytes as u64 {
        needed(usize::try_from(bytes).unwrap_or(usize::MAX)) as u64
    } else {
        0
    };
    daemon.admission.receive(peer.into(), stay)
}

async fn receive(
    daemon: &Arc<Daemon>,
    format: BodyFormat,
    body: &mut DecodedBody,
    mut receiving: Receiving,
) -> Result<Received, ApiError> {
    let received = match format {
        BodyFormat::Streamed(format) => {
            let received = PartialBody::new(format, body, daemon.body);
            stream::receive(daemon, received, body, &mut receiving).await?
        }
        BodyFormat::Form { boundary } => {
            let received = PartialBody::form(boundary);
            stream::receive(daemon, received, body, &mut receiving).await?
        }
        BodyFormat::Rfc822 { envelope } => ReceivedBody::Buffered(BufferedBody::Rfc822 {
            bytes: daemon.body.receive(body, &mut receiving).await?,
            envelope,
        }),
    };
    receiving.grow_once(received.needed_more()).await?;
    Ok(Received {
        body: received,
        fingerprint: body.take_fingerprint(),
        in_flight: receiving.at_work()?,
    })
}
