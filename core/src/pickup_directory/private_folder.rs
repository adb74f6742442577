//! The folder of one process in the staging folder.
//!
//! ```text
//! /var/spool/pickup.staging/                       the staging folder, of one user alone
//!     pmtaemail-4711-0-1f…c9.private/              of the process 4711, as long as it has files there
//!         lock                                     locked while that process is alive
//!         0.a.eml  1.b-1.eml  1.b-2.eml …          files that wait for their commit
//!         decided-1                                see `staged_transaction`
//! ```
//!
//! The lock is taken before anything else is put into the folder, and goes last. So a folder without
//! it is empty, and one whose lock nobody holds is left over: its process is dead, or could not remove
//! it, or has left it to be rolled forward. See [`leftovers`](super::leftovers).
//!
//! Several pickup directories may share a staging folder: the last part of the name tells whose it is.
//! Submissions under a key have a folder of their own, whose name tells the store of their keys as well
//! (`pmtaemail-4711-1-1f…c9-03…a7.keyed`), and which stays as long as the process has the pickup directory open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::lock::LockFile;
use super::system::OpenDirectory;
#[cfg(all(test, target_os = "linux"))]
use super::tests::crash::{Step, step};

const PREFIX: &str = "pmtaemail-";
const SUFFIX: &str = ".private";
const KEYED_SUFFIX: &str = ".keyed";
pub(super) const LOCK: &str = "lock";

/// The folder is removed when this is dropped, with its contents, except what must be rolled forward.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    staging: PathBuf,
    path: PathBuf,
    /// `None` when the folder is being removed.
    lock: Option<LockFile>,
    /// Whether the records of its transactions are in the store of keys.
    is_keyed: bool,
    /// A forked process has a copy of this, but does not own the folder.
    process: u32,
    next_number: AtomicU64,
    /// Whether its name, and that of the staging folder, are durable.
    is_durable: AtomicBool,
    /// Whether a decided transaction has files that have not moved on.
    is_left: AtomicBool,
    has_leftovers: Arc<AtomicBool>,
}

/// Identifies a pickup directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PickupKey(u64);

impl PickupKey {
    /// The key of an existing directory. Another process, of another version, through another link, gets the same one.
    pub(super) fn of(pickup: &Path) -> io::Result<Self> {
        Ok(Self::of_canonical(&fs::canonicalize(pickup)?))
    }

