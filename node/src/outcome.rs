//! The outcome of a message, as JSON for `lib/group.js`.

use napi::Error;
use pmtaemail::{ClaimError, Id, PickupError, Problems, Receipt};
use serde::Serialize;

/// A message that was submitted.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    Receipt(Box<Receipt>),
    Problems(Found),
    Failure(Failure),
    NoKey(NoKey),
}

/// Why an idempotency key cannot be claimed.
#[derive(Serialize)]
pub struct NoKey {
    code: &'static str,
    message: String,
}

/// What is wrong with a message.
#[derive(Serialize)]
pub struct Found {
    problems: Problems,
    /// Including those that are left out because there are too many.
    total: usize,
}

impl From<Problems> for Found {
    fn from(problems: Problems) -> Self {
        let total = problems.total();
        Self { problems, total }
    }
}

impl From<PickupError> for Outcome {
    fn from(error: PickupError) -> Self {
        Self::Failure((&error).into())
    }
}

impl From<ClaimError> for Outcome {
    fn from(error: ClaimError) -> Self {
        let code = match &error {
            ClaimError::Pickup(error) => return Self::Failure(error.into()),
            ClaimError::InWork => "ERR_KEY_IN_WORK",
            ClaimError::Full => "ERR_KEYS_FULL",
            _ => "ERR_KEY_CONFLICT",
        };
        let message = error.to_string();
        Self::NoKey(NoKey { code, message })
    }
}

/// A [`PickupError`] with everything that a Node program expects in a system error.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    message: String,
    operation: &'static str,
    path: String,
    errno: Option<i32>,
    may_be_delivered: bool,
    id: Option<Id>,
}

impl From<&PickupError> for Failure {
    fn from(error: &PickupError) -> Self {
        Self {
            message: error.to_string(),
            operation: error.operation(),
            path: error.path().to_string_lossy().into_owned(),
            errno: error.os_error(),
            may_be_delivered: error.may_be_delivered(),
            id: error.id(),
        }
    }
}

pub fn to_json(value: &impl Serialize) -> napi::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::from_reason(error.to_string()))
}
