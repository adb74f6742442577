//! The pickup directory on tokio: what is awaited is submitted, and what is dropped is never half submitted.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod at_once;
mod dropped;
mod runtimes;
mod settled;
mod support;

use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{
    BatchError, BatchFormat, BatchReader, ClaimError, Claimed, Code, Fingerprinter, Message,
    MessageStream, PickupError, PickupErrorKind, PickupOptions, StreamFormat, Submission,
    SubmitError,
};
use std::fs;
use std::sync::Arc;
use support::{INLINE, JSON, Place, key, large, merge, message, runtimes, submission, until};

#[test]
fn each_way_submits_what_it_is_given() {
    for (runtime, inline) in runtimes().into_iter().zip([0, INLINE]) {
        let place = Place::new();
        runtime.block_on(async {
            let pickup = place.open().await.with_inline_writes(inline);
            let mut receipts = vec![
                pickup.submit(submission()).await.unwrap(),
                pickup.submit(Submission::new(&large())).await.unwrap(),
                pickup.submit_json(JSON).await.unwrap(),
                pickup.submit_message(message()).await.unwrap(),
                pickup.submit_message(large()).await.unwrap(),
                pickup.submit_message(merge(20)).await.unwrap(),
                pickup
                    .submit_message_once(message(), key("a"))
                    .await
                    .unwrap(),
                pickup
                    .submit_message_once(merge(3), key("b"))
                    .await
                    .unwrap(),
            ];
            let claimed = pickup
                .claim(key("c"), Fingerprinter::new(&[]).finish())
                .await;
            let Claimed::First(claim) = claimed.unwrap() else {
                panic!("it is new")
            };
            receipts.push(pickup.submit_claimed(submission(), claim).await.unwrap());
            let many = pickup.submit_many((0..300).map(|_| submission())).await;
            receipts.extend(many.into_iter().map(Result::unwrap));
            let mut reader = BatchReader::new(BatchFormat::Lines, 1 << 20);
            reader.feed(format!("{JSON}\n{JSON}\n").as_bytes());
            let batch = pickup.submit_batch(reader.take()).await;
            receipts.extend(batch.into_iter().map(|(_, result)| result.unwrap()));
            let mut stream = MessageStream::new(StreamFormat::Ndjson);
            let lines = "{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n\"b@example.org\"\n";
            stream.feed(lines.as_bytes(), None).unwrap();
            receipts.push(pickup.submit_stream(stream.finish()).await.unwrap());
            let mut names: Vec<_> = receipts
                .into_iter()
                .flat_map(|receipt| receipt.files)
                .collect();
            let mut files = place.files();
            names.sort();
            files.sort();
            assert_eq!(names, files);
            until(|| place.staged() == 0).await;
        });
    }
}

#[test]
fn a_key_prevents_a_second_submission() {
    for runtime in runtimes() {
        let place = Place::new();
        runtime.block_on(async {
            let pickup = place.open().await;
            for message in [message, large, || merge(3)] {
                let name = format!("{}", place.files().len());
                let message = Arc::new(message());
                let before = place.files().len();
                let first = pickup
                    .submit_message_once(Arc::clone(&message), key(&name))
                    .await;
                let again = pickup.submit_message_once(message, key(&name)).await;
                let (first, again) = (first.unwrap(), again.unwrap());
                assert!(first.id == again.id && again.replayed && !first.replayed);
                assert_eq!(place.files().len(), before + first.files.len());
                let other =
                    Message::from_json(br#"{"from": "x@example.com", "to": "y@example.org"}"#);
                let other = pickup.submit_message_once(other.unwrap(), key(&name)).await;
                assert!(matches!(other, Err(ClaimError::Conflict)), "{other:?}");
            }
        });
    }
}

#[test]
fn errors_are_those_of_the_methods_that_block() {
    for runtime in runtimes() {
        let place = Place::new();
        runtime.block_on(async {
            let missing = place.path().join("missing");
            let missing = PickupDirectory::open(missing, PickupOptions::default()).await;
            assert_eq!(missing.unwrap_err().kind(), PickupErrorKind::NotFound);
            let pickup = place.open().await;
            match pickup.submit_json(r#"{"from": 1}"#).await {
                Err(SubmitError::Problems(problems)) => {
                    assert_eq!(problems.iter().next().unwrap().code(), Code::WrongType);
                }
                other => panic!("{other:?}"),
            }
            let mut reader = BatchReader::new(BatchFormat::Lines, 1 << 20);
            reader.feed(b"{\n");
            let batch = pickup.submit_batch(reader.take()).await;
            assert!(matches!(
                batch[0].1,
                Err(BatchError::Submit(SubmitError::Problems(_)))
            ));
            fs::remove_dir_all(place.path()).unwrap();
            let (submission, large) = (submission(), Submission::new(&large()));
            let ids = [*submission.id(), *large.id()];
            let gone = |error: PickupError, id| {
                assert_eq!((error.kind(), error.id()), (PickupErrorKind::NotFound, id));
            };
            gone(
                pickup.submit(submission.clone()).await.unwrap_err(),
                Some(ids[0]),
            );
            gone(pickup.submit(large).await.unwrap_err(), Some(ids[1]));
            gone(
                pickup
                    .submit_many([submission])
                    .await
                    .remove(0)
                    .unwrap_err(),
                Some(ids[0]),
            );
            for error in [
                pickup.submit_message(message()).await.unwrap_err(),
                pickup.submit_message(merge(3)).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), PickupErrorKind::NotFound);
            }
            // A failed submission keeps neither its place nor its key.
            fs::create_dir(place.path()).unwrap();
            pickup
                .submit_message_once(message(), key("a"))
                .await
                .unwrap();
            pickup.settled().await;
        });
    }
}
