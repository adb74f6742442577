//! What is counted as it happens, for `metrics`.
//!
//! Counting costs only a few additions and a lookup in a small table. A label is a word of this program or the name of
//! an access key, which the operator gave, but never a value from a client.

use axum::http::Method;
use pmtaemail::{CommitReport, Identity, RollForwardReport};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// All that is counted since the start.
#[derive(Debug)]
pub struct Counters {
    pub registry: Registry,
    pub started: SystemTime,
    requests: Family<RequestLabels, Counter>,
    request_durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    submissions: [OfOutcomes; Api::ALL.len()],
    recipients: Counter,
    bytes: Counter,
    files: Counter,
    problems: Family<CodeLabels, Counter>,
    refusals: Family<ReasonLabels, Counter>,
    key_refusals: Family<KeyReasonLabels, Counter>,
    key_submissions: Family<KeyOutcomeLabels, Counter>,
    key_recipients: Family<KeyLabels, Counter>,
    commit_transactions: Histogram,
    commit_errors: Counter,
    sync_durations: Family<SyncLabels, Histogram, fn() -> Histogram>,
    rolled_forward: Counter,
    roll_forward_failures: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: &'static str,
    /// `none` where the client went away before there was an answer.
    status: Status,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SubmissionLabels {
    api: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyReasonLabels {
    key: Arc<str>,
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyOutcomeLabels {
    key: Arc<str>,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KeyLabels {
    key: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SyncLabels {
    of: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
}

/// A status of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Status(Option<u16>);

impl prometheus_client::encoding::EncodeLabelValue for Status {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> fmt::Result {
        match self.0 {
            Some(status) => status.encode(encoder),
            None => "none".encode(encoder),
        }
    }
}

/// The paths that take submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/messages`.
    Messages,
    /// `/messages/batch`, each of whose messages is a submission.
    Batch,
    /// `/api/v1/transmissions`, in SparkPost's words.
    SparkPost,
    /// `/emails` and `/emails/batch`, in Resend's.
    Resend,
}

impl Api {
    const ALL: [Self; 4] = [Self::Messages, Self::Batch, Self::SparkPost, Self::Resend];

    fn word(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Batch => "batch",
            Self::SparkPost => "sparkpost",
            Self::Resend => "resend",
        }
    }
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// `other` if it is not one of the usual methods: a client may invent one.
    method: &'static str,
    route: &'static str,
}

impl Kind {
    /// A request of this method to one of our paths, or `other`.
    pub fn new(method: &Method, route: &'static str) -> Self {
        let usual = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"];
        let method = usual.into_iter().find(|usual| method.as_str() == *usual);
        Self {
            method: method.unwrap_or("other"),
            route,
        }
    }
}

/// The outcome of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was submitted.
    Accepted,
    /// It had been submitted before, under the same idempotency key.
    Replayed,
    /// Its sender has to change something.
    Rejected,
    /// It may be taken if it is sent again.
    Deferred,
    /// A fault of this program.
    Failed,
    /// PowerMTA may have it in spite of an error.
    Unknown,
    /// The client went away before it was all there.
    Abandoned,
}

impl Outcome {
    const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Replayed,
        Self::Rejected,
        Self::Deferred,
        Self::Failed,
        Self::Unknown,
        Self::Abandoned,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Replayed => "replayed",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A counter for each of [`Outcome::ALL`]. All exist from the start: a first failure would not be an increase if there
/// were no value before.
type OfOutcomes = [Counter; Outcome::ALL.len()];

/// What is counted of one access key.
#[derive(Debug)]
pub struct KeyCounters {
    name: Arc<str>,
    submissions: OfOutcomes,
    recipients: Counter,
}

impl KeyCounters {
    /// The name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Submissions of one outcome.
#[derive(Debug, Clone, Copy)]
pub struct Submissions<'k> {
    pub api: Api,
    pub outcome: Outcome,
    /// The access key that they came with.
    pub key: Option<&'k KeyCounters>,
    pub count: u64,
    /// Of those that were accepted.
    pub recipients: u64,
    pub bytes: u64,
    pub files: u64,
}

impl<'k> Submissions<'k> {
    /// They came with this access key.
    pub fn of_key(self, key: Option<&'k KeyCounters>) -> Self {
        Self { key, ..self }
    }
}

/// Seconds of a request: from a message that needs no sync to one that waits for a slow disk.
fn request_seconds() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

/// Seconds of a sync: from a disk with a cache that survives a power failure to one that is at its end.
fn sync_seconds() -> Histogram {
    Histogram::new([
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    ])
}

impl Default for Counters {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("pmtaemail");
        let mut add = Adding(&mut registry);
        let submissions: Family<_, Counter> = add.family(
            "submissions",
            "Messages and mail merges received for submission, by path and outcome",
        );
        let of = |api: Api, outcome: Outcome| SubmissionLabels {
            api: api.word(),
            outcome: outcome.word(),
        };
        let submissions = Api::ALL.map(|api| {
            Outcome::ALL.map(|outcome| submissions.get_or_create_owned(&of(api, outcome)))
        });
        let build = Info::new(BuildLabels {
            version: pmtaemail::VERSION,
        });
        add.to(build, "build", "The program that runs");
        Self {
            requests: add.family(
                "http_requests",
                "Requests by method, path and status, except those whose client left before the response",
            ),
            request_durations: add.timed(
                request_seconds,
                "http_request_duration",
                "Time from the head of a request to the head of its response, by path",
            ),
            submissions,
            recipients: add.counter("recipients", "Recipients accepted"),
            bytes: add.bytes("submitted", "Size of the mail accepted"),
            files: add.counter("files", "Pickup files of the mail accepted"),
            problems: add.family(
                "problems",
                "Messages with a problem of this code; a message may have several",
            ),
            refusals: add.family(
                "refusals",
                "Requests, and messages of batches, that were answered with an error, by the problem's type",
            ),
            key_refusals: add.family(
                "key_refusals",
                "Requests, and messages of batches, that were answered with an error, by the name of their access key and the problem's type",
            ),
            key_submissions: add.family(
                "key_submissions",
                "Submissions by the name of their access key and outcome",
            ),
            key_recipients: add.family(
                "key_recipients",
                "Recipients accepted, by the name of the access key",
            ),
            commit_transactions: add.histogram(
                Histogram::new(exponential_buckets(1.0, 2.0, 11)),
                "commit_group_transactions",
                "Submissions made durable together by one group of syncs",
            ),
            commit_errors: add.counter(
                "commit_errors",
                "Submissions that the pickup directory did not accept",
            ),
            sync_durations: add.timed(
                sync_seconds,
                "sync_duration",
                "Duration of a sync, of the files' data or of the pickup directory",
            ),
            rolled_forward: add.counter(
                "rolled_forward_submissions",
                "Submissions of a process that died, completed afterwards",
            ),
            roll_forward_failures: add.gauge(
                "roll_forward_failures",
                "Why submissions of a process that died still wait in the staging folder: how many errors",
            ),
            started: Identity::now().time(),
            registry,
        }
    }
}

impl Counters {
    /// A request was answered, or its client went away.
    pub fn request(&self, request: Kind, status: Option<u16>, duration: Duration) {
        let Kind { method, route } = request;
        let labels = RequestLabels {
            method,
            route,
            status: Status(status),
        };
        self.requests.get_or_create(&labels).inc();
        (self.request_durations)
            .get_or_create(&RouteLabels { route })
            .observe(duration.as_secs_f64());
    }

    /// The outcomes of submissions.
    pub fn submissions(&self, submissions: &Submissions<'_>) {
        let outcome = submissions.outcome as usize;
        self.submissions[submissions.api as usize][outcome].inc_by(submissions.count);
        self.recipients.inc_by(submissions.recipients);
        self.bytes.inc_by(submissions.bytes);
        self.files.inc_by(submissions.files);
        if let Some(key) = submissions.key {
            key.submissions[outcome].inc_by(submissions.count);
            key.recipients.inc_by(submissions.recipients);
        }
    }

    /// Where what comes with the access key of this name is counted.
    pub fn of_key(&self, name: &str) -> KeyCounters {
        let name: Arc<str> = name.into();
        let of = |outcome: Outcome| KeyOutcomeLabels {
            key: Arc::clone(&name),
            outcome: outcome.word(),
        };
        let recipients = KeyLabels {
            key: Arc::clone(&name),
        };
        KeyCounters {
            submissions: Outcome::ALL
                .map(|outcome| self.key_submissions.get_or_create_owned(&of(outcome))),
            recipients: self.key_recipients.get_or_create_owned(&recipients),
            name,
        }
    }

    /// A request, or a message of a batch, was refused for a reason, with these codes of problems.
    pub fn refused(&self, reason: &str, codes: &[&'static str], key: Option<&KeyCounters>) {
        if let Some(key) = key {
            let labels = KeyReasonLabels {
                key: Arc::clone(&key.name),
                reason: reason.to_owned(),
            };
            self.key_refusals.get_or_create(&labels).inc();
        }
        let reason = reason.to_owned();
        self.refusals.get_or_create(&ReasonLabels { reason }).inc();
        for code in codes {
            self.problems.get_or_create(&CodeLabels { code }).inc();
        }
    }

    /// A group was committed, or failed.
    pub fn committed(&self, report: &CommitReport) {
        let transactions = u32::try_from(report.transactions).unwrap_or(u32::MAX);
        self.commit_transactions.observe(f64::from(transactions));
        self.commit_errors.inc_by(report.errors.len() as u64);
        for (of, time) in [
            ("data", report.data_sync),
            ("directory", report.directory_sync),
        ] {
            if let Some(time) = time {
                (self.sync_durations)
                    .get_or_create(&SyncLabels { of })
                    .observe(time.as_secs_f64());
            }
        }
    }

    /// The outcomes of submissions whose process died.
    pub fn rolled_forward(&self, report: &RollForwardReport) {
        self.rolled_forward.inc_by(report.transactions as u64);
        self.roll_forward_failures
            .set(i64::try_from(report.errors.len()).unwrap_or(i64::MAX));
    }
}

/// Adds metrics to a registry.
struct Adding<'r>(&'r mut Registry);

impl Adding<'_> {
    fn to<M: prometheus_client::registry::Metric>(&mut self, metric: M, name: &str, help: &str) {
        self.0.register(name, help, metric);
    }

    fn family<L, M>(&mut self, name: &str, help: &str) -> Family<L, M>
    where
        Family<L, M>: prometheus_client::registry::Metric + Clone + Default,
    {
        let family = Family::<L, M>::default();
        self.to(family.clone(), name, help);
        family
    }

    fn counter(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.to(counter.clone(), name, help);
        counter
    }

    fn gauge(&mut self, name: &str, help: &str) -> Gauge {
        let gauge = Gauge::default();
        self.to(gauge.clone(), name, help);
        gauge
    }

    fn bytes(&mut self, name: &str, help: &str) -> Counter {
        let counter = Counter::default();
        self.0
            .register_with_unit(name, help, Unit::Bytes, counter.clone());
        counter
    }

    fn histogram(&mut self, histogram: Histogram, name: &str, help: &str) -> Histogram {
        self.to(histogram.clone(), name, help);
        histogram
    }

    fn timed<L>(
        &mut self,
        make: fn() -> Histogram,
        name: &str,
        help: &str,
    ) -> Family<L, Histogram, fn() -> Histogram>
    where
        Family<L, Histogram, fn() -> Histogram>: prometheus_client::registry::Metric + Clone,
        L: Clone + std::hash::Hash + Eq,
    {
        let family = Family::new_with_constructor(make);
        (self.0).register_with_unit(name, help, Unit::Seconds, family.clone());
        family
    }
}
