//! Why files could not be submitted.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::per_process::TooManyForks;
use crate::identity::Id;

/// Files could not be submitted to PowerMTA.
///
/// None of the transaction's files are in the pickup directory, unless [`may_be_delivered`](Self::may_be_delivered) is
/// true. If a file cannot be published after others of its transaction were, or the last sync fails, the published
/// files are removed again. If PowerMTA has already taken some, the others follow them.
///
/// ```
/// # use pmtaemail::PickupError;
/// fn advise(error: &PickupError) -> String {
///     match error.id() {
///         Some(id) if error.may_be_delivered() => format!("look for {id} in PowerMTA's accounting, then decide"),
///         _ => "nothing was submitted: try again".to_owned(),
///     }
/// }
/// ```
///
/// The message says what was tried, where, what the operating system answered and what to do. It never quotes what was
/// being written.
#[derive(Debug, Clone)]
pub struct PickupError {
    operation: Operation,
    path: PathBuf,
    // Shared, because one failed sync is the error of every transaction that relied on it.
    source: Arc<io::Error>,
    may_be_delivered: bool,
    id: Option<Id>,
}

/// The kinds of [`PickupError`], named as in [`std::io::ErrorKind`].
///
/// ```
/// use pmtaemail::{PickupDirectory, PickupErrorKind, PickupOptions};
///
/// let error = PickupDirectory::open("/nonexistent/pickup", PickupOptions::default()).unwrap_err();
/// assert_eq!(error.kind(), PickupErrorKind::NotFound);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PickupErrorKind {
    /// The pickup directory, the staging folder or the group does not exist.
    NotFound,
    /// The path is not a directory.
    NotADirectory,
    /// This process may not write there, or may not give files that group.
    PermissionDenied,
    /// The file system has no space or no inodes left.
    StorageFull,
    /// This user or group has used up its disk quota.
    QuotaExceeded,
    /// The process or the system has no file descriptors left.
    TooManyOpenFiles,
    /// The file system is mounted read-only.
    ReadOnlyFilesystem,
    /// The file system can neither rename a file without overwriting another nor create hard links.
    Unsupported,
    /// The pickup directory already contains a file with that name.
    AlreadyExists,
    /// Anything else; see the [source](std::error::Error::source).
    Other,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    OpenDirectory,
    PrepareStaging,
    NameFile,
    CreateFile,
    FindGroup,
    SetAccess,
    WriteFile,
    StageFile,
    SyncFile,
    SyncFileSystem,
    PublishFile,
    SyncDirectory,
    Decide,
    RollForward,
    LeaveForAnother,
    #[cfg_attr(
        not(feature = "idempotency"),
        expect(dead_code, reason = "nothing has keys")
    )]
    OpenKeys,
    KeepKey,
    #[cfg(feature = "queue")]
    Enqueue,
    #[cfg(feature = "tokio")]
    StartThreads,
    #[cfg(feature = "tokio")]
    UseRuntime,
}

/// A pickup directory in memory has reached its limit.
#[cfg(feature = "outbox")]
#[derive(Debug, thiserror::Error)]
#[error("the pickup directory in memory is full")]
pub(super) struct MemoryFull;

/// A thread panicked.
#[derive(Debug, thiserror::Error)]
#[error("the thread at work on it ended early")]
struct EndedEarly;

