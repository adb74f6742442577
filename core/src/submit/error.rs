//! Why a submission failed.

use super::submitter::OverQuota;
use crate::pickup_directory::PickupError;
use crate::problem::Problems;
use std::convert::Infallible;
use std::io;

/// Why a message was not submitted.
///
/// ```
/// use pmtaemail::SubmitError;
///
/// fn http_status(error: &SubmitError) -> u16 {
///     match error {
///         SubmitError::Problems(problems) if problems.is_not_json() => 400,
///         SubmitError::Problems(_) => 422,
///         SubmitError::OverQuota(_) => 429,
///         SubmitError::Pickup(_) | SubmitError::Spool(_) => 503,
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The message breaks rules.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// It cannot be written to the pickup directory.
    #[error(transparent)]
    Pickup(#[from] PickupError),
    /// The recipients could not be kept on the file system of the pickup directory.
    #[error("the recipients could not be buffered on the file system of the pickup directory")]
    Spool(#[from] io::Error),
    /// The submitter exceeds a limit.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
}

impl From<Infallible> for SubmitError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
