//! The durable delivery of files into PowerMTA's pickup directory.
//!
//! - A reader of the directory sees whole files only: a file is written without a name
//!   (`O_TMPFILE`), or in a staging folder where the file system has no unnamed files, and gets its
//!   name in the directory when it is complete. No file is ever overwritten.
//! - When [`Transaction::commit`] returns, the data of the files and their names in the directory are
//!   synced. This needs a file system that survives power failures itself: ext4 with its journal, xfs,
//!   btrfs.
//! - All files of a transaction become visible, or none, whenever its process is killed; where they are
//!   durable, also over a power failure. Several files wait in a staging folder, where a record decides that
//!   they go forward: see `decision`.
//! - A process that dies leaves nothing but whole files in the directory. Unnamed files vanish with
//!   it; what it left in a staging folder is moved on, where it was decided, or removed when a process of
//!   the same user opens the pickup directory the next time.
//! - A transaction may have more files than a process may open: beyond 64 they wait closed.
//!
//! Files are made with mode 0660 less the umask: 0640 under the usual umask of 022. So mail is
//! never readable to everybody; PowerMTA reads it as root or by its group. For the latter let the
//! directory belong to the group `pmta` with the set-group-ID bit (`chgrp pmta DIR; chmod 2770
//! DIR`), whence files inherit the group; a umask of 007 lets the group write them too. Or ask for a
//! [mode](PickupOptions::with_file_mode) and a [group](PickupOptions::with_file_group), at a system call a file
//! each.
//!
//! Under Linux a transaction of one file comes down to these system calls:
//!
//! ```text
//! begin     nothing
//! write     open(DIR, O_TMPFILE)  writev                FileSet::write, WrittenFile::write
//! commit    fdatasync                                   its own thread: sync_each
//!           open(DIR)  linkat(…, "1.eml")  fsync(DIR)   the thread that leads: GroupCommit::lead
//! ```
//!
//! Who does not wait with a thread ([`Transaction::commit_with`]) leaves the commit to two threads that only do that;
//! they sync the data of all that they take together.
//!
//! One of several files, whose staging folder is S with the folder P of the process in it:
//!
//! ```text
//! begin     nothing
//! write     open(DIR, O_TMPFILE)  writev                 FileSet::write, WrittenFile::write
//!           with the second: mkdir(P)  lock              Staging::private_folder
//! commit    linkat(…, "P/0.1.eml") …  fdatasync …        its own thread: FileSet::stage, sync_each
//!           fsync(S)  fsync(P)                           the thread that leads: Decisions::make
//!           open("P/decided-0", O_CREAT)  fsync(P)       the instant of decision
//!           renameat2("P/0.1.eml", "1.eml") …            FileSet::publish
//!           fsync(DIR)  fsync(P)                         GroupCommit::hand_over
//!           unlink("P/decided-0")                        Decisions::settle
//! open      flock("P/lock")  renameat2 …  fsync(DIR)     the next process, if this one died: RollForward
//! ```
//!
//! Elsewhere (`portable`) every file goes by way of the staging folder, and a directory is synced as the
//! system allows: by `F_FULLFSYNC` under macOS, by `FlushFileBuffers` under Windows, where files and
//! folders have no modes but inherit their access rights. What the system refuses is an error.
//!
//! Each file imports from those below it only:
//!
//! ```text
//! mod                          the directory is opened
//! transaction     keys         begin, write, commit; keys of submissions, which `idempotency` keeps
//! memory                       a directory that is none, for tests
//! queue                        a directory that is none: what is submitted goes into a queue of many hosts
//! group_commit                 the syncs that transactions share
//! commit_queue                 which of them go together, and which thread leads
//! decision                     the records of a group: all files of a transaction, or none
//! file_set                     the files of one transaction
//! closed_file                  a file that waits without a descriptor
//! written_file     staging     a file on its way; where files begin
//! staged_transaction           the files of a transaction that have a name already, and their record
//! private_folder               the process's folder in the staging folder
//! leftovers                    what dead processes left: rolled forward or removed
//! lock    system    options    that a process is alive; system calls (linux, portable); settings
//! file_access                  mode and group of files
//! observer                     what is told of commits
//! error                        what can go wrong
//! per_process                  what a fork must not take over
//! ```

