//! How files are written.

use std::path::PathBuf;
use std::sync::Arc;

use super::file_access::{FileGroup, FileMode};
use super::observer::Observer;
use super::system;

/// What [`commit`](super::Transaction::commit) guarantees.
///
/// ```
/// use pmtaemail::{Durability, PickupOptions};
///
/// // Tests have nothing to lose.
/// let options = PickupOptions::default().with_durability(Durability::NotDurable);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// When `commit` returns, the files and their names survive a power failure.
    #[default]
    Durable,
    /// Nothing is synced. Readers still see only complete files, but a power failure loses what was submitted in the
    /// last seconds, and can leave files that are empty or cut short.
    NotDurable,
}

/// Settings for [`PickupDirectory::open`](super::PickupDirectory::open).
///
/// ```
/// use pmtaemail::{FileMode, PickupOptions};
///
/// let options = PickupOptions::default()
///     .with_staging("/srv/mail/staging")
///     .with_file_mode(FileMode::new(0o640)?)
///     .with_syncfs(false);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug, Clone)]
pub struct PickupOptions {
    durability: Durability,
    pub(super) staging: Option<PathBuf>,
    pub(super) syncfs: bool,
    pub(super) file_mode: Option<FileMode>,
    pub(super) file_group: Option<FileGroup>,
    #[cfg(feature = "idempotency")]
    pub(super) state: Option<PathBuf>,
    #[cfg(feature = "idempotency")]
    pub(super) state_at_start: bool,
    #[cfg(feature = "idempotency")]
    pub(super) state_limit: u64,
    pub(super) unnamed_files: bool,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

/// What the records of idempotency keys may take: some 1.4 million.
#[cfg(feature = "idempotency")]
const STATE_LIMIT: u64 = 1 << 30;

impl Default for PickupOptions {
    fn default() -> Self {
        Self {
            durability: Durability::Durable,
            staging: None,
            syncfs: true,
            file_mode: None,
            file_group: None,
            #[cfg(feature = "idempotency")]
            state: None,
            #[cfg(feature = "idempotency")]
            state_at_start: false,
            #[cfg(feature = "idempotency")]
            state_limit: STATE_LIMIT,
            unnamed_files: true,
            observer: None,
        }
    }
}

impl PickupOptions {
    /// Durable (the default) or not.
    #[must_use]
    pub fn with_durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// The staging folder. Several files of one submission move from there into the pickup directory, all of them or
    /// none; so does a single file if the file system has no unnamed files (NFS, FUSE, some overlays, everything except
    /// Linux). It must be on the file system of the pickup directory but outside of it, and belongs to one user only.
    /// It is created when it is needed.
    ///
    /// Default: next to the pickup directory, `/var/spool/pickup.staging` for `/var/spool/pickup`.
    #[must_use]
    pub fn with_staging(mut self, folder: impl Into<PathBuf>) -> Self {
        self.staging = Some(folder.into());
        self
    }

    /// Whether one sync of the whole file system may make many files durable that are committed together. The default
    /// is `true`; it only has an effect on ext4, xfs and btrfs, with Linux 5.8 or later.
    ///
    /// This is faster, but also flushes whatever else waits to be written on that file system. Set it to `false` if
    /// something on the same file system writes a lot and may wait.
    #[must_use]
    pub fn with_syncfs(mut self, syncfs: bool) -> Self {
        self.syncfs = syncfs;
        self
    }

    /// The permissions of pickup files, regardless of the umask. Default: 0660 less the umask. Costs a system call per
    /// file. Unix only: elsewhere, opening the directory fails.
    #[must_use]
    pub fn with_file_mode(mut self, mode: FileMode) -> Self {
        self.file_mode = Some(mode);
        self
    }

    /// The group of pickup files. This process must be a member of it unless it is root. Default: the group of the
    /// process, or of the pickup directory if that has the set-group-ID bit. Costs a system call per file. Unix only:
    /// elsewhere, opening the directory fails.
    ///
    /// ```
    /// use pmtaemail::{FileGroup, PickupOptions};
    ///
    /// let options = PickupOptions::default().with_file_group(FileGroup::Name("pmta".to_owned()));
    /// ```
    #[must_use]
    pub fn with_file_group(mut self, group: FileGroup) -> Self {
        self.file_group = Some(group);
        self
    }

    /// The folder for the store of idempotency keys, which one process at a time can have open. If you set this and the
    /// store exists, it is opened together with the pickup directory; otherwise it is opened with the first key. The
    /// folder is created when it is needed; it belongs to one user only, and may be on any file system that survives
    /// power failures.
    ///
    /// Default: next to the staging folder, `/var/spool/pickup.state` for `/var/spool/pickup`.
    ///
    /// ```
    /// use pmtaemail::PickupOptions;
    ///
    /// let options = PickupOptions::default().with_state("/var/lib/shop/keys").with_state_limit(100 << 20);
    /// ```
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_state(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self.state_at_start = true;
        self
    }

    /// Opens the store of idempotency keys in its default folder as [`with_state`](Self::with_state) does.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default().with_default_state())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_default_state(mut self) -> Self {
        self.state = None;
        self.state_at_start = true;
        self
    }

    /// Approximately how many bytes the store of idempotency keys may use: 500 for each key of the last 24 hours, plus
    /// the receipt. When it is full, it takes no new keys. Default: 1 GiB, some 1.4 million keys.
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_state_limit(mut self, bytes: u64) -> Self {
        self.state_limit = bytes;
        self
    }

    /// Is called for each commit. There is none by default, which costs nothing.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// Writes every file by way of the staging folder.
    #[cfg(test)]
    #[must_use]
    pub(super) fn without_unnamed_files(mut self) -> Self {
        self.unnamed_files = false;
        self
    }

    /// Whether a whole file system may be synced at once and the kernel reports errors of that.
    pub(super) fn allows_syncfs(&self) -> bool {
        self.syncfs && system::syncfs_reports_errors()
    }

    pub(super) fn is_durable(&self) -> bool {
        self.durability == Durability::Durable
    }
}
