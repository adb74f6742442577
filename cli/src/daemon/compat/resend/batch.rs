//! Up to 100 messages at once: either all of them are submitted or none, or, on request, the valid ones.

use super::super::super::access::Requester;
use super::super::super::blocking::run_blocking;
use super::super::super::connection::Permits;
use super::super::super::counters::Api;
use super::super::super::error::ApiError;
use super::super::super::hand_over::{Remembered, claim_waiting};
use super::super::super::log::{BatchLog, Ending, RequestLog};
use super::super::super::memory::needed_for_json_with_octets;
use super::super::super::query::Query;
use super::super::super::request::ReceivedBody;
use super::super::super::state::Daemon;
use super::super::super::submission::Received;
use super::super::answer;
use super::super::submit::{bytes_of, receive_json};
use super::super::translated::Places;
use super::emails::Emails;
use super::errors::message_of;
use super::{key, refuse, uuid};
use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use pmtaemail::{
    AtomicBatch, BatchFormat, Claim, Claimed, Code, Id, IdempotencyKey, Position, Problem,
    Problems, Receipt, Submitter,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// What becomes of a batch in which some messages break rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Validation {
    /// Nothing of it is submitted.
    Strict,
    /// The others are.
    Permissive,
}

/// The outcome of a batch.
#[derive(Default)]
struct Outcome {
    /// The identifiers of those that were submitted, in order.
    ids: Vec<Id>,
    /// The others, by their index.
    refused: Vec<(u64, Problems)>,
    /// It was submitted before, under the same key.
    is_replayed: bool,
}

/// Submits a batch.
pub async fn submit(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("batch");
    let response = try_submit(daemon, request, &log).await;
    answer::or_refusal(response, &log, refuse)
}

async fn try_submit(
    daemon: Arc<Daemon>,
    request: Request,
    log: &RequestLog,
) -> Result<Response, ApiError> {
    let validation = Validation::of(request.headers())?;
    Query::of(request.uri(), &[])?.without_others()?;
    let key = key::of(request.headers())?;
    daemon.back_pressure.check()?;
    let submitter = Requester::of(&request).batch_submitter();
    let permits = request.extensions().get::<Permits>().cloned();
    let key = key.map(|key| submitter.idempotency_key(key));
    let name = IdempotencyKey::of_receipt(log.identity().id());
    let name = submitter.idempotency_key(name);
    let mut log = BatchLog::start(log, Api::Resend, true);
    let service = key.is_some().then_some(validation.service());
    let received = receive_json(&daemon, request, service, needed_for_json_with_octets).await;
    let received = received.and_then(|received| {
        // The body may have taken a while.
        daemon.back_pressure.check()?;
        Ok(received)
    });
    let failed = |error: &ApiError, log: &BatchLog| log.end(error.status(), Ending::Failed(error));
    let Received {
        body,
        fingerprint,
        in_flight,
    } = received.inspect_err(|error| failed(error, &log))?;
    let remembered = Remembered {
        key: key.zip(fingerprint),
        name: key.is_none().then_some(name),
    };
    let outcome = run_blocking(move || {
        let work = Work {
            daemon: &daemon,
            submitter,
            log: &mut log,
        };
        let outcome = work.submit(body, remembered, validation);
        drop((in_flight, permits));
        match &outcome {
            Ok(outcome) if outcome.is_replayed => log.replayed(outcome.ids.len()),
            Ok(_) => log.end(StatusCode::OK, Ending::Whole),
            Err(error @ ApiError::Problems(_)) => log.end(error.status(), Ending::Whole),
            Err(error) => failed(error, &log),
        }
        outcome
    });
    // After a panic it is unknown whether they were submitted.
    let outcome = outcome.await.map_err(|_panic| ApiError::UNKNOWN)??;
    Ok(accepted(&outcome, validation))
}

impl Validation {
    /// The value of the header field of that name. Clients send `strict` by default.
    fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut values = headers.get_all("x-batch-validation").iter();
        let (first, second) = (values.next(), values.next());
        match first.map(HeaderValue::as_bytes) {
            None | Some(b"strict") if second.is_none() => Ok(Self::Strict),
            Some(b"permissive") if second.is_none() => Ok(Self::Permissive),
            _ => {
                let detail = "The header `x-batch-validation` must be `strict` or `permissive`.";
                let problem = Problem::found(Code::InvalidChoice, "", detail);
                Err(ApiError::Problems(problem.into()))
            }
        }
    }

    /// Distinguishes equal bodies with equal keys.
    fn service(self) -> &'static str {
        match self {
            Self::Strict => "resend batch",
            Self::Permissive => "resend permissive batch",
        }
    }
}

/// A batch that is there.
struct Work<'w> {
    daemon: &'w Daemon,
    submitter: Submitter,
    log: &'w mut BatchLog,
}

