//! The pickup directory on tokio: what is awaited is submitted, and what is dropped is never half submitted.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{
    BatchError, BatchFormat, BatchReader, ClaimError, Claimed, Code, CommitReport, Durability,
    Fingerprinter, IdempotencyKey, Message, MessageStream, Observer, PickupError, PickupErrorKind,
    PickupOptions, Receipt, Recipient, StreamFormat, Submission, SubmitError,
};
use std::fs;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinSet, spawn_blocking, yield_now};

const JSON: &str = r#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;

/// For what a runtime's own threads shall write.
const INLINE: usize = 10_000;

const PATIENCE: Duration = Duration::from_mins(1);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

fn runtimes() -> [Runtime; 2] {
    [current_thread(), multi_thread()]
}

/// A folder with an empty pickup directory.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("pickup")).unwrap();
        Self(place)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("pickup")
    }

    async fn open(&self) -> PickupDirectory {
        self.open_with(PickupOptions::default()).await
    }

    async fn open_with(&self, options: PickupOptions) -> PickupDirectory {
        PickupDirectory::open(self.path(), options).await.unwrap()
    }

    /// The files that PowerMTA would see, all of which are whole.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let names: Vec<_> = names.collect();
        for name in &names {
            let text = fs::read_to_string(self.path().join(name)).unwrap();
            assert!(
                text.ends_with("Hello\r\n") || text.ends_with("\r\n.\r\n"),
                "{name} is not whole"
            );
        }
        names
    }

    /// How many files wait in the staging folder, in the folder of this process.
    fn staged(&self) -> usize {
        let inside = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
        let folders = inside(self.0.path().join("pickup.staging"));
        let files = folders.flat_map(|folder| inside(folder.path()));
        files.filter(|file| file.file_name() != "lock").count()
    }
}

fn message() -> Message<'static> {
    Message::from_json(JSON.as_bytes()).unwrap()
}

/// Larger than what these tests have written by a runtime's own threads.
fn large() -> Message<'static> {
    let text = "Hello\r\n".repeat(INLINE / 5);
    let builder = Message::builder().from("shop@example.com");
    builder.to("ann@example.org").text(text).build().unwrap()
}

/// A mail merge of many files.
fn merge(recipients: usize) -> Message<'static> {
    let recipients = (0..recipients).map(|n| Recipient::new(format!("b{n}@example.org")));
    let builder = Message::builder().from("shop@example.com").text("Hello");
    builder
        .merge(pmtaemail::MergeForm::Expanded)
        .recipients(recipients)
        .build()
        .unwrap()
}

fn submission() -> Submission {
    Submission::new(&message())
}

fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

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
fn what_was_submitted_under_a_key_is_not_submitted_again() {
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

/// Holds the threads that commit, until it is told to let them go.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    /// Of each commit how many shared it, and in which thread it was.
    reports: Vec<(usize, Option<String>)>,
}

impl Gate {
    fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.opened.notify_all();
    }

    fn reports(&self) -> Vec<(usize, Option<String>)> {
        self.state.lock().unwrap().reports.clone()
    }
}

impl Observer for Gate {
    fn committed(&self, report: &CommitReport) {
        let mut state = self.state.lock().unwrap();
        let thread = thread::current().name().map(str::to_owned);
        state.reports.push((report.transactions, thread));
        let open = self
            .opened
            .wait_timeout_while(state, PATIENCE, |state| !state.is_open);
        drop(open.unwrap());
    }
}

/// How many files this process has open; none where the system does not say.
fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

async fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come about");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[test]
fn submissions_at_the_same_time_share_syncs_that_no_thread_of_the_runtime_waits_for() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::new(Gate::default());
        let options = PickupOptions::default().with_observer(Arc::clone(&gate) as _);
        runtime.block_on(async {
            let pickup = place.open_with(options).await;
            let mut tasks = JoinSet::new();
            let submit = |tasks: &mut JoinSet<_>| {
                let pickup = pickup.clone();
                tasks.spawn(async move { pickup.submit(submission()).await });
            };
            // Both threads are held.
            for lanes in 1..=2 {
                submit(&mut tasks);
                until(|| gate.reports().len() == lanes).await;
            }
            let before = open_files();
            for _ in 0..200 {
                submit(&mut tasks);
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
        let gate = Arc::new(Gate::default());
        let options = PickupOptions::default().with_observer(Arc::clone(&gate) as _);
        runtime.block_on(async {
            let pickup = place.open_with(options).await.with_most_at_once(5);
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
fn what_a_clone_with_another_limit_began_is_waited_for() {
    for runtime in runtimes() {
        let place = Place::new();
        let gate = Arc::new(Gate::default());
        let options = PickupOptions::default().with_observer(Arc::clone(&gate) as _);
        runtime.block_on(async {
            let pickup = place.open_with(options).await;
            let other = pickup.clone().with_most_at_once(usize::MAX);
            for lanes in 1..=2 {
                drop(pickup.submit(submission()).await);
                until(|| gate.reports().len() == lanes).await;
            }
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

/// Polls a future so often, in vain but for the last time, and drops it.
async fn poll_and_drop(mut future: Pin<Box<dyn Future<Output = ()> + Send>>, polls: usize) {
    for _ in 0..polls {
        let is_ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        if is_ready.await {
            return;
        }
        yield_now().await;
    }
}

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
fn what_no_thread_has_begun_with_is_never_begun() {
    for (name, _, begin) in WAYS {
        let place = Place::new();
        let mut builder = Builder::new_current_thread();
        let runtime = builder
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
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
fn where_the_system_gives_no_thread_nothing_is_left_for_a_later_one() {
    let place = Place::new();
    let mut builder = Builder::new_current_thread();
    // Such a stack fits into no memory.
    let runtime = builder.thread_stack_size(1 << 60).build().unwrap();
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
        let gate = Arc::new(Gate::default());
        let options = PickupOptions::default().with_observer(Arc::clone(&gate) as _);
        runtime.block_on(async {
            let pickup = place.open_with(options).await.with_inline_writes(INLINE);
            for lanes in 1..=2 {
                drop(pickup.submit(submission()).await);
                until(|| gate.reports().len() == lanes).await;
            }
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

#[test]
fn no_more_than_one_file_is_written_by_the_thread_that_polls() {
    let place = Place::new();
    let mut builder = Builder::new_current_thread();
    let runtime = builder
        .enable_all()
        .max_blocking_threads(1)
        .build()
        .unwrap();
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
