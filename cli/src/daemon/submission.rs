//! From a request with one message to its receipt, in any API.

use super::admission::{InFlight, Receiving};
use super::blocking::{INLINE_BYTES, run_blocking, run_submission};
use super::client::Peer;
use super::coding::{Coding, DecodedBody};
use super::error::ApiError;
use super::hand_over::{Remembered, hand_over, submit_once};
use super::idempotency::BodyFingerprint;
use super::log::RequestLog;
use super::memory::needed;
use super::request::{BodyFormat, BufferedBody, ReceivedBody};
use super::state::Daemon;
use super::stream::{self, PartialBody};
use axum::extract::Request;
use pmtaemail::{
    ClaimError, Fingerprint, Identity, Message, PickupError, Receipt, Selection, SenderDomains,
    Submission, Submitter,
};
use std::sync::Arc;

/// How a message is submitted.
pub struct Submitting {
    pub selection: Selection,
    pub submitter: Submitter,
    pub remembered: Remembered,
}

/// Submits a message that has arrived.
pub async fn submit_received(
    daemon: Arc<Daemon>,
    received: Received,
    submitting: Submitting,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    // The body may have taken a while.
    daemon.back_pressure.check()?;
    let Received {
        body, in_flight, ..
    } = received;
    let identity = log.identity();
    let permit = Arc::clone(&daemon.submissions).acquire_owned().await;
    let receipt = match body {
        ReceivedBody::Streamed(message) => {
            let Submitting {
                selection,
                submitter,
                remembered,
            } = submitting;
            let message = message.with_identity(identity).with_selection(selection);
            let message = message.with_submitter(submitter);
            let submit = move || {
                submit_once(&daemon.pickup, remembered, |claim| {
                    message.with_claim(claim).submit(&daemon.pickup)
                })
            };
            run_submission(identity.id(), submit).await??
        }
        ReceivedBody::Buffered(body) => {
            submit_buffered(daemon, body, submitting, identity, log).await?
        }
    };
    drop((in_flight, permit));
    log.receipt(&receipt);
    Ok(receipt)
}

async fn submit_buffered(
    daemon: Arc<Daemon>,
    body: BufferedBody,
    Submitting {
        selection,
        submitter,
        remembered,
    }: Submitting,
    identity: Identity,
    log: &RequestLog,
) -> Result<Receipt, ApiError> {
    let files = move |message: &Message<'_>| {
        (!message.is_merge()).then(|| Submission::with_identity(message, identity))
    };
    let senders = submitter.senders().clone();
    let (submission, body) = match read(body, selection, senders, files).await {
        Ok(read) => read,
        Err(error) => return Err(or_conflict(daemon, remembered, error).await),
    };
    let Some(submission) = submission else {
        // Its files may be many and large: no more than one of them should be in memory.
        let submit = move || {
            submit_once(&daemon.pickup, remembered, |claim| {
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
    hand_over(daemon, submission, remembered, &submitter).await
}

/// Submits something; its recipients are counted if it succeeds.
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

/// If an invalid message has a key that stands for another one, the key is the problem that is reported.
pub async fn or_conflict(daemon: Arc<Daemon>, remembered: Remembered, error: ApiError) -> ApiError {
    let Some((key, fingerprint)) = remembered.key else {
        return error;
    };
    match run_blocking(move || daemon.pickup.claim(key, fingerprint)).await {
        Ok(Err(refused @ (ClaimError::Conflict | ClaimError::InWork))) => refused.into(),
        _ => error,
    }
}

/// Reads a complete body; a large one on another thread.
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

/// A body, and its place among the messages in progress.
pub struct Received {
    pub body: ReceivedBody,
    /// Where it was asked for.
    pub fingerprint: Option<Fingerprint>,
    pub in_flight: InFlight,
}

/// Receives the body of a request, if its format is known and there is room for it. The room comes first: bodies are
/// what takes memory. `fingerprint` is called if the request has a key. `for_json` returns what the values of a body
/// need besides its bytes.
///
/// A place among the messages in progress is taken when all of the body has arrived.
pub async fn receive_request(
    daemon: &Arc<Daemon>,
    request: Request,
    format: Result<BodyFormat, ApiError>,
    fingerprint: impl FnOnce(&BodyFormat, Option<&str>) -> Option<BodyFingerprint>,
    for_json: fn(&[u8]) -> usize,
) -> Result<Received, ApiError> {
    let peer = Peer::of(&request);
    let codings = Coding::of(request.headers());
    let (format, codings) = (format?, codings?);
    let limit = match format {
        BodyFormat::Streamed(_) | BodyFormat::Form { .. } => daemon.body.max_streamed(),
        BodyFormat::Rfc822 { .. } => daemon.body.bytes,
    };
    let fingerprint = fingerprint(&format, request.uri().query());
    let mut body = DecodedBody::new(request.into_body(), &codings, limit)?;
    body.observe(fingerprint);
    let receiving = admit(daemon, peer, &body)?;
    let gives_way = receiving.gives_way();
    tokio::select! {
        biased;
        received = receive(daemon, format, &mut body, receiving, for_json) => received,
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
    for_json: fn(&[u8]) -> usize,
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
    receiving.grow_once(received.needed_more(for_json)).await?;
    Ok(Received {
        body: received,
        fingerprint: body.take_fingerprint(),
        in_flight: receiving.at_work()?,
    })
}
