//! Why a submission failed.

use super::submitter::OverQuota;
use crate::pickup_directory::PickupError;
use crate::problem::Problems;
use std::convert::Infallible;
use std::io;

/// Why a message was not submitted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The message breaks rules.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The pickup directory does not take it.
    #[error(transparent)]
    Pickup(#[from] PickupError),
    /// The recipients could not be kept on the pickup directory's file system until all were there.
    #[error("the recipients could not be buffered on the file system of the pickup directory")]
    Spool(#[from] io::Error),
    /// Whoever submits it is over a limit of theirs.
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
}

impl From<Infallible> for SubmitError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}
