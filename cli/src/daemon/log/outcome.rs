//! The outcome of a submission or a request, as lines and counters.

use super::super::counters::{Api, Outcome, Submissions};
use super::super::error::ApiError;
use axum::http::StatusCode;
use pmtaemail::{Id, Receipt};

/// How many characters of other values are logged.
const LONGEST_VALUE: usize = 200;

/// What is known of a submission once its message has been read.
#[derive(Debug)]
pub(super) struct Described {
    pub id: Id,
    pub recipients: usize,
    pub bytes: u64,
    pub files: usize,
    /// It was submitted before, under the same key.
    pub replayed: Option<bool>,
    pub job: Option<Value>,
    pub vmta: Option<Value>,
}

#[derive(Debug, Default)]
pub(super) struct Failure {
    pub id: Option<Id>,
    pub codes: Option<Vec<&'static str>>,
    pub error: Option<String>,
    pub may_be_delivered: Option<bool>,
    pub is_ours: bool,
    /// Its problem's type.
    pub reason: String,
}

/// The outcome of one submission.
pub(super) fn submission(
    api: Api,
    status: Option<StatusCode>,
    described: Option<&Described>,
    failure: Option<&Failure>,
) -> Submissions<'static> {
    let outcome = match (failure, described, status) {
        (
            Some(Failure {
                may_be_delivered: Some(true),
                ..
            }),
            ..,
        ) => Outcome::Unknown,
        (None, Some(described), _) if described.replayed == Some(true) => Outcome::Replayed,
        (None, Some(_), _) => Outcome::Accepted,
        (_, _, None) => Outcome::Abandoned,
        (
            _,
            _,
            Some(
                StatusCode::TOO_MANY_REQUESTS
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::REQUEST_TIMEOUT,
            ),
        ) => Outcome::Deferred,
        (_, _, Some(status)) if status.is_client_error() => Outcome::Rejected,
        _ => Outcome::Failed,
    };
    let accepted = described.filter(|_| outcome == Outcome::Accepted);
    Submissions {
        api,
        outcome,
        key: None,
        count: 1,
        recipients: accepted.map_or(0, |it| it.recipients as u64),
        bytes: accepted.map_or(0, |it| it.bytes),
        files: accepted.map_or(0, |it| it.files as u64),
    }
}

impl Described {
    pub fn new(receipt: &Receipt) -> Self {
        Self {
            id: receipt.id,
            recipients: receipt.recipients,
            bytes: receipt.size,
            files: receipt.files.len(),
            replayed: receipt.replayed.then_some(true),
            job: receipt.job.as_deref().map(Value::new),
            vmta: receipt.vmta.as_deref().map(Value::new),
        }
    }
}

impl Failure {
    pub fn new(error: &ApiError) -> Self {
        Self {
            reason: error.problem_details().word(),
            ..Self::of(error)
        }
    }

    fn of(error: &ApiError) -> Self {
        match error {
            ApiError::Problems(problems) => {
                let mut codes: Vec<&'static str> = Vec::new();
                for problem in problems {
                    if !codes.contains(&problem.code().as_str()) {
                        codes.push(problem.code().as_str());
                    }
                }
                Self {
                    codes: Some(codes),
                    ..Self::default()
                }
            }
            ApiError::MayBeDelivered { id, error } => Self {
                id: *id,
                error: error.as_ref().map(ToString::to_string),
                may_be_delivered: Some(true),
                is_ours: true,
                ..Self::default()
            },
            ApiError::Pickup(error) | ApiError::Keys(error) => Self {
                id: error.id(),
                error: Some(error.to_string()),
                is_ours: true,
                ..Self::default()
            },
            ApiError::Unqueueable(error) => Self {
                id: error.id(),
                error: Some(error.to_string()),
                ..Self::default()
            },
            ApiError::Unreadable(error) => Self {
                error: Some(error.to_string()),
                is_ours: true,
                ..Self::default()
            },
            ApiError::Spool(error) => Self {
                error: Some(format!("cannot spool recipients: {error}")),
                is_ours: true,
                ..Self::default()
            },
            ApiError::Internal => Self {
                is_ours: true,
                ..Self::default()
            },
            _ => Self {
                error: Some(error.problem_details().sentence().to_owned()),
                ..Self::default()
            },
        }
    }
}

/// A client's value as it is in the log: short, and without what could look like another line or work
/// on a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value(String);

impl Value {
    pub fn new(text: &str) -> Self {
        let mut value = String::new();
        for (index, c) in text.chars().enumerate() {
            if index == LONGEST_VALUE {
                value.push('…');
                break;
            }
            if c.is_ascii_graphic() || c == ' ' {
                value.push(c);
            } else {
                value.extend(c.escape_default());
            }
        }
        Self(value)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_short_and_harmless() {
        assert_eq!(Value::new("curl/7.88 (x)").as_str(), "curl/7.88 (x)");
        assert_eq!(
            Value::new("a\r\n\u{1b}[31m\u{202e}å").as_str(),
            "a\\r\\n\\u{1b}[31m\\u{202e}\\u{e5}"
        );
        let long = Value::new(&"x".repeat(1_000));
        assert_eq!(long.as_str().chars().count(), LONGEST_VALUE + 1);
    }
}
