//! Submissions that come in another service's words.

use super::super::error::SubmitError;
use super::source::Item;
use crate::problem::Problems;
use std::fmt;

/// Makes the JSON of a recipient from that of another service's.
pub(super) type TranslateRecipient =
    dyn Fn(usize, &[u8], &mut Vec<u8>) -> Result<(), Problems> + Send + Sync;

/// A submission that came in another service's words.
pub(super) struct Translation {
    /// The message in ours.
    pub head: Vec<u8>,
    /// Nothing where the message names them.
    pub recipient: Option<Box<TranslateRecipient>>,
}

impl fmt::Debug for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Translation(…)")
    }
}

impl Translation {
    /// Says a recipient in our words; false where it is said so.
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
