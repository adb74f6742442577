//! When all is settled, and who is told.

use super::support::{Gate, INLINE, PATIENCE, Place, poll_and_drop, runtimes, submission};
use pmtaemail::{Durability, PickupError, PickupOptions, Receipt};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::task::spawn_blocking;

#[test]
fn settling_waits_for_clones_with_other_limits() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::<Gate>::default();
        runtime.block_on(async {
            let pickup = place.open_gated(&gate).await;
            let other = pickup.clone().with_most_at_once(usize::MAX);
            gate.hold_both(&pickup).await;
            let begun = pickup.clone().with_inline_writes(INLINE);
            let submitting = async move { drop(begun.submit(submission()).await) };
            poll_and_drop(Box::pin(submitting), 1).await;
            for waiting in [&pickup, &other] {
                let settled = tokio::time::timeout(Duration::from_millis(1), waiting.settled());
                assert!(settled.await.is_err());
            }
            gate.open();
            other.settled().await;
            assert_eq!(place.files().len(), 3);
        });
    }
}

#[test]
fn all_is_settled_once_the_outcome_is_told() {
    for runtime in runtimes() {
        let place = Place::new();
        runtime.block_on(async {
            let pickup = place.open().await.with_inline_writes(INLINE);
            let (entered, is_told) = mpsc::channel();
            let (sender, may_end) = mpsc::channel::<()>();
            let then = move |result: &Result<Receipt, PickupError>| {
                entered.send(result.is_ok()).unwrap();
                let _ = may_end.recv_timeout(PATIENCE);
            };
            let telling = pickup.clone();
            let submitting =
                async move { drop(telling.submit_claimed_then(submission(), None, then).await) };
            poll_and_drop(Box::pin(submitting), 1).await;
            let is_told = spawn_blocking(move || is_told.recv_timeout(PATIENCE));
            assert!(is_told.await.unwrap().unwrap());
            let settled = tokio::time::timeout(Duration::from_millis(1), pickup.settled());
            assert!(settled.await.is_err());
            drop(sender);
            pickup.settled().await;
        });
    }
}

#[test]
fn a_panic_of_who_is_told_does_not_cost_the_receipt() {
    for (runtime, inline) in runtimes().into_iter().zip([0, INLINE]) {
        for durability in [Durability::Durable, Durability::NotDurable] {
            let place = Place::new();
            runtime.block_on(async {
                let options = PickupOptions::default().with_durability(durability);
                let pickup = place.open_with(options).await.with_inline_writes(inline);
                let then = |_: &Result<_, _>| std::panic::resume_unwind(Box::new(()));
                let receipt = pickup.submit_claimed_then(submission(), None, then).await;
                assert_eq!(receipt.unwrap().files, place.files());
                pickup.settled().await;
            });
        }
    }
}
