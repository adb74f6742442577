//! Submissions in the format of another service.

use super::super::error::SubmitError;
use super::source::Item;
use crate::problem::Problems;
use std::fmt;

/// Translates the JSON of a recipient of another service to ours.
pub(super) type TranslateRecipient =
    dyn Fn(usize, &[u8], &mut Vec<u8>) -> Result<(), Problems> + Send + Sync;

/// A submission in the format of another service.
pub(super) struct Translation {
    /// The translated message.
    pub head: Vec<u8>,
    /// `None` if the message names its recipients.
    pub recipient: Option<Box<TranslateRecipient>>,
}

impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Translation(…)")
    }
}

impl Translation {
    /// Translates a recipient; returns `false` if none is needed.
    pub fn of_recipient(
        &self,
        index: usize,
        item: &Item<'_>,
        translated: &mut Vec<u8>,
    ) -> Result<bool, SubmitError> {
        let (Some(recipient), Item::Json { bytes, .. }) = (&self.recipient, item) else {
            return Ok(false);
        };
        translated.clear();
        recipient(index, bytes, translated)?;
        Ok(true)
    }
}
