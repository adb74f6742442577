//! Files that do not belong to a message, committed once however often it is tried.

use crate::idempotency::{Fingerprint, Fingerprinter, Found, IdempotencyKey, NewRecord};
use crate::identity::Id;
use crate::pickup_directory::{ClaimError, PickupDirectory, PickupError, Transaction};
use std::io;

impl PickupDirectory {
    /// Begins a transaction that is committed once under its key, however often it is tried; returns `None` if it
    /// already was. Unlike [`claim`](Self::claim), this does not compare what is submitted. Keys are remembered for 24
    /// hours. May block.
    ///
    /// ```
    /// use pmtaemail::{IdempotencyKey, Identity, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let key: IdempotencyKey = "parcel-4711".parse()?;
    /// for attempt in 1..=2 {
    ///     if let Some(mut transaction) = directory.begin_once(key, Identity::now().id())? {
    ///         transaction.write("4711.eml", &[b"x-sender: a@example.com\nx-receiver: b@example.org\n\nHello\n"])?;
    ///         transaction.commit()?;
    ///         assert_eq!(attempt, 1);
    ///     }
    /// }
    /// assert!(directory.was_committed(key)?);
    /// directory.forget_once(key)?;
    /// assert!(!directory.was_committed(key)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`claim`](Self::claim), except [`Conflict`](ClaimError::Conflict).
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

    /// Forgets that a transaction was committed [under this key](Self::begin_once), once nobody will retry it. May
    /// block.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn forget_once(&self, key: IdempotencyKey) -> Result<(), ClaimError> {
        self.forget_key(key, once())
    }

    /// Whether a transaction was committed [under this key](Self::begin_once) in the last 24 hours. Finishes first what
    /// a dead process had decided to submit. May block.
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
