//! Runtimes that have no thread, or that are shut down.

use super::support::{
    JSON, Place, current_thread, key, large, merge, message, multi_thread, runtimes, submission,
    until,
};
use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{ClaimError, Fingerprinter, PickupError, PickupOptions, Receipt};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;

#[test]
fn where_the_system_gives_no_thread_nothing_is_left_for_a_later_one() {
    let place = Place::new();
    let mut builder = Builder::new_current_thread();
    // Such a stack fits into no memory.
    let runtime = builder.thread_stack_size(usize::MAX / 2).build().unwrap();
    let blocking = pmtaemail::PickupDirectory::open(place.path(), PickupOptions::default());
    let pickup = PickupDirectory::new(blocking.unwrap()).unwrap();
    runtime.block_on(async {
        let fails = |error: PickupError| {
            assert!(!error.may_be_delivered());
            assert!(error.to_string().contains("start threads"), "{error}");
        };
        let message = Arc::new(message());
        fails(
            pickup
                .submit_message(Arc::clone(&message))
                .await
                .unwrap_err(),
        );
        // tokio keeps what it was given, but that does not keep the message.
        assert_eq!(Arc::strong_count(&message), 1);
        let claimed = pickup.submit_message_once(message, key("a")).await;
        match claimed.unwrap_err() {
            ClaimError::Pickup(error) => fails(error),
            other => panic!("{other:?}"),
        }
        let submission = submission();
        let id = *submission.id();
        let error = pickup.submit(submission).await.unwrap_err();
        assert_eq!(error.id(), Some(id));
        fails(error);
        let opened = PickupDirectory::open(place.path(), PickupOptions::default()).await;
        fails(opened.unwrap_err());
        pickup.settled().await;
    });
    assert!(place.files().is_empty());
}

#[test]
fn a_runtime_that_is_shut_down_leaves_whole_messages() {
    for (runtime, in_background) in runtimes().into_iter().zip([true, false]) {
        let place = Place::new();
        let (sender, receipts) = mpsc::channel();
        let pickup = runtime.block_on(async {
            let pickup = place.open().await;
            for number in 0..200 {
                let (pickup, sender) = (pickup.clone(), sender.clone());
                runtime.spawn(async move {
                    let result = match number % 4 {
                        0 => pickup.submit(submission()).await,
                        1 => pickup.submit_message(message()).await,
                        2 => pickup.submit_message(large()).await,
                        _ => pickup.submit_message(merge(4)).await,
                    };
                    sender.send(result.unwrap()).unwrap();
                });
            }
            drop(sender);
            let first = spawn_blocking(move || (receipts.recv().unwrap(), receipts)).await;
            let (first, receipts) = first.unwrap();
            assert!(is_there(&place, &first));
            (pickup, receipts)
        });
        let (pickup, receipts) = pickup;
        if in_background {
            runtime.shutdown_background();
        } else {
            drop(runtime);
        }
        for receipt in receipts {
            assert!(is_there(&place, &receipt));
        }
        // Another runtime goes on with it.
        current_thread().block_on(async {
            pickup.settled().await;
            pickup.submit(submission()).await.unwrap();
            until(|| place.staged() == 0).await;
        });
        let (singles, merged): (Vec<_>, Vec<_>) = place
            .files()
            .into_iter()
            .partition(|name| !name.contains('-'));
        assert!(!singles.is_empty());
        assert_eq!(merged.len() % 4, 0, "{merged:?}");
    }
}

fn is_there(place: &Place, receipt: &Receipt) -> bool {
    let is_file = |name: &String| Path::exists(&place.path().join(name));
    receipt.files.iter().all(is_file)
}

#[test]
fn a_runtime_that_was_shut_down_submits_nothing() {
    let place = Place::new();
    let runtime = multi_thread();
    let pickup = runtime.block_on(place.open());
    let handle = runtime.handle().clone();
    runtime.shutdown_background();
    let _entered = handle.enter();
    let error = poll_once(pickup.submit_message(message())).unwrap_err();
    assert!(!error.may_be_delivered());
    assert!(
        error.to_string().contains("the runtime was shut down"),
        "{error}"
    );
    let many = poll_once(pickup.submit_many([submission()]));
    assert!(many[0].as_ref().is_err_and(|error| error.id().is_some()));
    assert!(place.files().is_empty());
}

fn poll_once<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let Poll::Ready(output) = std::pin::pin!(future).poll(&mut context) else {
        unreachable!("it would wait for a runtime that has ended")
    };
    output
}

#[test]
fn futures_may_be_sent() {
    fn assert_send<T: Send>(_: T) {}
    let place = Place::new();
    let pickup = current_thread().block_on(place.open());
    assert_send(PickupDirectory::open("", PickupOptions::default()));
    assert_send(pickup.submit(submission()));
    assert_send(pickup.submit_json(JSON));
    assert_send(pickup.submit_message(message()));
    assert_send(pickup.submit_message_once(message(), key("a")));
    assert_send(pickup.claim(key("a"), Fingerprinter::new(&[]).finish()));
    assert_send(pickup.submit_claimed(submission(), None));
    assert_send(pickup.submit_many([submission()]));
    assert_send(pickup.submit_batch(Vec::new()));
    assert_send(pickup.settled());
}
