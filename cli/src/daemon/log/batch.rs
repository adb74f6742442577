//! The lines of a batch: one for each of its messages, and one for its end. All contain the request ID.

use super::super::counters::{Api, Counters, KeyCounters, Outcome, Submissions};
use super::super::error::ApiError;
use super::outcome::{Described, Failure, submission};
use super::request::RequestLog;
use super::trace::Trace;
use axum::http::StatusCode;
use pmtaemail::{Id, Position, Receipt};
use std::sync::Arc;
use std::time::Instant;
use tracing::field;
use tracing::{error, info};

/// How a batch ends.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'e> {
    /// All of it was taken.
    Whole,
    /// Too soon, for this reason.
    Failed(&'e ApiError),
    /// It ended early, because nobody reads its results.
    Unread,
}

/// What becomes of a batch.
#[derive(Debug)]
pub struct BatchLog {
    /// Where it came.
    api: Api,
    request_id: String,
    trace: Option<Trace>,
    /// The access key.
    key: Option<Arc<KeyCounters>>,
    counters: Arc<Counters>,
    started: Instant,
    is_atomic: bool,
    submitted: u64,
    failed: u64,
    recipients: u64,
    bytes: u64,
    files: u64,
    /// It was submitted before, under the same key.
    replayed: Option<bool>,
}

impl BatchLog {
    pub fn start(request: &RequestLog, api: Api, is_atomic: bool) -> Self {
        let request_id = request.request_id();
        Self {
            api,
            request_id: request_id.to_str().expect("it is printable").to_owned(),
            trace: request.trace(),
            key: request.key(),
            counters: request.counters(),
            started: Instant::now(),
            is_atomic,
            submitted: 0,
            failed: 0,
            recipients: 0,
            bytes: 0,
            files: 0,
            replayed: None,
        }
    }

    /// The whole batch, of this many messages, was submitted before.
    pub fn replayed(&mut self, count: usize) {
        self.replayed = Some(true);
        self.counters.submissions(&Submissions {
            api: self.api,
            outcome: Outcome::Replayed,
            key: self.key.as_deref(),
            count: count as u64,
            recipients: 0,
            bytes: 0,
            files: 0,
        });
        self.end(StatusCode::OK, Ending::Whole);
    }

    /// One message. For an atomic batch, the line of its end says whether it was submitted with the others.
    pub fn message(&mut self, position: Position, result: Result<&Receipt, &ApiError>) {
        let described = result.ok().map(Described::new);
        let failure = result.err().map(Failure::new);
        let failure = failure.as_ref();
        match &described {
            Some(described) => {
                self.submitted += 1;
                self.recipients += described.recipients as u64;
                self.bytes += described.bytes;
                self.files += described.files as u64;
            }
            None => self.failed += 1,
        }
        let (line, index) = match position {
            Position::Line(number) => (Some(number), None),
            Position::Index(number) => (None, Some(number)),
        };
        let described = described.as_ref();
        let id = described.map(|it| it.id).or(failure.and_then(|it| it.id));
        let status = match result {
            Ok(_) if self.is_atomic => None,
            Ok(_) => Some(200),
            Err(error) => Some(error.status().as_u16()),
        };
        self.count(result, described, failure);
        /// The level of a line is fixed at its call site, so each level has a call of its own.
        macro_rules! write {
            ($level:ident) => {
                $level!(
                    event = if self.is_atomic {
                        "batch_message"
                    } else {
                        "submission"
                    },
                    status,
                    id = id.as_ref().map(Id::as_str),
                    request_id = self.request_id,
                    trace_id = self.trace.as_ref().map(Trace::id),
                    span_id = self.trace.as_ref().map(Trace::span),
                    key = self.key.as_deref().map(KeyCounters::name),
                    line,
                    index,
                    job = described
                        .and_then(|it| it.job.as_ref())
                        .map(|it| it.as_str()),
                    vmta = described
                        .and_then(|it| it.vmta.as_ref())
                        .map(|it| it.as_str()),
                    recipients = described.map(|it| it.recipients),
                    octets = described.map(|it| it.bytes),
                    files = described.map(|it| it.files),
                    replayed = described.and_then(|it| it.replayed),
                    codes = failure.and_then(|it| it.codes.as_deref()).map(field::debug),
                    error = failure.and_then(|it| it.error.as_deref()),
                    may_be_delivered = failure.and_then(|it| it.may_be_delivered),
                )
            };
        }
        if failure.is_some_and(|failure| failure.is_ours) {
            write!(error);
        } else {
            write!(info);
        }
    }

    /// Counts one message. Those of an atomic batch are accepted when it ends.
    fn count(
        &self,
        result: Result<&Receipt, &ApiError>,
        described: Option<&Described>,
        failure: Option<&Failure>,
    ) {
        let status = result.map_or_else(ApiError::status, |_| StatusCode::OK);
        if let Some(failure) = failure {
            let codes = failure.codes.as_deref().unwrap_or_default();
            self.counters
                .refused(&failure.reason, codes, self.key.as_deref());
        }
        if !(self.is_atomic && result.is_ok()) {
            let submission = submission(self.api, Some(status), described, failure);
            self.counters
                .submissions(&submission.of_key(self.key.as_deref()));
        }
    }

    /// The batch has ended. `status` is that of the answer.
    pub fn end(&self, status: StatusCode, ending: Ending<'_>) {
        let failure = match ending {
            Ending::Whole => None,
            Ending::Failed(error) => Some(Failure::new(error)),
            Ending::Unread => Some(Failure {
                error: Some("The client is not reading the results.".to_owned()),
                reason: "results-not-read".to_owned(),
                ..Failure::default()
            }),
        };
        let failure = failure.as_ref();
        // All of an atomic batch, or nothing.
        let counts = |count| {
            if self.is_atomic && status != StatusCode::OK {
                0
            } else {
                count
            }
        };
        let (submitted, octets) = (counts(self.submitted), counts(self.bytes));
        let (recipients, files) = (counts(self.recipients), counts(self.files));
        if let Some(failure) = failure {
            self.counters
                .refused(&failure.reason, &[], self.key.as_deref());
        }
        if self.is_atomic && submitted > 0 {
            self.counters.submissions(&Submissions {
                api: self.api,
                outcome: Outcome::Accepted,
                key: self.key.as_deref(),
                count: submitted,
                recipients,
                bytes: octets,
                files,
            });
        }
        let status = status.as_u16();
        macro_rules! write {
            ($level:ident) => {
                $level!(
                    event = "batch_end",
                    status,
                    request_id = self.request_id,
                    trace_id = self.trace.as_ref().map(Trace::id),
                    span_id = self.trace.as_ref().map(Trace::span),
                    key = self.key.as_deref().map(KeyCounters::name),
                    atomic = self.is_atomic,
                    submitted,
                    failed = self.failed,
                    recipients,
                    octets,
                    files,
                    replayed = self.replayed,
                    error = failure.and_then(|it| it.error.as_deref()),
                    may_be_delivered = failure.and_then(|it| it.may_be_delivered),
                    duration_us =
                        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
                )
            };
        }
        if failure.is_some_and(|failure| failure.is_ours) {
            write!(error);
        } else {
            write!(info);
        }
    }
}
