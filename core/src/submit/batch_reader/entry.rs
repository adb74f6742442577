//! One message of a batch.

#[cfg(feature = "idempotency")]
use super::super::claimed::ClaimError;
use super::super::error::SubmitError;
use super::super::submitter::OverQuota;
#[cfg(feature = "idempotency")]
use super::key;
use crate::address::SenderDomains;
#[cfg(feature = "idempotency")]
use crate::idempotency::{Fingerprint, Fingerprinter, IdempotencyKey};
use crate::message::{Message, Warning};
use crate::pickup_directory::PickupError;
use crate::problem::Problems;
#[cfg(feature = "idempotency")]
use crate::problem::{Code, Problem, Refusal};
use serde::Serialize;

/// Where in its batch a message is. Serializes as `{"line": 1}` or `{"index": 0}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// In this line, counted from 1, blank ones too.
    Line(u64),
    /// The element of the array with this index, counted from 0.
    Index(u64),
}

/// One message of a batch, not yet read.
#[derive(Debug)]
pub struct BatchEntry {
    position: Position,
    pub(super) json: Result<Vec<u8>, BatchError>,
    /// Whether its receipt tells its warnings.
    pub(super) warns: bool,
}

/// Why a message of a batch was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// It has more bytes than a message may have.
    #[error("the message is larger than {limit} bytes")]
    TooLarge {
        /// So many are allowed.
        limit: usize,
    },
    /// There is no batch: what should be a JSON array is something else.
    #[error("the batch is not a JSON array")]
    NotAnArray,
    /// Its idempotency key cannot be had.
    #[cfg(feature = "idempotency")]
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// As for a message that is submitted alone. Where a JSON array goes on with what is not JSON, nothing
    /// of it is read from there on.
    #[error(transparent)]
    Submit(#[from] SubmitError),
}

impl From<PickupError> for BatchError {
    fn from(error: PickupError) -> Self {
        Self::Submit(error.into())
    }
}

impl From<OverQuota> for BatchError {
    fn from(over: OverQuota) -> Self {
        Self::Submit(over.into())
    }
}

impl From<Problems> for BatchError {
    fn from(problems: Problems) -> Self {
        Self::Submit(problems.into())
    }
}

#[cfg(feature = "idempotency")]
fn no_key(refusal: Refusal) -> BatchError {
    Problems::one(Problem::new("/idempotencyKey".to_owned(), refusal)).into()
}

impl BatchEntry {
    pub(super) fn new(position: Position, json: Result<Vec<u8>, BatchError>) -> Self {
        Self {
            position,
            json,
            warns: false,
        }
    }

    /// Where in the batch it is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// How many bytes it has.
    pub fn size(&self) -> usize {
        self.json.as_ref().map_or(0, Vec::len)
    }

    /// Its message, where it may be one.
    pub fn json(&self) -> Option<&[u8]> {
        self.json.as_deref().ok()
    }

    /// What its receipt tells of its message.
    pub(in super::super) fn warnings(&self) -> Option<Vec<Warning>> {
        let json = self.json.as_ref().ok().filter(|_| self.warns)?;
        Some(crate::warnings(json))
    }

    /// Whether what should be a batch is none.
    pub fn is_no_batch(&self) -> bool {
        matches!(self.json, Err(BatchError::NotAnArray))
    }

    /// Reads its key, if it has one, and takes it out.
    #[cfg(feature = "idempotency")]
    pub(in super::super) fn take_key(
        &mut self,
    ) -> Result<Option<(IdempotencyKey, Fingerprint)>, BatchError> {
        let Ok(json) = &mut self.json else {
            return Ok(None);
        };
        let Some(found) = key::find(json) else {
            return Ok(None);
        };
        let value: Option<String> = serde_json::from_slice(&json[found.value]).map_err(|_| {
            let detail = "This must be a string, the idempotency key of the message.";
            no_key(Refusal::new(Code::WrongType, detail))
        })?;
        json.drain(found.member);
        let Some(key) = value else {
            return Ok(None);
        };
        let key = key.parse().map_err(|_| {
            let detail = "An idempotency key must be 1 to 255 printable ASCII characters.";
            no_key(Refusal::new(Code::InvalidToken, detail))
        })?;
        // As for a message that is posted alone.
        let fingerprint = Fingerprinter::new(&["json", ""]).with(json).finish();
        Ok(Some((key, fingerprint)))
    }

    /// Reads it, and makes of its message what `then` makes.
    pub(in super::super) fn read<T>(
        self,
        senders: &SenderDomains,
        then: impl FnOnce(&Message<'_>) -> T,
    ) -> Result<T, BatchError> {
        let json = self.json?;
        Ok(then(&Message::from_form_within(&json, &[], senders)?))
    }
}