impl Work<'_> {
    /// Submits its messages, or finds what was submitted under its key.
    fn submit(
        mut self,
        body: ReceivedBody,
        remembered: Remembered,
        validation: Validation,
    ) -> Result<Outcome, ApiError> {
        let claim = match claim_waiting(&self.daemon.pickup, remembered)? {
            None => None,
            Some(Claimed::First(claim)) => Some(claim),
            Some(Claimed::Again(receipt)) => {
                return Ok(Outcome {
                    ids: ids_of(&receipt)?,
                    refused: match validation {
                        Validation::Strict => Vec::new(),
                        Validation::Permissive => self.read(&body, validation)?.1,
                    },
                    is_replayed: true,
                });
            }
        };
        let (emails, refused) = self.read(&body, validation)?;
        drop(body);
        if validation == Validation::Strict && !refused.is_empty() {
            return Err(self.refuse(refused));
        }
        for (index, problems) in &refused {
            let error = ApiError::Problems(problems.clone());
            self.log.message(Position::Index(*index), Err(&error));
        }
        let ids = self.hand_over(emails, claim)?;
        Ok(Outcome {
            ids,
            refused,
            is_replayed: false,
        })
    }

    /// Its messages in our format, and the problems of the others. If some are known to be refused, all are read once
    /// before any is submitted.
    fn read(
        &self,
        body: &ReceivedBody,
        validation: Validation,
    ) -> Result<(Emails, Vec<(u64, Problems)>), ApiError> {
        let mut emails = Emails::translate(bytes_of(body)).map_err(ApiError::Problems)?;
        if validation == Validation::Permissive || emails.are_some_refused() {
            emails.check(self.submitter.senders())?;
        }
        let refused = emails.take_refused();
        Ok((emails, refused))
    }

    fn refuse(&mut self, refused: Vec<(u64, Problems)>) -> ApiError {
        let mut all = Vec::new();
        for (index, problems) in refused {
            all.extend(problems.iter().cloned());
            let error = ApiError::Problems(problems);
            self.log.message(Position::Index(index), Err(&error));
        }
        Problems::some(all).map_or(ApiError::Internal, ApiError::Problems)
    }

    fn hand_over(&mut self, emails: Emails, claim: Option<Claim>) -> Result<Vec<Id>, ApiError> {
        let (mut ids, mut refused) = (Vec::new(), Vec::new());
        if emails.is_empty() {
            return Ok(ids);
        }
        let pickup = &self.daemon.pickup;
        let batch = AtomicBatch::new(BatchFormat::Array, emails.longest());
        let mut batch = batch
            .with_submitter(self.submitter.clone())
            .with_claim(claim)
            .naming_receipts();
        let places = emails.feed(|bytes| batch.feed(bytes, Some(pickup)))?;
        let mut failure = None;
        batch.submit(pickup, |position, result, _| {
            let (index, places) = place_of(position, &places);
            match result.map_err(ApiError::from) {
                Ok(receipt) => {
                    (self.log).message(Position::Index(index), Ok(&receipt));
                    ids.push(receipt.id);
                }
                Err(ApiError::Problems(problems)) => {
                    refused.push((index, places.relocate(problems)));
                }
                Err(error) => failure = Some(error),
            }
            Ok(())
        })?;
        match failure {
            Some(error) => Err(error),
            None if refused.is_empty() => Ok(ids),
            None => Err(self.refuse(refused)),
        }
    }
}

/// The index in their batch of a message of ours, and the origins of its parts.
fn place_of(position: Position, fed: &[(u64, Places)]) -> (u64, &Places) {
    let number = match position {
        Position::Index(number) => usize::try_from(number).ok(),
        Position::Line(_) => None,
    };
    let (index, places) = number
        .and_then(|number| fed.get(number))
        .expect("it is one of those that were fed");
    (*index, places)
}

/// The identifiers of the messages of a batch, from the files that its receipt names: each name starts with one.
fn ids_of(whole: &Receipt) -> Result<Vec<Id>, ApiError> {
    let id = |file: &String| file.get(..whole.id.as_str().len())?.parse().ok();
    let ids: Option<Vec<Id>> = whole.files.iter().map(id).collect();
    let mut ids = ids.ok_or(ApiError::Internal)?;
    ids.dedup();
    Ok(ids)
}

fn accepted(outcome: &Outcome, validation: Validation) -> Response {
    let id = |id: &Id| json!({"id": uuid::text(id.to_uuid())});
    let mut body = json!({"data": outcome.ids.iter().map(id).collect::<Vec<_>>()});
    if validation == Validation::Permissive {
        let refused = outcome.refused.iter();
        let errors = refused.map(|(index, problems)| {
            let own = format!("/{index}");
            let within = |pointer: &str| {
                let rest = pointer.strip_prefix(&own);
                rest.unwrap_or(pointer).to_owned()
            };
            let message = message_of(&problems.clone().relocated(within));
            json!({"index": index, "message": message})
        });
        body["errors"] = errors.collect::<Vec<Value>>().into();
    }
    let mut response = answer::json(StatusCode::OK, &body);
    if outcome.is_replayed {
        key::add_replayed(response.headers_mut());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_batch_is_validated_is_said_in_the_head() {
        let validation = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-batch-validation", value.parse().unwrap());
            }
            Validation::of(&headers).ok()
        };
        assert_eq!(validation(&[]), Some(Validation::Strict));
        assert_eq!(validation(&["strict"]), Some(Validation::Strict));
        assert_eq!(validation(&["permissive"]), Some(Validation::Permissive));
        for wrong in [&[""][..], &["Strict"], &["loose"], &["strict", "strict"]] {
            assert_eq!(validation(wrong), None, "{wrong:?}");
        }
    }
}
