//! From a message that is rendered, or about to be rendered, to its receipt.
//!
//! A submission that waits for the disk takes no thread: the library's module `tokio` sees to that.

use super::blocking::run_blocking;
use super::error::ApiError;
use super::state::Daemon;
use pmtaemail::{
    Claim, Claimed, Fingerprint, Fingerprinter, IdempotencyKey, PickupDirectory, Receipt,
    Submission, Submitter,
};
use std::sync::Arc;

/// The key or name under which a submission is remembered for a day.
#[derive(Debug, Clone, Copy)]
pub struct Remembered {
    /// Its key, and what distinguishes it from others.
    pub key: Option<(IdempotencyKey, Fingerprint)>,
    /// The name under which its receipt can be found.
    pub name: Option<IdempotencyKey>,
}

/// Claims the key, if there is one, and submits the rendered message; or finds what was submitted under it.
pub async fn hand_over(
    daemon: Arc<Daemon>,
    submission: Submission,
    remembered: Remembered,
    submitter: &Submitter,
) -> Result<Receipt, ApiError> {
    let claim = match claim(&daemon, remembered).await? {
        None => None,
        Some(Claimed::First(claim)) => Some(claim),
        Some(Claimed::Again(receipt)) => return Ok(*receipt),
    };
    // A repeated submission does not count again.
    let reserved = submitter.reserve(submission.recipients());
    let reserved = reserved.map_err(ApiError::OverQuota)?;
    // A message that may have been delivered counts, whether anybody waits for the result or not.
    let settle = |result: &Result<_, _>| reserved.settle(result);
    let handed_over = (daemon.handing_over).submit_claimed_then(submission, claim, settle);
    Ok(handed_over.await?)
}

/// Claims the key, if there is one: in another thread where that may block.
async fn claim(daemon: &Arc<Daemon>, remembered: Remembered) -> Result<Option<Claimed>, ApiError> {
    match remembered {
        Remembered {
            key: None,
            name: None,
        } => return Ok(None),
        Remembered {
            key: Some((key, fingerprint)),
            name,
        } => {
            if let Some(claim) = daemon.pickup.claim_at_once(key, fingerprint) {
                return Ok(Some(Claimed::First(named(claim, name))));
            }
        }
        _ => {}
    }
    let daemon = Arc::clone(daemon);
    run_blocking(move || claim_waiting(&daemon.pickup, remembered)).await?
}

/// Claims the key or the name, if there is one. Blocks.
pub fn claim_waiting(
    pickup: &PickupDirectory,
    Remembered { key, name }: Remembered,
) -> Result<Option<Claimed>, ApiError> {
    if let Some((key, fingerprint)) = key {
        return Ok(Some(match pickup.claim(key, fingerprint)? {
            Claimed::First(claim) => Claimed::First(named(claim, name)),
            again @ Claimed::Again(_) => again,
        }));
    }
    // Nothing else has this name.
    let fingerprint = Fingerprinter::new(&[]).finish();
    let claim = name.and_then(|name| pickup.claim_name(name, fingerprint));
    Ok(claim.map(Claimed::First))
}

fn named(claim: Claim, name: Option<IdempotencyKey>) -> Claim {
    match name {
        Some(name) => claim.named(name),
        None => claim,
    }
}

/// Claims the key, if there is one, and submits; or finds what was submitted under it. Blocks.
pub fn submit_once<E>(
    pickup: &PickupDirectory,
    remembered: Remembered,
    submit: impl FnOnce(Option<Claim>) -> Result<Receipt, E>,
) -> Result<Receipt, ApiError>
where
    ApiError: From<E>,
{
    match claim_waiting(pickup, remembered)? {
        None => Ok(submit(None)?),
        Some(Claimed::First(claim)) => Ok(submit(Some(claim))?),
        Some(Claimed::Again(receipt)) => Ok(*receipt),
    }
}
