//! PowerMTA's pickup directory, without a thread that waits for it.

use super::room::{Place, Room};
use super::work::prepare;
use crate::pickup_directory::{PickupError, PickupOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// PowerMTA's pickup directory, for programs that run on tokio: see the [module](super).
///
/// Clones share one directory, and its limit. Awaited outside of a runtime of tokio, a method panics if it needs a
/// blocking thread.
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
    room: Room,
    /// A file of up to so many bytes is written by the thread that polls.
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
            room: Room::new(),
            inline: 0,
        })
    }

    /// Lets submissions have so many files open at a time, 256 by default, while others wait. One message has one; a
    /// mail merge, which may have 64, counts as so many, and a batch as all its messages. With a smaller limit these are
    /// at work alone, and yet have as many files open. Those of the clones made before are not counted.
    #[must_use]
    pub fn with_most_at_once(self, most: usize) -> Self {
        Self {
            room: self.room.with_most_at_once(most),
            ..self
        }
    }

    /// Has what is rendered already, as one file of up to so many bytes, written by the thread that polls, without waiting
    /// for it to be synced. By default there is none such: to make a file takes some ten microseconds, but where the file
    /// system is about to write its journal it waits for that, with all that the runtime has to do. For a program that
    /// bounds what comes in, and whose threads have little else to do.
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

    /// Waits until all is done that was begun before, also by futures that were dropped, and by all clones: for a program
    /// that is about to end. What begins meanwhile is neither held up nor waited for. A future that waits for its turn
    /// has begun: poll it, or drop it.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn settled(&self) {
        self.room.settled().await;
    }

    /// Waits for a place among those at work, for so many files.
    pub(super) async fn take_room(&self, files: usize) -> Place {
        self.room.take(files).await
    }
}
