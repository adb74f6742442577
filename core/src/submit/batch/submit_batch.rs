//! Messages of one batch, as a [`BatchReader`](crate::BatchReader) finds them.

use super::super::batch_reader::{BatchEntry, BatchError, Position};
#[cfg(feature = "idempotency")]
use super::super::claimed::Claimed;
use super::super::limits::FILES;
use super::super::receipt::Receipt;
use super::super::submitter::Submitter;
use super::Batch;
use crate::identity::Identity;
use crate::interruption::Interruption;
#[cfg(feature = "idempotency")]
use crate::pickup_directory::ClaimError;
use crate::pickup_directory::PickupDirectory;

impl PickupDirectory {
    /// Submits messages of a batch that share their syncs: one result for each, in order. Each succeeds or fails by
    /// itself. See [`BatchReader`](crate::BatchReader) for an example.
    pub fn submit_batch(
        &self,
        entries: Vec<BatchEntry>,
    ) -> Vec<(Position, Result<Receipt, BatchError>)> {
        self.submit_batch_for(&Submitter::default(), entries)
    }

    /// Like [`submit_batch`](Self::submit_batch), for a submitter. See [`Submitter`] for an example.
    pub fn submit_batch_for(
        &self,
        submitter: &Submitter,
        entries: Vec<BatchEntry>,
    ) -> Vec<(Position, Result<Receipt, BatchError>)> {
        let told = entries
            .iter()
            .map(|entry| (entry.position(), entry.warnings()));
        let told: Vec<_> = told.collect();
        let mut batch = Batch::<BatchError>::new(self);
        let mut results = Vec::with_capacity(entries.len());
        // Each has a file at least, and who took so many has room for so many open files.
        let most_files = entries.len().max(FILES);
        for entry in entries {
            if let Err(over) = submitter.count_message() {
                batch.push_error(over.into());
                continue;
            }
            #[cfg(feature = "idempotency")]
            let (entry, claim) = {
                let mut entry = entry;
                match self.claim_entry(submitter, &mut entry, &mut batch, &mut results) {
                    Ok(None) => (entry, None),
                    Ok(Some(Claimed::First(claim))) => (entry, Some(claim)),
                    Ok(Some(Claimed::Again(receipt))) => {
                        batch.push_again(*receipt);
                        continue;
                    }
                    Err(error) => {
                        batch.push_error(error);
                        continue;
                    }
                }
            };
            #[cfg(not(feature = "idempotency"))]
            let claim = None;
            // Written as it is rendered, none of it stays in memory.
            let reserve = |receipt: &Receipt| Ok(submitter.reserve_for(receipt)?);
            let pushed = entry.read(submitter.senders(), |message| {
                let submission = (Identity::now(), claim);
                batch.push_unless_over(0, message, submission, Interruption::NEVER, reserve)
            });
            if let Err(error) = pushed {
                batch.push_error(error);
            }
            if batch.size.files >= most_files {
                results.extend(batch.commit());
            }
        }
        results.extend(batch.commit());
        let results = told.into_iter().zip(results);
        let results = results.map(|((position, warnings), mut result)| {
            if let Ok(receipt) = &mut result {
                receipt.warnings = warnings;
            }
            (position, result)
        });
        results.collect()
    }

    /// Claims the key of an entry, if it has one. If an earlier message of the group has the same key, that one is
    /// committed first.
    #[cfg(feature = "idempotency")]
    fn claim_entry(
        &self,
        submitter: &Submitter,
        entry: &mut BatchEntry,
        batch: &mut Batch<'_, BatchError>,
        results: &mut Vec<Result<Receipt, BatchError>>,
    ) -> Result<Option<Claimed>, BatchError> {
        let Some((key, fingerprint)) = entry.take_key()? else {
            return Ok(None);
        };
        let key = submitter.idempotency_key(key);
        let claimed = match self.claim(key, fingerprint) {
            Err(ClaimError::InWork) => {
                results.extend(batch.commit());
                self.claim(key, fingerprint)
            }
            claimed => claimed,
        };
        Ok(Some(claimed?))
    }
}