mod closed_file;
mod commit_queue;
mod decision;
mod error;
mod file_access;
mod file_set;
mod group_commit;
#[cfg(feature = "idempotency")]
mod keys;
mod leftovers;
mod lock;
#[cfg(feature = "outbox")]
mod memory;
mod observer;
mod options;
mod per_process;
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "compiled for its tests alone")
)]
mod portable;
mod private_folder;
#[cfg(feature = "queue")]
mod queue;
mod staged_transaction;
mod staging;
mod transaction;
mod written_file;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
use portable as system;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::Arc;

pub use error::{PickupError, PickupErrorKind};
pub use file_access::{FileGroup, FileMode};
#[cfg(feature = "idempotency")]
pub use keys::ClaimError;
#[cfg(feature = "outbox")]
pub use memory::SubmittedFile;
pub use observer::{CommitReport, Observer, RollForwardReport};
pub use options::{Durability, PickupOptions};
#[cfg(feature = "queue")]
pub use queue::{Parcel, ParcelFile, ParcelKey, Queue, QueueError};
pub use transaction::Transaction;

use error::Operation;
use file_access::{FileAccess, GROUPS};
use group_commit::GroupCommit;
use staging::Staging;

/// Owner and group may read and write, less the umask. PowerMTA locks a file before it reads it, which may require
/// write permission.
#[cfg(unix)]
const MODE: u32 = 0o660;

/// PowerMTA's pickup directory.
///
/// Open it once and share it: threads that submit at the same time share their syncs. Several processes may submit to
/// the same directory.
///
/// The path is looked up for each file, so you need not reopen a directory that is moved, recreated or mounted over. A
/// forked process can keep using it too, whatever other threads were doing with it at that moment; a transaction that
/// began before the fork belongs to the parent.
///
/// ```
/// # use pmtaemail::{PickupDirectory, PickupOptions};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default())?;
/// let mut transaction = directory.begin();
/// transaction.write("1.eml", &[b"x-sender: a@example.com\nx-receiver: b@example.org\n", b"Subject: Hello\n\nHello!\n"])?;
/// transaction.commit()?;
/// assert!(path.join("1.eml").exists());
/// # Ok::<(), pmtaemail::PickupError>(())
/// ```
#[derive(Debug)]
pub struct PickupDirectory {
    place: Place,
}

#[derive(Debug)]
#[cfg_attr(
    any(feature = "outbox", feature = "queue"),
    expect(clippy::large_enum_variant, reason = "a process has few of them")
)]
enum Place {
    Disk(Disk),
    #[cfg(feature = "outbox")]
    Memory(memory::Memory),
    #[cfg(feature = "queue")]
    Queue(queue::QueueDirectory),
}

#[derive(Debug)]
struct Disk {
    durable: bool,
    staging: Staging,
    group_commit: Arc<GroupCommit>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.group_commit.end_threads();
    }
}

impl PickupDirectory {
    /// Opens the directory, which must exist, and checks that files can be created for it. Finishes submissions that
    /// dead processes had already decided, and removes everything else that they left in the staging folder.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupErrorKind, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let error = PickupDirectory::open(temporary.path().join("typo"), PickupOptions::default()).unwrap_err();
    /// assert_eq!(error.kind(), PickupErrorKind::NotFound);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - The directory does not exist, is not a directory, or this process may not read and write it.
    /// - The staging folder cannot be created or is on another file system, or that file system can neither rename
    ///   without overwriting nor create hard links.
    /// - Files cannot be given the requested mode or group.
    /// - [`PickupOptions`] names a store of idempotency keys, and it is damaged or cannot be created.
    ///
    /// A full disk is not an error yet.
    pub fn open(path: impl Into<PathBuf>, mut options: PickupOptions) -> Result<Self, PickupError> {
        let path = absolute(&path.into())?;
        options.staging = options.staging.as_deref().map(absolute).transpose()?;
        let access = FileAccess::new(options.file_mode, options.file_group.as_ref()).map_err(
            PickupError::from_io(Operation::FindGroup, Path::new(GROUPS)),
        )?;
        let staging = Staging::new(&path, &options).with_access(access);
        #[cfg(feature = "idempotency")]
        let staging = {
            let keys = keys::open(&staging, &options)?;
            staging.with_keys(keys)
        };
        match staging.probe(&[]) {
            Ok(()) => {}
            // Room may be made at any time, and each transaction tells whether there is some.
            Err(error)
                if matches!(
                    error.kind(),
                    PickupErrorKind::StorageFull | PickupErrorKind::QuotaExceeded
                ) => {}
            Err(error) => return Err(error),
        }
        staging.clear_leftovers();
        let place = Place::Disk(Disk {
            durable: options.is_durable(),
            group_commit: Arc::new(GroupCommit::new(staging.pickup(), options)),
            staging,
        });
        Ok(Self { place })
    }