    /// The same if its canonical path is known.
    pub(super) fn of_canonical(path: &Path) -> Self {
        // FNV-1a
        let bytes = path.as_os_str().as_encoded_bytes();
        Self(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    fn suffix(self) -> String {
        format!("-{:016x}{SUFFIX}", self.0)
    }

    fn keyed_suffix(self, store: u64) -> String {
        format!("-{:016x}-{store:016x}{KEYED_SUFFIX}", self.0)
    }

    /// Whether a private folder belongs to this pickup directory.
    pub(super) fn is_in(self, name: &str) -> bool {
        name.ends_with(&self.suffix())
    }

    /// Whether a keyed folder belongs to this pickup directory and to the store with this number.
    pub(super) fn is_in_keyed(self, name: &str, store: u64) -> bool {
        name.ends_with(&self.keyed_suffix(store))
    }
}

impl PrivateFolder {
    /// `has_leftovers` becomes true if the folder cannot be removed when it is dropped.
    pub(super) fn create(
        staging: &Path,
        key: PickupKey,
        has_leftovers: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        Self::create_named(staging, &key.suffix(), false, has_leftovers)
    }

    /// The same for submissions under a key of the store with this number.
    pub(super) fn create_keyed(
        staging: &Path,
        key: PickupKey,
        store: u64,
        has_leftovers: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        Self::create_named(staging, &key.keyed_suffix(store), true, has_leftovers)
    }

    fn create_named(
        staging: &Path,
        suffix: &str,
        is_keyed: bool,
        has_leftovers: &Arc<AtomicBool>,
    ) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let process = process::id();
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("{PREFIX}{process}-{number}{suffix}");
            let path = staging.join(name);
            match make_private(&path) {
                Ok(()) => {}
                // Left over from a dead process that had our number, or of another host.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            match LockFile::create(&path.join(LOCK)) {
                Ok(Some(lock)) => {
                    return Ok(Self {
                        staging: staging.to_owned(),
                        path,
                        lock: Some(lock),
                        is_keyed,
                        process,
                        next_number: AtomicU64::new(0),
                        is_durable: AtomicBool::new(false),
                        is_left: AtomicBool::new(false),
                        has_leftovers: Arc::clone(has_leftovers),
                    });
                }
                // Someone who removes leftovers was faster than the lock: take the next name.
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    if fs::remove_dir(&path).is_err() {
                        has_leftovers.store(true, Ordering::Relaxed);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The staging folder that it lies in.
    pub(super) fn staging(&self) -> &Path {
        &self.staging
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    pub(super) fn process(&self) -> u32 {
        self.process
    }

    /// Whether it can still be used: not after somebody removed it, nor if it is to be rolled forward as soon as nobody
    /// uses it.
    pub(super) fn is_usable(&self) -> bool {
        !self.is_left.load(Ordering::Relaxed) && self.path.is_dir()
    }

    /// The folder, opened for files that get a name in it, and to be synced.
    pub(super) fn open(&self) -> io::Result<OpenDirectory> {
        OpenDirectory::open(&self.path)
    }

    pub(super) fn next_number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes its name in the staging folder durable, and that of the staging folder. The content of the folder is a
    /// different matter.
    pub(super) fn sync_name(&self) -> io::Result<()> {
        if !self.is_durable.load(Ordering::Acquire) {
            OpenDirectory::open(&self.staging)?.sync()?;
            if let Some(parent) = self.staging.parent() {
                match OpenDirectory::open(parent).and_then(|parent| parent.sync()) {
                    // Who may not read it has not made the staging folder in it.
                    Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                    synced => synced?,
                }
            }
            self.is_durable.store(true, Ordering::Release);
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn pretend_to_be_of_another_process(&mut self) {
        self.process += 1;
    }

    /// Keeps it, unlocked, when this is dropped, to be rolled forward with the next file.
    pub(super) fn leave_for_roll_forward(&self) {
        self.is_left.store(true, Ordering::Relaxed);
        self.has_leftovers.store(true, Ordering::Relaxed);
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        if self.process != process::id() {
            return;
        }
        if *self.is_left.get_mut() {
            drop(lock);
        } else if remove(&self.path, lock) {
            return;
        }
        self.has_leftovers.store(true, Ordering::Relaxed);
    }
}

/// Removes a folder and its contents. What cannot be removed now is a leftover, so there are no errors; returns `false`
/// if there is some.
pub(super) fn remove(folder: &Path, lock: LockFile) -> bool {
    #[cfg(all(test, target_os = "linux"))]
    step(Step::Change);
    // Some file systems pass over names when a folder is read while files of it are removed.
    while remove_files(folder) > 0 {}
    // With files in it the folder keeps the lock file, by which it is known as left over.
    let has_files = fs::read_dir(folder)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name() != LOCK));
    #[cfg(all(test, target_os = "linux"))]
    step(Step::Change);
    // Network file systems keep a file that is removed while it is open, and its folder with it.
    drop(lock);
    !has_files && is_gone(fs::remove_file(folder.join(LOCK))) && is_gone(fs::remove_dir(folder))
}

pub(super) fn is_gone(removed: io::Result<()>) -> bool {
    match removed {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// How many were removed.
fn remove_files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| {
        entries
            .flatten()
            .filter(|entry| entry.file_name() != LOCK && fs::remove_file(entry.path()).is_ok())
            .count()
    })
}

/// Whether an entry of the staging folder has the name of a private folder.
pub(super) fn is_private_folder(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(SUFFIX)
}

/// The same for submissions under a key.
pub(super) fn is_keyed_folder(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(KEYED_SUFFIX)
}

/// Creates a folder that only its owner can enter; on Windows, whoever can enter its parent.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_removed_with_what_is_in_it_unless_it_is_left() {
        let staging = tempfile::tempdir().unwrap();
        let key = PickupKey::of(staging.path()).unwrap();
        for is_left in [false, true] {
            let has_leftovers = Arc::default();
            let folder = PrivateFolder::create(staging.path(), key, &has_leftovers).unwrap();
            for number in 0..3 {
                fs::write(folder.path.join(number.to_string()), "a message").unwrap();
            }
            assert!(folder.is_usable());
            if is_left {
                folder.leave_for_roll_forward();
                assert!(!folder.is_usable());
            }
            drop(folder);
            let left = fs::read_dir(staging.path()).unwrap().count();
            assert_eq!(left, usize::from(is_left));
            assert_eq!(has_leftovers.load(Ordering::Relaxed), is_left);
        }
    }

    #[test]
    fn a_key_is_the_same_in_every_process_and_version() {
        let key = PickupKey::of_canonical(Path::new("/var/pickup"));
        assert_eq!(key.suffix(), "-c0ddcd51b6167440.private");
        assert!(key.is_in("pmtaemail-1-1-c0ddcd51b6167440.private"));
        assert!(
            !PickupKey::of_canonical(Path::new("/var/pickup2"))
                .is_in("pmtaemail-1-1-c0ddcd51b6167440.private")
        );
    }
}
