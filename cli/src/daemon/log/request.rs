//! The line for one request. Every request has one, whatever happens to it.

use super::super::client::Peer;
use super::super::counters::{Api, Counters, KeyCounters, Kind};
use super::super::error::ApiError;
use super::outcome::{Described, Failure, Value, submission};
use super::trace::{TRACEPARENT, Trace};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use pmtaemail::{Id, Identity, Receipt, Submission};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Instant;
use tracing::field;
use tracing::{debug, error, info, warn};

/// The header field that names a request.
pub const REQUEST_ID: &str = "x-request-id";

/// The maximum length of a request ID that is accepted from a client, in characters.
const LONGEST_REQUEST_ID: usize = 128;

/// The outcome of a request, for its line in the log. Clones belong to the same request.
#[derive(Debug, Clone)]
pub struct RequestLog {
    identity: Identity,
    /// The client's own name for the request.
    given_id: Option<HeaderValue>,
    trace: Option<Trace>,
    record: Arc<Mutex<Record>>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Record {
    /// The key that it came with.
    key: Option<Arc<KeyCounters>>,
    event: Option<&'static str>,
    /// Where it came, if it is a submission.
    api: Option<Api>,
    /// What its sender says of it.
    description: Option<Value>,
    described: Option<Described>,
    failure: Option<Failure>,
}

impl RequestLog {
    /// The identity of its submission, if it is one. Where the client does not name the request, its
    /// identifier does.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// What the request is for.
    pub fn event(&self, event: &'static str) {
        self.record().event = Some(event);
    }

    /// It is for a submission.
    pub fn submits(&self, api: Api) {
        let mut record = self.record();
        record.event = Some("submission");
        record.api = Some(api);
    }

    /// What its sender says of it.
    pub fn description(&self, text: &str) {
        self.record().description = Some(Value::new(text));
    }

    pub fn submission(&self, submission: &Submission) {
        self.record().described = Some(Described {
            id: *submission.id(),
            recipients: submission.recipients(),
            bytes: submission.size(),
            files: submission.files().len(),
            replayed: None,
            job: submission.job().map(Value::new),
            vmta: submission.vmta().map(Value::new),
        });
    }

    /// Nothing is known about a mail merge before it has been submitted.
    pub fn receipt(&self, receipt: &Receipt) {
        self.record().described = Some(Described::new(receipt));
    }

    /// The value of X-Request-Id.
    pub fn request_id(&self) -> HeaderValue {
        let id = self.identity.id();
        let own = || HeaderValue::from_str(id.as_str()).expect("digits and letters are a value");
        self.given_id.clone().unwrap_or_else(own)
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// The trace that it belongs to.
    pub(super) fn trace(&self) -> Option<Trace> {
        self.trace
    }

    /// It came with this key.
    pub fn with_key(&self, key: Arc<KeyCounters>) {
        self.record().key = Some(key);
    }

    /// The key that it came with.
    pub(super) fn key(&self) -> Option<Arc<KeyCounters>> {
        self.record().key.clone()
    }

    /// Why the request is not done.
    pub fn failed(&self, error: &ApiError) {
        self.record().failure = Some(Failure::new(error));
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().expect("nothing panics with the lock")
    }
}

impl Record {
    /// Counts the outcome.
    fn count(&self, status: Option<StatusCode>, counters: &Counters) {
        let key = self.key.as_deref();
        if let Some(failure) = &self.failure {
            let codes = failure.codes.as_deref().unwrap_or_default();
            counters.refused(&failure.reason, codes, key);
        }
        if let Some(api) = self.api {
            let described = self.described.as_ref();
            let failure = self.failure.as_ref();
            let submission = submission(api, status, described, failure);
            counters.submissions(&submission.of_key(key));
        }
    }
}

/// A request in progress, and its client. If it is dropped before it is answered, it is logged without a status: the
/// outcome is unknown.
#[derive(Debug)]
pub struct Pending {
    log: RequestLog,
    started: Instant,
    client: Peer,
    user_agent: Option<Value>,
    kind: Kind,
    is_logged: bool,
}

impl Pending {
    /// Reads the client's data from the head of a request, which is counted as one to `route`.
    pub fn start(
        client: Peer,
        request: &Request,
        route: &'static str,
        counters: &Arc<Counters>,
    ) -> Self {
        let user_agent = request.headers().get(header::USER_AGENT);
        Self {
            log: RequestLog {
                identity: Identity::now(),
                given_id: given_request_id(request.headers()).cloned(),
                trace: Trace::of(request.headers()),
                record: Arc::default(),
                counters: Arc::clone(counters),
            },
            kind: Kind::new(request.method(), route),
            started: Instant::now(),
            client,
            user_agent: user_agent
                .map(|value| Value::new(&String::from_utf8_lossy(value.as_bytes()))),
            is_logged: false,
        }
    }

    /// For those who know the outcome.
    pub fn log(&self) -> RequestLog {
        self.log.clone()
    }

