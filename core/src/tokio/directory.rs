//! PowerMTA's pickup directory, without a thread that waits for it.

use super::work::prepare;
use crate::pickup_directory::{PickupError, PickupOptions};
use ::tokio::sync::{OwnedSemaphorePermit, Semaphore};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many submissions are at work at a time unless something else is asked for. Each has a file open, and processes
/// may have 1,024 of them by default.
const AT_ONCE: usize = 256;

/// PowerMTA's pickup directory, for programs that run on tokio: see the [module](super).
///
/// Clones share one directory, and its limit. Each method panics where it is awaited outside of a runtime of tokio.
///
/// ```
/// use pmtaemail::{PickupOptions, Submission, tokio::PickupDirectory};
/// use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path();
/// // Other threads may use it without tokio.
/// let blocking = pmtaemail::PickupDirectory::open(path, PickupOptions::default())?;
/// let pickup = PickupDirectory::new(blocking)?.with_most_at_once(64).with_inline_writes(4_096);
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
/// pickup.blocking().submit(&Submission::from_json(json)?)?;
///
/// let submitting = pickup.submit(Submission::from_json(json)?);
/// if tokio::time::timeout(Duration::from_nanos(1), submitting).await.is_err() {
///     // It may have been submitted.
///     pickup.settled().await;
/// }
/// let files = std::fs::read_dir(pickup.path())?.count();
/// assert!(files == 1 || files == 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PickupDirectory {
    pub(super) directory: Arc<crate::PickupDirectory>,
    room: Arc<Semaphore>,
    at_once: usize,
    /// Up to so many bytes are written by the thread that polls.
    pub(super) inline: usize,
}

impl PickupDirectory {
    /// Opens the directory, as [`open`](crate::PickupDirectory::open) does, and starts the threads that commit.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing open.
    ///
    /// # Errors
    /// Those of [`open`](crate::PickupDirectory::open), or the system gives no thread.
    pub async fn open(
        path: impl Into<PathBuf>,
        options: PickupOptions,
    ) -> Result<Self, PickupError> {
        let path = path.into();
        let opened = path.clone();
        prepare(&path, move || {
            let directory = crate::PickupDirectory::open(opened, options)?;
            let path = directory.path().to_owned();
            Self::new(directory).map_err(PickupError::without_threads(&path))
        })
        .await?
    }

    /// Shares a directory that is open with those who use it otherwise, and starts the threads that commit, unless they
    /// run. For a test it may be [in memory](crate::PickupDirectory::in_memory).
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(directory: impl Into<Arc<crate::PickupDirectory>>) -> io::Result<Self> {
        let directory = directory.into();
        directory.start_commit_threads()?;
        Ok(Self {
            directory,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            at_once: AT_ONCE,
            inline: 0,
        })
    }

    /// Lets so many submissions be at work at a time, 256 by default, while others wait. Each has a file open; a mail
    /// merge, up to 64. Those of the clones made before are not counted.
    #[must_use]
    pub fn with_most_at_once(self, most: usize) -> Self {
        let at_once = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            room: Arc::new(Semaphore::new(at_once)),
            at_once,
            ..self
        }
    }

    /// Has what is rendered already, and has up to so many bytes, written by the thread that polls, without waiting for it
    /// to be synced. By default there is none such: to make a file takes some ten microseconds, but where the file system
    /// is about to write its journal it waits for that, with all that the runtime has to do. For a program that bounds
    /// what comes in, and whose threads have little else to do.
    #[must_use]
    pub fn with_inline_writes(self, bytes: usize) -> Self {
        Self {
            inline: bytes,
            ..self
        }
    }

    /// The directory, for all that has no method here. What it does blocks: use `tokio::task::spawn_blocking`.
    pub fn blocking(&self) -> &Arc<crate::PickupDirectory> {
        &self.directory
    }

    /// The absolute path of the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Waits until all is done that was begun before, also by futures that were dropped: for a program that is about to
    /// end.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn settled(&self) {
        let all = u32::try_from(self.at_once).unwrap_or(u32::MAX);
        // It is never closed.
        drop(self.room.acquire_many(all).await);
    }

    /// Waits for a place among those at work.
    pub(super) async fn take_room(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.room).acquire_owned().await.ok()
    }
}
