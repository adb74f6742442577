//! Files that are no message's, handed over once however often it is tried.

use super::claimed::ClaimError;
use crate::idempotency::{Fingerprint, Fingerprinter, Found, IdempotencyKey, NewRecord};
use crate::identity::Id;
use crate::pickup_directory::{PickupDirectory, PickupError, Transaction};
use std::io;

impl PickupDirectory {
    /// Begins a transaction that is committed once under its key, however often it is tried: `None` if it was. What it
    /// is about is not looked at. Keys are remembered for 24 hours. May block.
    ///
    /// # Errors
    /// Those of [`claim`](Self::claim) but for [`Conflict`](ClaimError::Conflict).
    pub fn begin_once(
        &self,
        key: IdempotencyKey,
        id: Id,
    ) -> Result<Option<Transaction<'_>>, ClaimError> {
        let Found::Nothing(mut claim) = self.claim_key(key, once())? else {
            return Ok(None);
        };
        claim.set_record(NewRecord {
            id,
            receipt: Box::new(io::empty()),
            size: 0,
        });
        Ok(Some(self.begin_claimed(id, Some(claim))))
    }

    /// Forgets that a transaction was committed [under this key](Self::begin_once), which nobody will try again. May block.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn forget_once(&self, key: IdempotencyKey) -> Result<(), ClaimError> {
        self.forget_key(key, once())?;
        Ok(())
    }

    /// Whether a transaction was committed [under this key](Self::begin_once) in the last 24 hours; what a process that
    /// died had decided to hand over is handed over before. May block.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn was_committed(&self, key: IdempotencyKey) -> Result<bool, PickupError> {
        Ok(self.find_key(key)?.is_some())
    }
}

/// What all of them are.
fn once() -> Fingerprint {
    Fingerprinter::new(&["once"]).finish()
}
