//! What a transaction is told about a submission once its files are written.

use super::receipt::Receipt;
#[cfg(feature = "idempotency")]
use super::stored_receipt;
use crate::pickup_directory::Transaction;

/// The stored receipt, if the submission has a key; and to whom the files belong, if they stay in memory.
#[cfg_attr(
    not(any(feature = "idempotency", feature = "outbox")),
    expect(unused_variables, reason = "there are neither")
)]
pub(super) fn remember(transaction: &mut Transaction<'_>, receipt: &Receipt) {
    #[cfg(feature = "idempotency")]
    if let Some(claim) = transaction.claim_mut() {
        claim.set_record(stored_receipt::store(receipt));
        claim.set_named(|| stored_receipt::store(receipt));
    }
    #[cfg(feature = "outbox")]
    transaction.set_submission(receipt.id, receipt.envelope_ids.as_ref());
    #[cfg(feature = "queue")]
    transaction.add_virtual_mtas(&receipt.virtual_mtas.0);
}
