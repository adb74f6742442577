//! Futures that are dropped.

use super::support::{
    Gate, INLINE, JSON, PATIENCE, Place, current_thread, key, large, merge, message, poll_and_drop,
    runtimes, submission, until, with_one_blocking_thread,
};
use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{
    Claimed, Fingerprinter, MessageStream, PickupError, Receipt, StreamFormat, Submission,
};
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// What is done in one of several ways, and how many files it makes.
type Way = (
    &'static str,
    usize,
    fn(PickupDirectory) -> Pin<Box<dyn Future<Output = ()> + Send>>,
);

const WAYS: [Way; 10] = [
    ("submit", 1, |pickup| {
        Box::pin(async move { drop(pickup.submit(submission()).await) })
    }),
    ("submit a large one", 1, |pickup| {
        Box::pin(async move { drop(pickup.submit(Submission::new(&large())).await) })
    }),
    ("submit_json", 1, |pickup| {
        Box::pin(async move { drop(pickup.submit_json(JSON).await) })
    }),
    ("submit_message", 1, |pickup| {
        Box::pin(async move { drop(pickup.submit_message(message()).await) })
    }),
    ("submit_message of a merge", 100, |pickup| {
        Box::pin(async move { drop(pickup.submit_message(merge(100)).await) })
    }),
    ("submit_message_once", 1, |pickup| {
        Box::pin(async move { drop(pickup.submit_message_once(message(), key("a")).await) })
    }),
    ("submit_message_once of a merge", 70, |pickup| {
        Box::pin(async move { drop(pickup.submit_message_once(merge(70), key("b")).await) })
    }),
    ("claim, and submit_claimed", 1, |pickup| {
        Box::pin(async move {
            let claimed = pickup
                .claim(key("c"), Fingerprinter::new(&[]).finish())
                .await;
            if let Ok(Claimed::First(claim)) = claimed {
                drop(pickup.submit_claimed(submission(), claim).await);
            }
        })
    }),
    ("submit_many", 20, |pickup| {
        Box::pin(async move { drop(pickup.submit_many((0..20).map(|_| submission())).await) })
    }),
    ("submit_stream", 1, |pickup| {
        Box::pin(async move {
            let mut stream = MessageStream::new(StreamFormat::Ndjson);
            let lines = "{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n\"b@example.org\"\n";
            stream.feed(lines.as_bytes(), None).unwrap();
            drop(pickup.submit_stream(stream.finish()).await);
        })
    }),
];

#[test]
fn a_future_that_is_dropped_leaves_all_or_nothing() {
    for runtime in runtimes() {
        for (name, files, begin) in WAYS {
            // Those that are rendered already may be written by the runtime's own threads.
            let is_rendered = ["submit", "claim, and submit_claimed"].contains(&name);
            let inline = if is_rendered { &[0, INLINE][..] } else { &[0] };
            for (polls, inline) in
                (0..4).flat_map(|polls| inline.iter().map(move |inline| (polls, *inline)))
            {
                let place = Place::new();
                runtime.block_on(async {
                    let pickup = place.open().await.with_inline_writes(inline);
                    poll_and_drop(begin(pickup.clone()), polls).await;
                    pickup.settled().await;
                    let found = place.files().len();
                    assert!(
                        found == 0 || found == files,
                        "{name}: {found} after {polls}"
                    );
                    assert!(
                        polls > 0 || found == 0,
                        "{name}: it was begun before it was polled"
                    );
                    until(|| place.staged() == 0).await;
                    // Neither its key nor its place is taken.
                    begin(pickup.clone()).await;
                    assert!(place.files().len() >= files, "{name}: after {polls}");
                });
            }
        }
    }
}

#[test]
fn dropped_work_that_no_thread_has_begun_never_begins() {
    for (name, _, begin) in WAYS {
        let place = Place::new();
        let runtime = with_one_blocking_thread();
        runtime.block_on(async {
            let pickup = place.open().await;
            // The store of keys is open from now on.
            let fingerprint = Fingerprinter::new(&[]).finish();
            drop(pickup.claim(key("z"), fingerprint).await.unwrap());
            let (sender, held) = mpsc::channel::<()>();
            let holding = spawn_blocking(move || held.recv());
            poll_and_drop(begin(pickup.clone()), 3).await;
            // What it held is free before a thread could have looked at it.
            let settled = tokio::time::timeout(PATIENCE, pickup.settled()).await;
            assert!(settled.is_ok(), "{name}");
            for key in [key("a"), key("b"), key("c")] {
                assert!(
                    pickup.blocking().claim_at_once(key, fingerprint).is_some(),
                    "{name}"
                );
            }
            drop(sender);
            drop(holding.await);
            spawn_blocking(|| ()).await.unwrap();
        });
        assert_eq!(place.files().len(), 0, "{name}");
    }
}

#[test]
fn a_merge_that_nobody_waits_for_is_interrupted() {
    let place = Place::new();
    let runtime = current_thread();
    runtime.block_on(async {
        let pickup = place.open().await;
        let (begun, message) = (pickup.clone(), merge(5_000));
        let submitting = async move { drop(begun.submit_message(message).await) };
        poll_and_drop(Box::pin(submitting), 1).await;
        pickup.settled().await;
        // A thread may have begun with it, and has written no more than it had to.
        assert_eq!(place.files().len(), 0);
        until(|| place.staged() == 0).await;
    });
}

#[test]
fn a_timeout_may_lose_the_receipt_but_not_the_mail() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::<Gate>::default();
        runtime.block_on(async {
            let pickup = place.open_gated(&gate).await.with_inline_writes(INLINE);
            gate.hold_both(&pickup).await;
            let (told, outcome) = mpsc::channel::<Result<Receipt, PickupError>>();
            let then =
                move |result: &Result<Receipt, PickupError>| told.send(result.clone()).unwrap();
            let submitting = pickup.submit_claimed_then(submission(), None, then);
            let timed_out = tokio::time::timeout(Duration::from_millis(1), submitting).await;
            assert!(timed_out.is_err());
            assert_eq!(place.files().len(), 2);
            gate.open();
            pickup.settled().await;
            let receipt = outcome.recv_timeout(PATIENCE).unwrap().unwrap();
            assert!(place.files().contains(&receipt.files[0]));
        });
    }
}
