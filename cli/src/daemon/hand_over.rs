//! From a message that is rendered, or about to be, to its receipt.
//!
//! What is small is handed over without a thread that waits for it:
//!
//! ```text
//! the runtime's workers   read, render, write         …            answer
//!                                           ↘                    ↗
//! two commit threads                          sync, name, sync: for all that wait
//! ```

use super::blocking::{run_blocking, run_submission};
use super::error::ApiError;
use super::state::Daemon;
use pmtaemail::{
    Claim, Claimed, Fingerprint, IdempotencyKey, PickupDirectory, PickupError, Receipt, Submission,
    Submitter,
};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Up to this size a message is read and rendered, and its file written, in some ten microseconds each: less than it
/// costs to have another thread do it.
pub const INLINE_BYTES: usize = 64 << 10;

/// The key of a submission and what tells it from others.
pub type Keyed = Option<(IdempotencyKey, Fingerprint)>;

/// Claims the key, if there is one, and hands over what is rendered; or finds what was handed over under it.
pub async fn hand_over(
    daemon: Arc<Daemon>,
    submission: Submission,
    keyed: Keyed,
    submitter: &Submitter,
) -> Result<Receipt, ApiError> {
    let claim = match claim(&daemon, keyed).await? {
        None => None,
        Some(Claimed::First(claim)) => Some(claim),
        Some(Claimed::Again(receipt)) => return Ok(*receipt),
    };
    // What was submitted before does not count again.
    let reserved = submitter.reserve(submission.recipients());
    let reserved = reserved.map_err(ApiError::OverQuota)?;
    let id = *submission.id();
    let is_quick = submission.size() <= INLINE_BYTES as u64 && !daemon.pickup.has_leftovers();
    let (sender, result) = oneshot::channel();
    let write = move || {
        let done = |result: Result<Receipt, PickupError>| {
            reserved.settle(&result);
            // There is nobody to tell if the runtime has ended.
            let _ = sender.send(result);
        };
        daemon.pickup.submit_claimed_with(submission, claim, done);
    };
    if is_quick {
        write();
    } else {
        run_submission(id, write).await?;
    }
    let unknown = |_| ApiError::MayBeDelivered {
        id: Some(id),
        error: None,
    };
    Ok(result.await.map_err(unknown)??)
}

/// Claims the key, if there is one: in another thread where that may block.
async fn claim(daemon: &Arc<Daemon>, keyed: Keyed) -> Result<Option<Claimed>, ApiError> {
    let Some((key, fingerprint)) = keyed else {
        return Ok(None);
    };
    if let Some(claim) = daemon.pickup.claim_at_once(key, fingerprint) {
        return Ok(Some(Claimed::First(claim)));
    }
    let daemon = Arc::clone(daemon);
    let claimed = run_blocking(move || daemon.pickup.claim(key, fingerprint));
    Ok(Some(claimed.await??))
}

/// Claims the key, if there is one, and submits; or finds what was submitted under it. Blocks.
pub fn submit_once<E>(
    pickup: &PickupDirectory,
    keyed: Keyed,
    submit: impl FnOnce(Option<Claim>) -> Result<Receipt, E>,
) -> Result<Receipt, ApiError>
where
    ApiError: From<E>,
{
    let claimed = keyed.map(|(key, fingerprint)| pickup.claim(key, fingerprint));
    match claimed.transpose()? {
        None => Ok(submit(None)?),
        Some(Claimed::First(claim)) => Ok(submit(Some(claim))?),
        Some(Claimed::Again(receipt)) => Ok(*receipt),
    }
}
