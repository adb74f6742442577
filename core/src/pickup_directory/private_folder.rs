//! A folder inside of the staging folder that belongs to one hand-over.
//!
//! It holds one file that is locked (`flock`) while its process is alive. The lock is taken before
//! anything else is put into the folder and goes last, so a folder without it is empty.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::staging::{create_new, is_held_after_lock, make_private, unique_name};

/// How the names of these folders end.
pub(super) const SUFFIX: &str = ".parked";

/// Not the folder itself is locked: network file systems lock only what is open for writing.
const LOCK: &str = "lock";

/// The folder is removed with it, and what is in it too.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    path: PathBuf,
    lock: Option<File>,
}

impl PrivateFolder {
    pub(super) fn create(staging: &Path) -> io::Result<Self> {
        loop {
            let path = staging.join(unique_name(SUFFIX));
            match make_private(&path) {
                Ok(()) => {}
                // Left over from a dead process that had our number, or of another host.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            match create_new(&path.join(LOCK)) {
                Ok(lock) if is_held_after_lock(&lock, &path.join(LOCK)) => {
                    return Ok(Self {
                        path,
                        lock: Some(lock),
                    });
                }
                // Someone who removes leftovers was quicker than the lock: take the next name.
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    let _ = fs::remove_dir(&path);
                    return Err(error);
                }
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            remove(&self.path, lock);
        }
    }
}

/// Removes a folder that nobody holds the lock of.
pub(super) fn remove_if_left(folder: &Path) {
    match OpenOptions::new().write(true).open(folder.join(LOCK)) {
        Ok(lock) if lock.try_lock().is_ok() => remove(folder, lock),
        // Its process ended before it could lock, or is about to; there is nothing in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let _ = fs::remove_dir(folder);
        }
        _ => {}
    }
}

/// What cannot be removed now is a leftover for the next start, so there are no errors.
fn remove(folder: &Path, lock: File) {
    // Some file systems pass over names when a folder is read while files of it are removed.
    while remove_files(folder) > 0 {}
    // Network file systems keep a file that is removed while it is open, and its folder with it.
    drop(lock);
    let _ = fs::remove_file(folder.join(LOCK));
    let _ = fs::remove_dir(folder);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_removed_with_what_is_in_it() {
        let staging = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::create(staging.path()).unwrap();
        for number in 0..3 {
            fs::write(folder.path().join(number.to_string()), "a message").unwrap();
        }
        let path = folder.path().to_owned();
        remove_if_left(&path);
        assert_eq!(fs::read_dir(&path).unwrap().count(), 4, "it is in use");
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn what_the_dead_left_is_removed_at_every_stage() {
        let staging = tempfile::tempdir().unwrap();
        let path = staging.path().join("left");
        for names in [&[][..], &[LOCK], &[LOCK, "0", "1"]] {
            fs::create_dir(&path).unwrap();
            for name in names {
                fs::write(path.join(name), "").unwrap();
            }
            remove_if_left(&path);
            assert!(!path.exists(), "{names:?}");
        }
    }
}
