//! The stored receipt of a batch with one key.

use super::receipt::{Receipt, Uncompared};
use super::stored_receipt::store;
use super::submitter::Submitter;
use crate::idempotency::{Claim, IdempotencyKey};

/// One receipt for all messages of a batch: their files in order, and their total size.
pub(super) struct WholeReceipt {
    /// Whose names the single receipts get, if any.
    names: Option<Submitter>,
    receipt: Option<Box<Receipt>>,
}

impl WholeReceipt {
    /// Without any message yet.
    pub fn new(names: Option<Submitter>) -> Self {
        Self {
            names,
            receipt: None,
        }
    }

    /// Adds the receipt of the next message.
    pub fn add(&mut self, receipt: &Receipt, claim: &mut Claim) {
        if let Some(submitter) = &self.names {
            let name = submitter.idempotency_key(IdempotencyKey::of_receipt(receipt.id));
            claim.add_named(name, store(receipt));
        }
        let whole = self.receipt.get_or_insert_with(|| {
            Box::new(Receipt {
                id: receipt.id,
                message_id: None,
                files: Vec::new(),
                recipients: 0,
                seeds: None,
                size: 0,
                job: None,
                vmta: None,
                replayed: false,
                envelope_ids: None,
                rejected: None,
                virtual_mtas: Uncompared::default(),
                warnings: None,
            })
        });
        whole.files.extend_from_slice(&receipt.files);
        whole.recipients += receipt.recipients;
        whole.size += receipt.size;
        if let Some(seeds) = receipt.seeds {
            *whole.seeds.get_or_insert(0) += seeds;
        }
    }

    /// Stores it under the key.
    pub fn remember(self, claim: &mut Claim) {
        if let Some(receipt) = self.receipt {
            claim.set_record(store(&receipt));
        }
    }
}
