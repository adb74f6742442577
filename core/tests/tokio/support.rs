//! What these tests share: a directory, messages, and a gate that holds what is about to be told.

use pmtaemail::tokio::PickupDirectory;
use pmtaemail::{
    CommitReport, IdempotencyKey, Message, Observer, PickupOptions, Recipient, Submission,
};
use std::fs;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

pub const JSON: &str = r#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;

/// For what a runtime's own threads shall write.
pub const INLINE: usize = 10_000;

pub const PATIENCE: Duration = Duration::from_mins(1);

pub fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

pub fn multi_thread() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// With one thread for what blocks.
pub fn with_one_blocking_thread() -> Runtime {
    let mut builder = Builder::new_current_thread();
    let builder = builder.enable_all().max_blocking_threads(1);
    builder.build().unwrap()
}

pub fn runtimes() -> [Runtime; 2] {
    [current_thread(), multi_thread()]
}

/// A folder with an empty pickup directory.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("pickup")).unwrap();
        Self(place)
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().join("pickup")
    }

    pub async fn open(&self) -> PickupDirectory {
        self.open_with(PickupOptions::default()).await
    }

    pub async fn open_with(&self, options: PickupOptions) -> PickupDirectory {
        PickupDirectory::open(self.path(), options).await.unwrap()
    }

    /// Whose threads that commit are held by the gate.
    pub async fn open_gated(&self, gate: &Arc<Gate>) -> PickupDirectory {
        let observer = Arc::clone(gate) as _;
        self.open_with(PickupOptions::default().with_observer(observer))
            .await
    }

    /// The files that PowerMTA would see, all of which are whole.
    pub fn files(&self) -> Vec<String> {
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
    pub fn staged(&self) -> usize {
        let inside = |path: PathBuf| fs::read_dir(path).into_iter().flatten().flatten();
        let folders = inside(self.0.path().join("pickup.staging"));
        let files = folders.flat_map(|folder| inside(folder.path()));
        files.filter(|file| file.file_name() != "lock").count()
    }
}

pub fn message() -> Message<'static> {
    Message::from_json(JSON.as_bytes()).unwrap()
}

/// Larger than what these tests have written by a runtime's own threads.
pub fn large() -> Message<'static> {
    let text = "Hello\r\n".repeat(INLINE / 5);
    let builder = Message::builder().from("shop@example.com");
    builder.to("ann@example.org").text(text).build().unwrap()
}

/// A mail merge of many files.
pub fn merge(recipients: usize) -> Message<'static> {
    let recipients = (0..recipients).map(|n| Recipient::new(format!("b{n}@example.org")));
    let builder = Message::builder().from("shop@example.com").text("Hello");
    builder
        .merge(pmtaemail::MergeForm::Expanded)
        .recipients(recipients)
        .build()
        .unwrap()
}

pub fn submission() -> Submission {
    Submission::new(&message())
}

pub fn key(text: &str) -> IdempotencyKey {
    text.parse().unwrap()
}

/// Holds the threads that commit, until it is told to let them go.
#[derive(Debug, Default)]
pub struct Gate {
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
    pub fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.opened.notify_all();
    }

    /// Waits until both threads that commit are held, each after a message that it has committed.
    pub async fn hold_both(&self, pickup: &PickupDirectory) {
        for lanes in 1..=2 {
            pickup.submit(submission()).await.unwrap();
            until(|| self.reports().len() == lanes).await;
        }
    }

    pub fn reports(&self) -> Vec<(usize, Option<String>)> {
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
pub fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

pub async fn until(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "it does not come about");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Polls a future so often, in vain but for the last time, and drops it.
pub async fn poll_and_drop(mut future: Pin<Box<dyn Future<Output = ()> + Send>>, polls: usize) {
    for _ in 0..polls {
        let is_ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready()));
        if is_ready.await {
            return;
        }
        yield_now().await;
    }
}
