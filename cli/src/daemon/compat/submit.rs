//! From a request in another service's format to its receipt.

use super::super::access::Requester;
use super::super::blocking::{INLINE_BYTES, run_blocking};
use super::super::error::ApiError;
use super::super::hand_over::Remembered;
use super::super::idempotency::BodyFingerprint;
use super::super::log::RequestLog;
use super::super::request::{BodyFormat, BufferedBody, ReceivedBody};
use super::super::state::Daemon;
use super::super::submission::{
    Received, Submitting, or_conflict, receive_request, submit_received,
};
use super::translated::Places;
use axum::extract::Request;
use pmtaemail::{IdempotencyKey, Receipt, Selection, StreamFormat};
use std::borrow::Cow;
use std::sync::Arc;

/// What is known about a request apart from its body.
pub struct Asked {
    /// The service, and anything else in the head that distinguishes equal bodies with equal keys.
    pub service: Cow<'static, str>,
    pub key: Option<IdempotencyKey>,
    /// Whether the receipt can be found by its identifier later.
    pub is_found: bool,
    /// How much memory the values of a body need besides its bytes.
    pub needed: fn(&[u8]) -> usize,
}

/// Submits the only message of a request. `translate` turns their format into ours.
pub async fn submit_one<T>(
    daemon: Arc<Daemon>,
    request: Request,
    asked: Asked,
    translate: T,
    log: &RequestLog,
) -> Result<Receipt, ApiError>
where
    T: FnOnce(ReceivedBody) -> Result<Ours, ApiError> + Send + 'static,
{
    daemon.back_pressure.check()?;
    let submitter = Requester::of(&request).submitter();
    let key = asked.key.map(|key| submitter.idempotency_key(key));
    let name = asked.is_found.then(|| {
        let name = IdempotencyKey::of_receipt(log.identity().id());
        submitter.idempotency_key(name)
    });
    let service = key.is_some().then_some(&*asked.service);
    let received = receive_json(&daemon, request, service, asked.needed).await?;
    let remembered = Remembered {
        key: key.zip(received.fingerprint),
        name,
    };
    let (received, told) = match translated(received, translate).await {
        Ok(translated) => translated,
        Err(error) => return Err(or_conflict(daemon, remembered, error).await),
    };
    if let Some(description) = &told.description {
        log.description(description);
    }
    let submitting = Submitting {
        selection: Selection::All,
        submitter,
        remembered,
    };
    match submit_received(daemon, received, submitting, log).await {
        Ok(mut receipt) => {
            receipt.recipients = told.recipients.unwrap_or(receipt.recipients);
            Ok(receipt)
        }
        Err(ApiError::Problems(problems)) => {
            Err(ApiError::Problems(told.places.relocate(problems)))
        }
        Err(other) => Err(other),
    }
}

/// Receives a JSON body. `service` names the API if a fingerprint is needed.
pub async fn receive_json(
    daemon: &Arc<Daemon>,
    request: Request,
    service: Option<&str>,
    needed: fn(&[u8]) -> usize,
) -> Result<Received, ApiError> {
    let format = match BodyFormat::of(request.headers(), Vec::new()) {
        Ok(format @ BodyFormat::Streamed(StreamFormat::Json)) => Ok(format),
        _ => Err(ApiError::JsonAlone),
    };
    let fingerprint = |_: &BodyFormat, query: Option<&str>| {
        service.map(|service| BodyFingerprint::of_service(service, query))
    };
    receive_request(daemon, request, format, fingerprint, needed).await
}

/// A message in our words.
pub struct Ours {
    pub body: ReceivedBody,
    pub told: Told,
}

impl Ours {
    /// A message that is completely in memory.
    pub fn of_json(json: Vec<u8>, places: Places) -> Self {
        Self {
            body: ReceivedBody::Buffered(BufferedBody::Json(json.into())),
            told: Told {
                places,
                description: None,
                recipients: None,
            },
        }
    }
}

/// What is known about a message and has no place in our format.
pub struct Told {
    pub places: Places,
    /// What its sender says of it, for the log.
    pub description: Option<String>,
    /// How many recipients it names, if our receipt counts one that is named twice only once.
    pub recipients: Option<usize>,
}

/// Translates a body; a large one on another thread.
async fn translated<T>(received: Received, translate: T) -> Result<(Received, Told), ApiError>
where
    T: FnOnce(ReceivedBody) -> Result<Ours, ApiError> + Send + 'static,
{
    let Received {
        body,
        fingerprint,
        in_flight,
    } = received;
    let is_small = matches!(&body, ReceivedBody::Buffered(body) if body.len() <= INLINE_BYTES);
    let ours = if is_small {
        translate(body)?
    } else {
        run_blocking(move || translate(body)).await??
    };
    let received = Received {
        body: ours.body,
        fingerprint,
        in_flight,
    };
    Ok((received, ours.told))
}

/// The bytes of a body that is completely in memory: only the message itself, if its recipients are separate.
pub fn bytes_of(body: &ReceivedBody) -> &[u8] {
    match body {
        ReceivedBody::Buffered(BufferedBody::Json(bytes)) => bytes,
        ReceivedBody::Buffered(_) => unreachable!("others are refused before they come"),
        ReceivedBody::Streamed(message) => message.json(),
    }
}