impl PickupError {
    /// The file or directory that the operation was about.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    /// use std::path::Path;
    ///
    /// let error = PickupDirectory::open("/nonexistent/pickup", PickupOptions::default()).unwrap_err();
    /// assert_eq!(error.path(), Path::new("/nonexistent/pickup"));
    /// assert_eq!(error.operation(), "open the pickup directory");
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was tried, as a verb and its object: `open the pickup directory`, `create a file in`, `write` and so on.
    pub fn operation(&self) -> &'static str {
        self.operation.as_str()
    }

    /// The kind of error, for programs.
    pub fn kind(&self) -> PickupErrorKind {
        kind_of(&self.source)
    }

    /// The operating system's error number (`errno`), if it was the system that failed.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// let error = PickupDirectory::open("/nonexistent/pickup", PickupOptions::default()).unwrap_err();
    /// # if cfg!(target_os = "linux") {
    /// assert_eq!(error.os_error(), Some(2)); // ENOENT
    /// # }
    /// ```
    pub fn os_error(&self) -> Option<i32> {
        self.source.raw_os_error()
    }

    /// Whether PowerMTA may have taken files of the transaction, or may still find them, despite the error. Trying
    /// again can deliver such a message twice: look for its [`id`](Self::id) first.
    pub fn may_be_delivered(&self) -> bool {
        self.may_be_delivered
    }

    /// Whether the store of idempotency keys failed.
    ///
    /// ```
    /// use pmtaemail::PickupError;
    ///
    /// fn advise(error: &PickupError) -> &'static str {
    ///     if error.is_of_keys() { "try again, or submit without a key" } else { "try again later" }
    /// }
    /// ```
    pub fn is_of_keys(&self) -> bool {
        matches!(self.operation, Operation::OpenKeys | Operation::KeepKey)
    }

    /// Whether the queue cannot take this particular submission, however often it is tried: it is too large for one
    /// message of the queue, or its mail would have to take several routes. Its [source](Error::source) says which.
    ///
    /// ```
    /// use pmtaemail::PickupError;
    ///
    /// fn may_be_tried_again(error: &PickupError) -> bool {
    ///     !error.is_of_submission() && !error.may_be_delivered()
    /// }
    /// ```
    #[cfg(feature = "queue")]
    pub fn is_of_submission(&self) -> bool {
        let kinds = [io::ErrorKind::FileTooLarge, io::ErrorKind::InvalidInput];
        self.operation == Operation::Enqueue && kinds.contains(&self.source.kind())
    }

    /// The submission that failed; `None` if the files do not belong to a message. Its files are named after it, and so
    /// are its envelope ID and Message-ID unless the message gives them. Use them to look for it in the pickup
    /// directory and in PowerMTA's accounting.
    pub fn id(&self) -> Option<Id> {
        self.id
    }

    /// Makes the error from what the system answered, for use with `map_err`.
    pub(super) fn from_io(operation: Operation, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self {
            operation,
            path: path.to_owned(),
            source: Arc::new(source),
            may_be_delivered: false,
            id: None,
        }
    }

    /// The error of a process that cannot use what an ancestor opened.
    pub(super) fn after_forks(
        operation: Operation,
        path: &Path,
    ) -> impl FnOnce(TooManyForks) -> Self {
        move |error| Self::from_io(operation, path)(io::Error::other(error))
    }

    /// A thread that was at work on it panicked: nobody knows what became of it. A wrong answer would be worse, and to
    /// wait for ever too.
    pub(crate) fn ended_early(pickup: &Path) -> Self {
        let error = io::Error::other(EndedEarly);
        Self::from_io(Operation::PublishFile, pickup)(error).after_publishing()
    }

    /// The runtime was shut down before a thread of it had begun.
    #[cfg(feature = "tokio")]
    pub(crate) fn without_runtime(pickup: &Path) -> Self {
        let error = io::Error::other("the runtime was shut down");
        Self::from_io(Operation::UseRuntime, pickup)(error)
    }

    /// There are no threads that commit, or none of the runtime that could begin.
    #[cfg(feature = "tokio")]
    pub(crate) fn without_threads(pickup: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::from_io(Operation::StartThreads, pickup)
    }

    /// Sets the submission that failed.
    pub(crate) fn with_id(self, id: Option<Id>) -> Self {
        Self { id, ..self }
    }

    /// Records that the error came when files were already visible and could not be taken back for certain.
    pub(super) fn after_publishing(mut self) -> Self {
        self.may_be_delivered = true;
        self
    }

    fn advice(&self) -> &'static str {
        if self.source.kind() == io::ErrorKind::CrossesDevices {
            return "the staging folder must be on the same file system and mount as the pickup directory: set `staging` to such a \
                    folder; if the pickup directory is itself a mount point, use a folder below the mount point as the pickup \
                    directory";
        }
        let inner = self.source.get_ref();
        if inner.is_some_and(<dyn Error + Send + Sync>::is::<TooManyForks>) {
            return "open the directory in this process";
        }
        if inner.is_some_and(<dyn Error + Send + Sync>::is::<EndedEarly>) {
            return "that is a fault of the program, whose log or standard error says where";
        }
        #[cfg(feature = "outbox")]
        if inner.is_some_and(<dyn Error + Send + Sync>::is::<MemoryFull>) {
            return "clear it, for example after each test";
        }
        #[cfg(feature = "queue")]
        if self.operation == Operation::Enqueue {
            return advice_of_queue(self.source.kind());
        }
        if self.is_of_keys() {
            return advice_of_keys(self.source.kind());
        }
        #[cfg(feature = "tokio")]
        match self.operation {
            Operation::StartThreads => {
                return "raise the limit on processes (ulimit -u, TasksMax= of the service, the container's limit of pids)";
            }
            Operation::UseRuntime => return "keep the runtime until all submissions are done",
            _ => {}
        }
        match self.kind() {
            PickupErrorKind::NotFound if self.operation == Operation::FindGroup => {
                "create the group, or give its number"
            }
            PickupErrorKind::PermissionDenied if self.operation == Operation::SetAccess => {
                "this process must run as root or be a member of that group"
            }
            PickupErrorKind::Unsupported if self.operation == Operation::FindGroup => {
                "leave them out so that files inherit their access rights"
            }
            PickupErrorKind::PermissionDenied
            | PickupErrorKind::NotFound
            | PickupErrorKind::NotADirectory
            | PickupErrorKind::AlreadyExists
                if self.operation == Operation::PrepareStaging =>
            {
                "submissions of several files need this folder: create it with mode 0700 for this user, or set `staging` to another \
                 folder on the pickup directory's file system"
            }
            PickupErrorKind::AlreadyExists if self.operation == Operation::RollForward => {
                "the name is taken: once that file is gone, the next submission moves this one into place"
            }
            PickupErrorKind::NotFound => {
                "create the directory, or use the one that PowerMTA's `pickup` directive names"
            }
            PickupErrorKind::NotADirectory => {
                "use the directory that PowerMTA's `pickup` directive names"
            }
            PickupErrorKind::PermissionDenied => {
                "this process needs to read, write and enter the directory: run it as root or in the group pmta, and check for a \
                 security policy or an immutable flag"
            }
            PickupErrorKind::StorageFull => {
                "free some space or inodes on that file system and try again"
            }
            PickupErrorKind::QuotaExceeded => {
                "raise the quota of this user or group, or free some of it, and try again"
            }
            PickupErrorKind::TooManyOpenFiles => {
                "raise the limit on open files (ulimit -n, or LimitNOFILE= of the service)"
            }
            PickupErrorKind::ReadOnlyFilesystem => {
                "remount the file system writable; a disk error may have made it read-only: see the kernel log"
            }
            PickupErrorKind::Unsupported => {
                "use a pickup directory on another file system, such as ext4, xfs, btrfs or NFS: FUSE \
                 and some container mounts cannot hand over files without overwriting others"
            }
            PickupErrorKind::AlreadyExists => {
                "the existing file was not touched: hand over the message under another name"
            }
            PickupErrorKind::Other => match self.operation {
                Operation::SyncFile | Operation::SyncFileSystem | Operation::SyncDirectory => {
                    "the disk may be failing: see the kernel log"
                }
                Operation::LeaveForAnother => {
                    "open that one; if the directory was moved here from there, move the files into it yourself, each without the \
                     number at the start of its name, and remove this folder"
                }
                _ => "the kernel log may say more",
            },
        }
    }
}

