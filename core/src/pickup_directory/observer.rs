//! What a program may watch, for its metrics.

use std::fmt;
use std::time::Duration;

use super::error::PickupError;

/// Is told of each commit. Give one to
/// [`PickupOptions::with_observer`](super::PickupOptions::with_observer).
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
    /// The thread that led the group calls this when the other threads of the group have their
    /// answers, and before it gives its own; so it should be quick, and it must not panic.
    fn committed(&self, report: &CommitReport);

    /// Files that an earlier process, which died, had decided to hand over were moved into the pickup
    /// directory, or could not be. By default nothing is done.
    ///
    /// The thread that opens the directory calls this, or one that writes a file; so it should be quick, and
    /// it must not panic.
    fn rolled_forward(&self, report: &RollForwardReport) {
        let _ = report;
    }
}

/// One commit: the transactions that shared their syncs, and what became of them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct CommitReport {
    /// How many transactions there were, with those that failed.
    pub transactions: usize,
    /// How many files are in the pickup directory now.
    pub files: usize,
    /// The size of these files.
    pub bytes: u64,
    /// How long the sync of the files' data took. A transaction that syncs its own files does so
    /// at the same time as the others of the group: then it is the longest of these times. `None`
    /// where nothing was synced.
    pub data_sync: Option<Duration>,
    /// How long the sync of the pickup directory took.
    pub directory_sync: Option<Duration>,
    /// One error for each transaction that failed.
    pub errors: Vec<PickupError>,
}

/// What became of submissions of several files that were decided but not finished when their process
/// died: all files of such a one are handed over, as soon as that is possible.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct RollForwardReport {
    /// How many submissions are whole in the pickup directory now.
    pub transactions: usize,
    /// How many of their files were not there before.
    pub files: usize,
    /// Why others wait in the staging folder. They are tried again with each file that is written.
    pub errors: Vec<PickupError>,
}
