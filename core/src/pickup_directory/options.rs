//! How files are handed over.

use std::path::PathBuf;
use std::sync::Arc;

use super::file_access::{FileGroup, FileMode};
use super::observer::Observer;
use super::system;

/// What [`commit`](super::Transaction::commit) promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When `commit` returns, the files and their names survive a power cut.
    #[default]
    Durable,
    /// Nothing is synced. Readers still see whole files only, but a power cut loses what was handed
    /// over in the last seconds, and may leave files that are empty or cut short.
    NotDurable,
}

/// Settings for [`PickupDirectory::open`](super::PickupDirectory::open).
///
/// ```
/// # use pmtaemail::{Durability, PickupOptions};
/// let options = PickupOptions::default().with_staging("/srv/mail/staging").with_syncfs(false);
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

    /// The folder from which several files of one submission move into the pickup directory, all of them or
    /// none, and a single one where the file system has no unnamed files (NFS, FUSE, some overlays,
    /// everything but Linux). It must lie on the pickup directory's
    /// own file system and outside of the pickup directory, and belongs to one user alone. It is
    /// made when it is missing and needed.
    ///
    /// Default: beside the pickup directory, `/var/spool/pickup.staging` for `/var/spool/pickup`.
    #[must_use]
    pub fn with_staging(mut self, folder: impl Into<PathBuf>) -> Self {
        self.staging = Some(folder.into());
        self
    }

    /// Whether many files that are committed at the same time may be made durable by one sync of
    /// the whole file system. True by default; it is used on ext4, xfs and btrfs only, under Linux
    /// 5.8 and later.
    ///
    /// It is quicker, but also flushes whatever else waits to be written on that file system. Set
    /// it to false where something on the same file system writes much and may wait.
    #[must_use]
    pub fn with_syncfs(mut self, syncfs: bool) -> Self {
        self.syncfs = syncfs;
        self
    }

    /// The permissions of pickup files, whatever the umask. Default: 0660 less the umask. Costs a system call
    /// for each file. Unix only: elsewhere the directory cannot be opened with it.
    #[must_use]
    pub fn with_file_mode(mut self, mode: FileMode) -> Self {
        self.file_mode = Some(mode);
        self
    }

    /// The group of pickup files, of which this process must be a member unless it is root. Default: that of
    /// the process, or of the pickup directory where that has the set-group-ID bit. Costs a system call for
    /// each file. Unix only: elsewhere the directory cannot be opened with it.
    #[must_use]
    pub fn with_file_group(mut self, group: FileGroup) -> Self {
        self.file_group = Some(group);
        self
    }

    /// The folder of the store of idempotency keys, which one process at a time has open. With it the store is
    /// opened together with the pickup directory if it is there, and otherwise, as without it, with the first
    /// key. The folder is made when it is missing and needed; it belongs to one user alone, on any file system
    /// that survives power cuts.
    ///
    /// Default: beside the staging folder, `/var/spool/pickup.state` for `/var/spool/pickup`.
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_state(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self.state_at_start = true;
        self
    }

    /// The store of idempotency keys in its default place is opened as with [`with_state`](Self::with_state).
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_default_state(mut self) -> Self {
        self.state = None;
        self.state_at_start = true;
        self
    }

    /// How many bytes the store of idempotency keys may take, about: 500 for each key of the last 24 hours, and
    /// the receipt. When it is full no new key is taken. Default: 1 GiB, some 1.4 million keys.
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_state_limit(mut self, bytes: u64) -> Self {
        self.state_limit = bytes;
        self
    }

    /// Is told of each commit. Nobody by default, which costs nothing.
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

    /// Whether a whole file system may be synced at once, and says so if that fails.
    pub(super) fn allows_syncfs(&self) -> bool {
        self.syncfs && system::syncfs_reports_errors()
    }

    pub(super) fn is_durable(&self) -> bool {
        self.durability == Durability::Durable
    }
}
