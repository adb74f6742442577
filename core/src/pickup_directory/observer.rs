//! Reports for the metrics of a program.

use std::fmt;
use std::time::Duration;

use super::error::PickupError;

/// Is called for each commit. Pass one to [`PickupOptions::with_observer`](super::PickupOptions::with_observer).
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use pmtaemail::{CommitReport, Observer};
///
/// #[derive(Debug, Default)]
/// struct Bytes(AtomicU64);
///
/// impl Observer for Bytes {
///     fn committed(&self, report: &CommitReport) {
///         self.0.fetch_add(report.bytes, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync {
    /// A group of transactions was committed, or failed.
    ///
    /// The thread that led the group calls this after the other threads of the group have got their results, and before
    /// it returns its own. So it should be quick, and it must not panic.
    fn committed(&self, report: &CommitReport);

    /// Files that a process had decided to submit before it died were moved into the pickup directory, or could not be.
    /// Does nothing by default.
    ///
    /// It is called by the thread that opens the directory, or by one that writes a file. So it should be quick, and it
    /// must not panic.
    fn rolled_forward(&self, report: &RollForwardReport) {
        let _ = report;
    }
}

/// One commit: the transactions that shared their syncs, and the result.
///
/// ```
/// use pmtaemail::{CommitReport, Observer, PickupDirectory, PickupOptions};
/// use std::sync::{Arc, Mutex};
///
/// #[derive(Debug, Default)]
/// struct Totals(Mutex<(usize, u64)>);
///
/// impl Observer for Totals {
///     fn committed(&self, report: &CommitReport) {
///         let mut totals = self.0.lock().unwrap();
///         totals.0 += report.files;
///         totals.1 += report.bytes;
///     }
/// }
///
/// # let temporary = tempfile::tempdir()?;
/// let totals = Arc::new(Totals::default());
/// let options = PickupOptions::default().with_observer(totals.clone());
/// let directory = PickupDirectory::open(temporary.path(), options)?;
/// let mut transaction = directory.begin();
/// transaction.write("1.eml", &[b"x-sender: a@example.com\nx-receiver: b@example.org\n\nHello\n"])?;
/// transaction.commit()?;
/// assert_eq!(*totals.0.lock().unwrap(), (1, 57));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CommitReport {
    /// The number of transactions, including those that failed.
    pub transactions: usize,
    /// The number of files that are now in the pickup directory.
    pub files: usize,
    /// The size of these files.
    pub bytes: u64,
    /// How long it took to sync the data of the files. A transaction that syncs its own files does so at the same time
    /// as the others of the group; this is the longest of these times. `None` if nothing was synced.
    pub data_sync: Option<Duration>,
    /// How long it took to sync the pickup directory.
    pub directory_sync: Option<Duration>,
    /// One error for each transaction that failed.
    pub errors: Vec<PickupError>,
}

/// What became of submissions of several files that were decided but not finished when their process died: all files of
/// such a submission are moved into the pickup directory as soon as possible.
///
/// ```
/// use pmtaemail::{CommitReport, Observer, RollForwardReport};
///
/// #[derive(Debug)]
/// struct Log;
///
/// impl Observer for Log {
///     fn committed(&self, _: &CommitReport) {}
///
///     fn rolled_forward(&self, report: &RollForwardReport) {
///         println!("finished {} submissions of a process that died", report.transactions);
///         for error in &report.errors {
///             eprintln!("another one waits: {error}");
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RollForwardReport {
    /// The number of submissions that are now complete in the pickup directory.
    pub transactions: usize,
    /// How many of their files were moved.
    pub files: usize,
    /// Why others are still in the staging folder. They are retried whenever a file is written.
    pub errors: Vec<PickupError>,
}
