//! The durable hand-over of files into PowerMTA's pickup directory.
//!
//! - A reader of the directory sees whole files only: a file is written without a name
//!   (`O_TMPFILE`), or in a staging folder where the file system has no unnamed files, and gets its
//!   name in the directory when it is complete. No file is ever overwritten.
//! - When [`Transaction::commit`] returns, the data of the files and their names in the directory are
//!   synced. This needs a file system that survives power cuts itself: ext4 with its journal, xfs,
//!   btrfs.
//! - All files of a transaction become visible, or none, whenever its process is killed; where they are
//!   durable, also over a power cut. Several files wait in a staging folder, where a record decides that
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
pub(crate) use keys::KeyRefused;
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

/// Owner and group may read and write, less the umask. PowerMTA locks a file before it reads it,
/// which may need the right to write.
#[cfg(unix)]
const MODE: u32 = 0o660;

/// PowerMTA's pickup directory.
///
/// Open it once and share it: threads that hand over at the same time share their syncs. Several
/// processes may hand over to the same directory.
///
/// The path is looked up for each file, so a directory that is moved, made again or mounted over is
/// used without opening it again. So may a fork of the process, whatever its other threads were doing
/// with the directory at that moment; a transaction that was begun before belongs to the parent.
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
    /// Opens the directory, which must exist, and tries whether files can be made for it. Hands over
    /// what processes that died had decided to, and removes what else they left in the staging folder.
    ///
    /// # Errors
    /// The directory is missing or none, or this process may not read and write it, or the staging
    /// folder cannot be made or lies on another file system, or that can neither rename without
    /// overwriting nor make hard links; or files cannot be given the mode and group that were asked for. A full
    /// disk is no error yet. Or a store of idempotency keys was named that is damaged, or cannot be made there.
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

    /// A pickup directory in memory, for the tests of an application: all that is submitted to it stays there, up to
    /// 256 MiB, and nothing is handed over. It does all that one on disk does, keys included.
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

    /// The same with another limit, in bytes. A submission that would exceed it is refused:
    /// [`StorageFull`](PickupErrorKind::StorageFull).
    #[cfg(feature = "outbox")]
    pub fn in_memory_up_to(limit: u64) -> Self {
        Self {
            place: Place::Memory(memory::Memory::new(limit)),
        }
    }

    /// A pickup directory that is none: what is submitted to it goes into a queue, from which other hosts take it into
    /// theirs. It does all that one on disk does.
    ///
    /// Files wait in memory until the queue has taken them: `memory` bytes at most, those of all submissions together. A
    /// submission for which there is no room fails, and can be tried again. One alone may take 64 MiB.
    #[cfg(feature = "queue")]
    pub fn of_queue(queue: Arc<dyn Queue>, memory: usize) -> Self {
        Self {
            place: Place::Queue(queue::QueueDirectory::new(queue, memory)),
        }
    }

    /// Whether what is submitted goes into a [queue](Self::of_queue), and is handed over later.
    pub fn is_queue(&self) -> bool {
        #[cfg(feature = "queue")]
        if let Place::Queue(_) = &self.place {
            return true;
        }
        false
    }

    /// What was submitted to a pickup directory [in memory](Self::in_memory), in order. One on disk has none: its
    /// files are there.
    #[cfg(feature = "outbox")]
    pub fn submitted_files(&self) -> Vec<Arc<SubmittedFile>> {
        match &self.place {
            Place::Disk(_) => Vec::new(),
            Place::Memory(memory) => memory.files(),
            #[cfg(feature = "queue")]
            Place::Queue(_) => Vec::new(),
        }
    }

    /// Forgets what was submitted to a pickup directory [in memory](Self::in_memory), but for its keys.
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

    /// Starts the two threads that commit what is submitted without waiting for it, by
    /// [`submit_with`](Self::submit_with) and [`Transaction::commit_with`]. They are this process's: a fork has none,
    /// and may start its own. They end when the directory is dropped and all that was left to them is done, which
    /// nothing waits for.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start_commit_threads(&self) -> io::Result<()> {
        self.disk()
            .map_or(Ok(()), |disk| disk.group_commit.start_threads())
    }

    /// Whether the next submission first hands over what an earlier one could not finish, which may take its time.
    pub fn has_leftovers(&self) -> bool {
        self.disk().is_some_and(|disk| disk.staging.has_leftovers())
    }

    /// The absolute path of the directory; `:memory:` of one in memory.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Disk(disk) => disk.staging.pickup(),
            #[cfg(feature = "outbox")]
            Place::Memory(_) => Path::new(memory::PATH),
            #[cfg(feature = "queue")]
            Place::Queue(queue) => queue.path(),
        }
    }

    /// The path of the staging folder, which is there only when it is needed.
    ///
    /// # Errors
    /// None was asked for, and the pickup directory, beside which it would be, is missing or a root, or in memory.
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

    /// Tries all that a submission needs: opens the directory, writes a file of 64 KiB on its file system, and
    /// asks whether it could be made visible. Nothing of it is ever visible, and nothing remains. Blocks for
    /// as long as the file system takes.
    ///
    /// # Errors
    /// Those of a submission, as far as they can be known beforehand.
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
    pub fn probe(&self) -> Result<(), PickupError> {
        #[cfg(feature = "queue")]
        if let Place::Queue(queue) = &self.place {
            return queue.probe();
        }
        self.disk()
            .map_or(Ok(()), |disk| disk.staging.probe(&vec![b'.'; 64 << 10]))
    }

    /// Tries what a submission of several files needs besides: a staging folder. Nothing remains. Blocks for
    /// as long as the file system takes.
    ///
    /// # Errors
    /// Those of a submission of several files, as far as they can be known beforehand.
    pub fn probe_staging(&self) -> Result<(), PickupError> {
        self.disk()
            .map_or(Ok(()), |disk| disk.staging.probe_staging())
    }

    /// An empty file, open for reading and writing, on the file system of the directory. No reader
    /// of the directory ever sees it, and it vanishes when it is dropped.
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
