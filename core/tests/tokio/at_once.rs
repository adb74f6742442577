//! How much is at work at the same time, and in which threads.

use super::support::{
    Gate, Place, merge, message, open_files, poll_and_drop, runtimes, submission, until,
    with_one_blocking_thread,
};
use pmtaemail::Submission;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking, yield_now};

#[test]
fn submissions_at_the_same_time_share_syncs_that_no_thread_of_the_runtime_waits_for() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::<Gate>::default();
        runtime.block_on(async {
            let pickup = place.open_gated(&gate).await;
            gate.hold_both(&pickup).await;
            let before = open_files();
            let mut tasks = JoinSet::new();
            for _ in 0..200 {
                let pickup = pickup.clone();
                tasks.spawn(async move { pickup.submit(submission()).await });
            }
            // Each is written, and waits for its commit with its file open.
            #[cfg(target_os = "linux")]
            until(|| open_files() >= before + 200).await;
            for _ in 0..1_000 {
                yield_now().await;
            }
            assert_eq!(place.files().len(), 2);
            gate.open();
            for result in tasks.join_all().await {
                result.unwrap();
            }
            assert_eq!(place.files().len(), 202);
        });
        let reports = gate.reports();
        assert!(reports.len() < 20, "{reports:?}");
        assert!(
            reports
                .iter()
                .all(|(_, thread)| thread.as_deref() == Some("commit"))
        );
    }
}

#[test]
fn no_more_are_in_progress_than_allowed() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::<Gate>::default();
        runtime.block_on(async {
            let pickup = place.open_gated(&gate).await.with_most_at_once(5);
            let before = open_files();
            let mut tasks = JoinSet::new();
            for _ in 0..100 {
                let pickup = pickup.clone();
                tasks.spawn(async move { pickup.submit(submission()).await });
            }
            until(|| gate.reports().len() == 2).await;
            for _ in 0..1_000 {
                yield_now().await;
            }
            // Some to spare for other tests of this process.
            assert!(open_files() < before + 50);
            gate.open();
            tasks
                .join_all()
                .await
                .into_iter()
                .for_each(|result| drop(result.unwrap()));
        });
    }
}

#[test]
fn mail_merges_at_the_same_time_have_no_more_files_open_than_may_be() {
    for (runtime, from_json) in runtimes().into_iter().zip([true, false]) {
        let place = Place::new();
        runtime.block_on(async {
            let pickup = place.open().await;
            let before = open_files();
            let mut tasks = JoinSet::new();
            for _ in 0..12 {
                let pickup = pickup.clone();
                tasks.spawn(async move {
                    if from_json {
                        let to: Vec<_> = (0..70).map(|n| format!("\"b{n}@example.org\"")).collect();
                        let json = format!(
                            r#"{{"from": "a@example.com", "text": "Hello", "merge": "expanded", "recipients": [{}]}}"#,
                            to.join(",")
                        );
                        pickup.submit_json(json).await.unwrap()
                    } else {
                        pickup.submit_message(merge(70)).await.unwrap()
                    }
                });
            }
            let mut most = 0;
            while !tasks.is_empty() {
                most = most.max(open_files());
                while let Some(receipt) = tasks.try_join_next() {
                    assert_eq!(receipt.unwrap().files.len(), 70);
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            // Some to spare for other tests of this process.
            assert!(most < before + 256 + 100, "{most}");
        });
    }
}

#[test]
fn no_more_than_one_file_is_written_by_the_thread_that_polls() {
    let place = Place::new();
    let runtime = with_one_blocking_thread();
    runtime.block_on(async {
        let pickup = place.open().await.with_inline_writes(1 << 20);
        let (sender, held) = mpsc::channel::<()>();
        let holding = spawn_blocking(move || held.recv());
        for (message, files) in [(merge(2), 0), (message(), 1)] {
            let (pickup, submission) = (pickup.clone(), Submission::new(&message));
            assert!(submission.size() < 1 << 20);
            let begun = pickup.clone();
            let submitting = async move { drop(begun.submit(submission).await) };
            poll_and_drop(Box::pin(submitting), 1).await;
            pickup.settled().await;
            assert_eq!(place.files().len(), files);
        }
        drop(sender);
        drop(holding.await);
    });
}