/// What to do if the store of keys fails.
fn advice_of_keys(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ResourceBusy => {
            "only one process at a time can use a store: programs that share keys must submit through the daemon, others need a \
                     separate state folder (`state`)"
        }
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            "it is damaged: restore it, or move it away to start a new one, which forgets the keys of the last 24 hours; messages \
                     submitted under them that are waiting in the staging folder stay there (see operation.md)"
        }
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            "create its folder with mode 0700 for this user, or set `state` to another one"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space on that file system and try again"
        }
        _ => "the kernel log may say more",
    }
}

/// What to do if a queue fails.
#[cfg(feature = "queue")]
fn advice_of_queue(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull => {
            "start more hosts that consume from it, or give it more room, and try again"
        }
        io::ErrorKind::FileTooLarge => "split it into parts with fewer recipients each",
        io::ErrorKind::InvalidInput => "send each part of it separately",
        _ => "try again later; `pmtaemailapi fleet status` shows the state of the queue",
    }
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::OpenDirectory => "open the pickup directory",
            Self::PrepareStaging => "prepare the staging folder",
            Self::NameFile => "hand over a file named",
            Self::CreateFile => "create a file in",
            Self::FindGroup => "find the group of pickup files in",
            Self::SetAccess => "set the mode or group of a file in",
            Self::WriteFile => "write",
            Self::StageFile => "keep in the staging folder",
            Self::SyncFile => "sync",
            Self::SyncFileSystem => "sync the file system of",
            Self::PublishFile => "publish",
            Self::SyncDirectory => "sync the directory",
            Self::Decide => "keep a record in the staging folder",
            Self::RollForward | Self::LeaveForAnother => {
                "finish what a process that died had decided to hand over:"
            }
            Self::OpenKeys => "open the store of idempotency keys",
            Self::KeepKey => "keep an idempotency key in",
            #[cfg(feature = "queue")]
            Self::Enqueue => "put the message into the queue",
            #[cfg(feature = "tokio")]
            Self::StartThreads => "start threads for",
            #[cfg(feature = "tokio")]
            Self::UseRuntime => "use tokio's threads for",
        }
    }
}

