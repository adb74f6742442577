//! What is counted as it happens, for `metrics`.
//!
//! Counting costs only a few additions and a lookup in a small table. A label is a word of this program or the name of
//! an access key, which the operator gave, but never a value from a client.
//!
//! ```text
//! mod         the counters
//! counted     what they distinguish: requests, and submissions by API, outcome and access key
//! labels      their labels
//! adding      how they are added to a registry
//! ```

mod adding;
mod counted;
mod labels;

pub use counted::{Api, KeyCounters, Kind, Outcome, Submissions};

use adding::Adding;
use counted::OfOutcomes;
use labels::{
    BuildLabels, CodeLabels, KeyLabels, KeyOutcomeLabels, KeyReasonLabels, ReasonLabels,
    RequestLabels, RouteLabels, Status, SubmissionLabels, SyncLabels,
};
use pmtaemail::{CommitReport, Identity, RollForwardReport};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Everything that is counted since the start.
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
    /// A request was answered, or its client disconnected.
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

    /// The counters of the access key with this name.
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