    /// A pickup directory in memory, for the tests of an application: everything that is submitted stays there, up to
    /// 256 MiB, and nothing is sent. It does everything that a directory on disk does, including idempotency keys.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, Submission, outbox::SentMessage};
    ///
    /// let directory = PickupDirectory::in_memory();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;
    /// directory.submit(&Submission::from_json(json).unwrap())?;
    ///
    /// let sent = SentMessage::of(&directory.submitted_files()).unwrap();
    /// assert_eq!(sent[0].recipients, ["ann@example.org"]);
    /// assert_eq!(sent[0].mail.header("Subject"), Some("Hello"));
    /// # Ok::<(), pmtaemail::PickupError>(())
    /// ```
    #[cfg(feature = "outbox")]
    pub fn in_memory() -> Self {
        Self::in_memory_up_to(memory::LIMIT)
    }

    /// Like [`in_memory`](Self::in_memory) with another limit, in bytes. A submission that would exceed it fails with
    /// [`StorageFull`](PickupErrorKind::StorageFull).
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupErrorKind, Submission};
    ///
    /// let directory = PickupDirectory::in_memory_up_to(10);
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let error = directory.submit(&Submission::from_json(json).unwrap()).unwrap_err();
    /// assert_eq!(error.kind(), PickupErrorKind::StorageFull);
    /// ```
    #[cfg(feature = "outbox")]
    pub fn in_memory_up_to(limit: u64) -> Self {
        Self {
            place: Place::Memory(memory::Memory::new(limit)),
        }
    }

    /// Submits to a queue instead of a directory; other hosts take submissions from the queue and put them into their
    /// pickup directories. It does everything that a directory on disk does. See [`Queue`] for an example.
    ///
    /// Files wait in memory until the queue has taken them: `memory` limits the bytes of all submissions together. A
    /// submission for which there is no room fails and can be retried. A single one may use 64 MiB.
    #[cfg(feature = "queue")]
    pub fn of_queue(queue: Arc<dyn Queue>, memory: usize) -> Self {
        Self {
            place: Place::Queue(queue::QueueDirectory::new(queue, memory)),
        }
    }

    /// Whether submissions go to a [queue](Self::of_queue) and reach PowerMTA later.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// assert!(!directory.is_queue());
    /// assert!(!directory.has_leftovers());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_queue(&self) -> bool {
        #[cfg(feature = "queue")]
        if let Place::Queue(_) = &self.place {
            return true;
        }
        false
    }

    /// The files submitted to a pickup directory [in memory](Self::in_memory), in order. Empty for a directory on disk,
    /// which contains its files itself.
    #[cfg(feature = "outbox")]
    pub fn submitted_files(&self) -> Vec<Arc<SubmittedFile>> {
        match &self.place {
            Place::Disk(_) => Vec::new(),
            Place::Memory(memory) => memory.files(),
            #[cfg(feature = "queue")]
            Place::Queue(_) => Vec::new(),
        }
    }

    /// Removes the files submitted to a pickup directory [in memory](Self::in_memory). Its idempotency keys stay.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, Submission};
    ///
    /// let directory = PickupDirectory::in_memory();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// directory.submit(&Submission::from_json(json).unwrap())?;
    /// assert_eq!(directory.submitted_files().len(), 1);
    /// directory.clear_submitted_files();
    /// assert!(directory.submitted_files().is_empty());
    /// # Ok::<(), pmtaemail::PickupError>(())
    /// ```
    #[cfg(feature = "outbox")]
    pub fn clear_submitted_files(&self) {
        match &self.place {
            Place::Disk(_) => {}
            Place::Memory(memory) => memory.clear(),
            #[cfg(feature = "queue")]
            Place::Queue(_) => {}
        }
    }

    #[cfg_attr(
        not(any(feature = "outbox", feature = "queue")),
        expect(clippy::unnecessary_wraps, reason = "all are on disk")
    )]
    fn disk(&self) -> Option<&Disk> {
        match &self.place {
            Place::Disk(disk) => Some(disk),
            #[cfg(feature = "outbox")]
            Place::Memory(_) => None,
            #[cfg(feature = "queue")]
            Place::Queue(_) => None,
        }
    }

    /// Starts the two threads that commit for [`submit_with`](Self::submit_with) and [`Transaction::commit_with`],
    /// unless they run already. They belong to this process: a fork has none, and may start its own. When the directory
    /// is dropped they finish what was left to them and end; nothing waits for that.
    ///
    /// See [`submit_with`](Self::submit_with) for an example.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub fn start_commit_threads(&self) -> io::Result<()> {
        self.disk()
            .map_or(Ok(()), |disk| disk.group_commit.start_threads())
    }

    /// Whether the next submission first has to finish one that failed earlier, which may take a while.
    pub fn has_leftovers(&self) -> bool {
        self.disk().is_some_and(|disk| disk.staging.has_leftovers())
    }

    /// The absolute path of the directory; `:memory:` for one in memory.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Disk(disk) => disk.staging.pickup(),
            #[cfg(feature = "outbox")]
            Place::Memory(_) => Path::new(memory::PATH),
            #[cfg(feature = "queue")]
            Place::Queue(queue) => queue.path(),
        }
    }

    /// The path of the staging folder, which exists only while it is needed.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// assert!(directory.staging()?.ends_with("pickup.staging"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The options name none, and the pickup directory is missing, the root directory, or in memory.
    pub fn staging(&self) -> Result<PathBuf, PickupError> {
        match &self.place {
            Place::Disk(disk) => disk.staging.folder(),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            _ => {
                let error = io::ErrorKind::NotFound.into();
                Err(PickupError::from_io(Operation::PrepareStaging, self.path())(error))
            }
        }
    }

    /// Tries everything that a submission needs: opens the directory, writes a file of 64 KiB on its file system, and
    /// checks whether it could be made visible. Nothing is ever visible or left behind. Blocks for as long as the file
    /// system takes.
    ///
    /// ```
    /// # use pmtaemail::{PickupDirectory, PickupErrorKind, PickupOptions};
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path).unwrap();
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// directory.probe()?;
    /// std::fs::remove_dir(&path).unwrap();
    /// assert_eq!(directory.probe().unwrap_err().kind(), PickupErrorKind::NotFound);
    /// # Ok::<(), pmtaemail::PickupError>(())
    /// ```
    ///
    /// # Errors
    /// Those of a submission that can be found in advance.
    pub fn probe(&self) -> Result<(), PickupError> {
        #[cfg(feature = "queue")]
        if let Place::Queue(queue) = &self.place {
            return queue.probe();
        }
        self.disk()
            .map_or(Ok(()), |disk| disk.staging.probe(&vec![b'.'; 64 << 10]))
    }

    /// Tries what a submission of several files needs in addition: a staging folder. Nothing is left behind. Blocks for
    /// as long as the file system takes.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// directory.probe_staging()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of a submission of several files that can be found in advance.
    pub fn probe_staging(&self) -> Result<(), PickupError> {
        self.disk()
            .map_or(Ok(()), |disk| disk.staging.probe_staging())
    }

    /// An empty file, open for reading and writing, on the file system of the directory. No reader of the directory
    /// ever sees it, and it vanishes when it is dropped.
    ///
    /// # Errors
    /// Those of [`Transaction::write`], for a file.
    pub(crate) fn scratch_file(&self) -> Result<File, PickupError> {
        match &self.place {
            Place::Disk(disk) => disk.staging.create_scratch(),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            _ => crate::memory_file::create()
                .map_err(PickupError::from_io(Operation::CreateFile, self.path())),
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, PickupError> {
    path::absolute(path).map_err(PickupError::from_io(Operation::OpenDirectory, path))
}