impl fmt::Display for PickupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            path,
            source,
            may_be_delivered,
            id,
        } = self;
        write!(
            f,
            "cannot {} {}: {source}; {}",
            operation.as_str(),
            path.display(),
            self.advice()
        )?;
        match id {
            _ if !may_be_delivered => Ok(()),
            Some(id) => write!(
                f,
                "; the message may still be delivered: before you try again, look for {id} in the pickup directory and in PowerMTA's \
                 accounting"
            ),
            None => f.write_str(
                "; the files may still be delivered: before you try again, look for them in the pickup directory and in PowerMTA's \
                 accounting",
            ),
        }
    }
}

impl Error for PickupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

fn kind_of(error: &io::Error) -> PickupErrorKind {
    match error.kind() {
        io::ErrorKind::NotFound => PickupErrorKind::NotFound,
        io::ErrorKind::NotADirectory => PickupErrorKind::NotADirectory,
        io::ErrorKind::PermissionDenied => PickupErrorKind::PermissionDenied,
        io::ErrorKind::StorageFull => PickupErrorKind::StorageFull,
        io::ErrorKind::QuotaExceeded => PickupErrorKind::QuotaExceeded,
        io::ErrorKind::ReadOnlyFilesystem => PickupErrorKind::ReadOnlyFilesystem,
        io::ErrorKind::AlreadyExists => PickupErrorKind::AlreadyExists,
        io::ErrorKind::Unsupported => PickupErrorKind::Unsupported,
        _ if error
            .raw_os_error()
            .is_some_and(|code| NO_DESCRIPTORS.contains(&code)) =>
        {
            PickupErrorKind::TooManyOpenFiles
        }
        _ => PickupErrorKind::Other,
    }
}

/// The standard library has no kind for these: ENFILE and EMFILE, the same numbers on every Unix;
/// `ERROR_TOO_MANY_OPEN_FILES`.
const NO_DESCRIPTORS: &[i32] = if cfg!(windows) { &[4] } else { &[23, 24] };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_says_what_where_why_and_what_to_do() {
        let error = PickupError::from_io(Operation::OpenDirectory, Path::new("/var/pickup"))(
            io::ErrorKind::NotFound.into(),
        );
        assert_eq!(error.kind(), PickupErrorKind::NotFound);
        assert_eq!(
            error.to_string(),
            "cannot open the pickup directory /var/pickup: entity not found; create the directory, \
             or use the one that PowerMTA's `pickup` directive names"
        );
    }

    #[test]
    fn a_panic_is_no_fault_of_the_system() {
        let error = PickupError::ended_early(Path::new("/var/pickup"));
        assert!(error.may_be_delivered());
        let sentence = error.to_string();
        let advice = "ended early; that is a fault of the program, whose log or standard error";
        assert!(sentence.contains(advice), "{sentence}");
        assert!(!sentence.contains("kernel"), "{sentence}");
    }

    #[test]
    fn an_error_after_publishing_says_where_to_look() {
        let error = || {
            PickupError::from_io(Operation::SyncDirectory, Path::new("/var/pickup"))(
                io::Error::other("disk"),
            )
        };
        let id: Id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse().unwrap();
        let of_submission = error().after_publishing().with_id(Some(id));
        assert_eq!(of_submission.id(), Some(id));
        assert!(
            of_submission
                .to_string()
                .contains("look for 1ng7qwf4c52q7bj9v8dsqnkxqv in the pickup directory")
        );
        let of_files = error().after_publishing().to_string();
        assert!(of_files.contains("look for them"), "{of_files}");
        let known = error().with_id(Some(id)).to_string();
        assert!(!known.contains("delivered"), "{known}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn every_kind_is_told_from_its_number() {
        use PickupErrorKind as Kind;
        use rustix::io::Errno;
        for (errno, kind) in [
            (Errno::NOENT, Kind::NotFound),
            (Errno::NOTDIR, Kind::NotADirectory),
            (Errno::ACCESS, Kind::PermissionDenied),
            (Errno::PERM, Kind::PermissionDenied),
            (Errno::NOSPC, Kind::StorageFull),
            (Errno::DQUOT, Kind::QuotaExceeded),
            (Errno::MFILE, Kind::TooManyOpenFiles),
            (Errno::NFILE, Kind::TooManyOpenFiles),
            (Errno::ROFS, Kind::ReadOnlyFilesystem),
            (Errno::EXIST, Kind::AlreadyExists),
            (Errno::IO, Kind::Other),
        ] {
            let error = PickupError::from_io(Operation::SyncFile, Path::new("x"))(errno.into());
            assert_eq!(error.kind(), kind, "{error}");
            assert_eq!(error.os_error(), Some(errno.raw_os_error()));
        }
    }
}