    /// Names the request in the head of its answer, and its trace if it has one.
    pub fn mark(&self, headers: &mut HeaderMap) {
        headers.insert(REQUEST_ID, self.log.request_id());
        if let Some(trace) = self.log.trace {
            headers.insert(TRACEPARENT, trace.answer());
        }
    }

    /// Writes the line.
    pub fn answered(mut self, status: StatusCode) {
        self.write(Some(status));
    }

    fn write(&mut self, status: Option<StatusCode>) {
        self.is_logged = true;
        let record = self.log.record();
        let duration = self.started.elapsed();
        let counters = &self.log.counters;
        counters.request(self.kind, status.map(|status| status.as_u16()), duration);
        record.count(status, counters);
        let event = record.event.unwrap_or("request");
        let described = record.described.as_ref();
        let failure = record.failure.as_ref();
        let id = described.map(|described| described.id);
        let id = id.or(failure.and_then(|failure| failure.id));
        let line = Line {
            event,
            status: status.map(|status| status.as_u16()),
            id: id.as_ref().map(Id::as_str),
            request_id: self.log.request_id(),
            trace: self.log.trace,
            client: self.client,
            key: record.key.as_deref().map(KeyCounters::name),
            user_agent: self.user_agent.as_ref().map(Value::as_str),
            job: described.and_then(|it| it.job.as_ref()).map(Value::as_str),
            vmta: described.and_then(|it| it.vmta.as_ref()).map(Value::as_str),
            description: record.description.as_ref().map(Value::as_str),
            recipients: described.map(|it| it.recipients),
            octets: described.map(|it| it.bytes),
            files: described.map(|it| it.files),
            replayed: described.and_then(|it| it.replayed),
            codes: failure.and_then(|it| it.codes.as_deref()),
            error: failure.and_then(|it| it.error.as_deref()),
            may_be_delivered: failure.and_then(|it| it.may_be_delivered),
            duration_us: u64::try_from(duration.as_micros()).unwrap_or(u64::MAX),
        };
        match status {
            None => line.error(),
            Some(_) if failure.is_some_and(|failure| failure.is_ours) => line.error(),
            Some(StatusCode::FORBIDDEN) => line.warn(),
            // Programs request these every few seconds; changes are logged separately.
            Some(_) if event == "health_request" || event == "metrics_request" => line.debug(),
            Some(_) => line.info(),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.is_logged {
            let status = thread::panicking().then_some(StatusCode::INTERNAL_SERVER_ERROR);
            self.write(status);
        }
    }
}

/// The line for a request whose head is not HTTP. Returns the request ID.
pub fn broken_head(client: Peer, error: &ApiError) -> Id {
    let id = Identity::now().id();
    let (status, request_id) = (error.status().as_u16(), id.as_str());
    let error = error.problem_details();
    let error = error.sentence();
    info!(event = "request", status, request_id, %client, error);
    id
}

/// Everything that a line may contain.
struct Line<'l> {
    event: &'static str,
    status: Option<u16>,
    id: Option<&'l str>,
    request_id: HeaderValue,
    trace: Option<Trace>,
    client: Peer,
    key: Option<&'l str>,
    user_agent: Option<&'l str>,
    job: Option<&'l str>,
    vmta: Option<&'l str>,
    description: Option<&'l str>,
    recipients: Option<usize>,
    octets: Option<u64>,
    files: Option<usize>,
    replayed: Option<bool>,
    codes: Option<&'l [&'static str]>,
    error: Option<&'l str>,
    may_be_delivered: Option<bool>,
    duration_us: u64,
}

/// The level of a line is fixed at its call site, so each level has a call of its own.
macro_rules! at_level {
    ($level:ident) => {
        fn $level(&self) {
            $level!(
                event = self.event,
                status = self.status,
                id = self.id,
                request_id = self.request_id.to_str().expect("it is printable"),
                trace_id = self.trace.as_ref().map(Trace::id),
                span_id = self.trace.as_ref().map(Trace::span),
                client = %self.client,
                key = self.key,
                user_agent = self.user_agent,
                job = self.job,
                vmta = self.vmta,
                description = self.description,
                recipients = self.recipients,
                octets = self.octets,
                files = self.files,
                replayed = self.replayed,
                codes = self.codes.map(field::debug),
                error = self.error,
                may_be_delivered = self.may_be_delivered,
                duration_us = self.duration_us,
            )
        }
    };
}

impl Line<'_> {
    at_level!(error);
    at_level!(warn);
    at_level!(info);
    at_level!(debug);
}

/// How the client names its request: printable ASCII without blanks.
fn given_request_id(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(REQUEST_ID).filter(|value| {
        let length = value.as_bytes().len();
        (1..=LONGEST_REQUEST_ID).contains(&length)
            && value.as_bytes().iter().all(u8::is_ascii_graphic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_printable_ascii() {
        for (value, is_taken) in [
            (&b"abc-1/2"[..], true),
            (&[b'x'; 128], true),
            (&[b'x'; 129], false),
            (b"", false),
            (b"a b", false),
            (b"\xff", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
            assert_eq!(given_request_id(&headers).is_some(), is_taken, "{value:?}");
        }
    }
}
