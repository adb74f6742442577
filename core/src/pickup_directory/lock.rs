//! The lock by which others see that a process is alive.
//!
//! ```text
//! the process        mkdir F   create F/lock   lock it   write files …   remove them   remove F
//!                                                |――――――――― held ―――――――――|
//! is killed                                      |――――― held ―――X the system lets go
//! another one opens the pickup directory:                 cannot lock: F is in use
//!                                                                   can lock: F is left over
//! ```
//!
//! A file in the folder is locked rather than the folder itself: network file systems can only lock what is open for
//! writing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;

/// A file that is locked (`flock`) until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Creates the file and locks it. `None` if another process that removes leftovers came in between, and has removed
    /// the file or is about to.
    pub(super) fn create(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let held = match file.try_lock() {
            // It may have been removed before it was locked.
            Ok(()) => path.try_exists()?,
            Err(TryLockError::WouldBlock) => false,
            // Without locks (some network file systems) nobody can lock it to remove it either.
            Err(TryLockError::Error(_)) => true,
        };
        Ok(held.then_some(Self { _file: file }))
    }

    /// Locks an existing file. `None` if its process is alive, or that cannot be known.
    pub(super) fn take_over(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().write(true).open(path)?;
        match file.try_lock() {
            // Another process may have removed it meanwhile, and a living one made it again.
            Ok(()) => Ok(is_at(&file, path)?.then_some(Self { _file: file })),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => Ok(None),
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let (held, found) = (file.metadata()?, std::fs::symlink_metadata(path)?);
    Ok((held.dev(), held.ino()) == (found.dev(), found.ino()))
}

/// What is open is not removed there until it is closed.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = LockFile::create(&path).unwrap();
        assert!(lock.is_some());
        assert!(LockFile::take_over(&path).unwrap().is_none());
        assert!(LockFile::create(&path).is_err(), "it is never made twice");
        drop(lock);
        assert!(LockFile::take_over(&path).unwrap().is_some());
    }
}
