//! What the counters distinguish: requests, and submissions by their API, outcome and access key.

use axum::http::Method;
use prometheus_client::metrics::counter::Counter;
use std::sync::Arc;

/// The paths that take submissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// `/messages`.
    Messages,
    /// `/messages/batch`, each of whose messages is a submission.
    Batch,
    /// `/api/v1/transmissions`, in SparkPost's format.
    SparkPost,
    /// `/emails` and `/emails/batch`, in Resend's.
    Resend,
}

impl Api {
    pub(super) const ALL: [Self; 4] = [Self::Messages, Self::Batch, Self::SparkPost, Self::Resend];

    pub(super) fn word(self) -> &'static str {
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
    pub(super) method: &'static str,
    pub(super) route: &'static str,
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
    /// It may be accepted if it is sent again.
    Deferred,
    /// A fault of this program.
    Failed,
    /// PowerMTA may have it in spite of an error.
    Unknown,
    /// The client disconnected before it had arrived completely.
    Abandoned,
}

impl Outcome {
    pub(super) const ALL: [Self; 7] = [
        Self::Accepted,
        Self::Replayed,
        Self::Rejected,
        Self::Deferred,
        Self::Failed,
        Self::Unknown,
        Self::Abandoned,
    ];

    pub(super) fn word(self) -> &'static str {
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
pub(super) type OfOutcomes = [Counter; Outcome::ALL.len()];

/// The counters of one access key.
#[derive(Debug)]
pub struct KeyCounters {
    pub(super) name: Arc<str>,
    pub(super) submissions: OfOutcomes,
    pub(super) recipients: Counter,
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
    /// The access key that they were sent with.
    pub key: Option<&'k KeyCounters>,
    pub count: u64,
    /// Of those that were accepted.
    pub recipients: u64,
    pub bytes: u64,
    pub files: u64,
}

impl<'k> Submissions<'k> {
    /// The same, sent with this access key.
    pub fn of_key(self, key: Option<&'k KeyCounters>) -> Self {
        Self { key, ..self }
    }
}
