//! One message of a batch.

use super::super::error::SubmitError;
use super::super::submitter::OverQuota;
#[cfg(feature = "idempotency")]
use super::key;
use crate::address::SenderDomains;
#[cfg(feature = "idempotency")]
use crate::idempotency::{Fingerprint, Fingerprinter, IdempotencyKey};
use crate::message::{Message, Warning};
#[cfg(feature = "idempotency")]
use crate::pickup_directory::ClaimError;
use crate::pickup_directory::PickupError;
use crate::problem::Problems;
#[cfg(feature = "idempotency")]
use crate::problem::{Code, Problem, Refusal};
use serde::Serialize;

/// Position of a message in its batch. Serializes as `{"line": 1}` or `{"index": 0}`.
///
/// ```
/// use pmtaemail::Position;
///
/// assert_eq!(serde_json::to_string(&Position::Line(3))?, r#"{"line":3}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, PartialOrd, Ord, Hash)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Line number, counted from 1, including blank lines.
    Line(u64),
    /// Index in the array, counted from 0.
    Index(u64),
}

/// One message of a batch, not parsed yet.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader, Position};
///
/// let mut reader = BatchReader::new(BatchFormat::Array, 32 << 20);
/// reader.feed(br#"[{"from": "shop@example.com"},{}]"#);
/// reader.finish();
/// let entries = reader.take();
/// assert_eq!(entries[0].json(), Some(br#"{"from": "shop@example.com"}"#.as_slice()));
/// assert_eq!((entries[1].position(), entries[1].size()), (Position::Index(1), 2));
/// ```
#[derive(Debug)]
pub struct BatchEntry {
    position: Position,
    pub(super) json: Result<Vec<u8>, BatchError>,
    /// Whether its receipt includes its warnings.
    pub(super) warns: bool,
}

/// Why a message of a batch was not submitted.
///
/// ```
/// use pmtaemail::{BatchError, BatchFormat, BatchReader, PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
/// let mut reader = BatchReader::new(BatchFormat::Lines, 20);
/// reader.feed(b"{\"from\": \"shop@example.com\"}\n");
/// let (_, result) = directory.submit_batch(reader.take()).remove(0);
/// assert!(matches!(result, Err(BatchError::TooLarge { limit: 20 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The message exceeds the size limit.
    #[error("the message is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The input should be a JSON array but is something else.
    #[error("the batch is not a JSON array")]
    NotAnArray,
    /// Its idempotency key cannot be claimed.
    #[cfg(feature = "idempotency")]
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// As for a message that is submitted by itself. If a JSON array continues with something that is not JSON, nothing
    /// after that is read.
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

    /// Its position in the batch.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Its size in bytes.
    pub fn size(&self) -> usize {
        self.json.as_ref().map_or(0, Vec::len)
    }

    /// The JSON of the message; `None` if it is too large or not a message at all.
    pub fn json(&self) -> Option<&[u8]> {
        self.json.as_deref().ok()
    }

    /// The warnings to include in its receipt.
    pub(in super::super) fn warnings(&self) -> Option<Vec<Warning>> {
        let json = self.json.as_ref().ok().filter(|_| self.warns)?;
        Some(crate::warnings(json))
    }

    /// Whether the input is not a batch at all.
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader};
    ///
    /// let mut reader = BatchReader::new(BatchFormat::Array, 32 << 20);
    /// reader.feed(br#"{"from": "shop@example.com"}"#);
    /// assert!(reader.take()[0].is_no_batch());
    /// ```
    pub fn is_no_batch(&self) -> bool {
        matches!(self.json, Err(BatchError::NotAnArray))
    }

    /// Reads and removes its key, if it has one.
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

    /// Parses its message and passes it to `then`.
    pub(in super::super) fn read<T>(
        self,
        senders: &SenderDomains,
        then: impl FnOnce(&Message<'_>) -> T,
    ) -> Result<T, BatchError> {
        let json = self.json?;
        Ok(then(&Message::from_form_within(&json, &[], senders)?))
    }
}
