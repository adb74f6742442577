//! The folder of one process in the staging folder, and the names of its files there.
//!
//! ```text
//! /var/spool/pickup.staging/        the staging folder, of one user alone
//!     pmtaemail-4711-0.private/     of the process 4711, as long as it has files there
//!         lock                      locked while that process is alive
//!         0  1  2  …                files that wait for their commit
//! ```
//!
//! The lock is taken before anything else is put into the folder, and goes last. So a folder without
//! it is empty, and one whose lock nobody holds is left over: its process is dead, or could not remove it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::{Operation, PickupError};
use super::lock::LockFile;
use super::system::OpenDirectory;

const PREFIX: &str = "pmtaemail-";
const SUFFIX: &str = ".private";
const LOCK: &str = "lock";

/// The folder is removed with it, and what is in it too.
#[derive(Debug)]
pub(super) struct PrivateFolder {
    staging: PathBuf,
    path: PathBuf,
    /// `None` when the folder is being removed.
    lock: Option<LockFile>,
    /// A fork has a copy of this, but the folder is not its own.
    process: u32,
    next_name: AtomicU64,
    has_leftovers: Arc<AtomicBool>,
}

/// A file in a private folder. It is removed with this, unless it has moved on.
#[derive(Debug)]
pub(super) struct StagedFile {
    folder: Arc<PrivateFolder>,
    name: u64,
    moved_on: bool,
}

impl PrivateFolder {
    /// `has_leftovers` becomes true if the folder cannot be removed when it is dropped.
    pub(super) fn create(staging: &Path, has_leftovers: &Arc<AtomicBool>) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let process = process::id();
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = staging.join(format!("{PREFIX}{process}-{number}{SUFFIX}"));
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
                        process,
                        next_name: AtomicU64::new(0),
                        has_leftovers: Arc::clone(has_leftovers),
                    });
                }
                // Someone who removes leftovers was quicker than the lock: take the next name.
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

    /// Whether it can be used on: not after somebody removed it.
    pub(super) fn is_usable(&self) -> bool {
        self.path.is_dir()
    }

    /// Creates an empty file.
    pub(super) fn create_file(self: &Arc<Self>) -> Result<(File, StagedFile), PickupError> {
        let staged = self.next_name();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, super::MODE);
        let file = options
            .open(staged.path())
            .map_err(PickupError::from_io(Operation::CreateFile, &self.staging))?;
        Ok((file, staged))
    }

    /// Tries whether files can move from here into the pickup directory: one moves from here to here, and is
    /// gone again.
    pub(super) fn try_move(self: &Arc<Self>, staged: &mut StagedFile) -> io::Result<()> {
        let tried = self.next_name();
        staged.move_on(&self.open()?, &tried.name.to_string())
    }

    /// The folder, opened for [`link`](Self::link).
    pub(super) fn open(&self) -> io::Result<OpenDirectory> {
        OpenDirectory::open(&self.path)
    }

    /// Gives a file that has no name one in this folder.
    pub(super) fn link(
        self: &Arc<Self>,
        opened: &OpenDirectory,
        file: &File,
    ) -> io::Result<StagedFile> {
        let staged = self.next_name();
        opened.link_unnamed(file, &staged.name.to_string())?;
        Ok(staged)
    }

    fn next_name(self: &Arc<Self>) -> StagedFile {
        StagedFile {
            folder: Arc::clone(self),
            name: self.next_name.fetch_add(1, Ordering::Relaxed),
            moved_on: false,
        }
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take()
            && self.process == process::id()
            && !remove(&self.path, lock)
        {
            self.has_leftovers.store(true, Ordering::Relaxed);
        }
    }
}

impl StagedFile {
    /// Moves the file into the pickup directory; never overwrites.
    pub(super) fn move_on(&mut self, directory: &OpenDirectory, name: &str) -> io::Result<()> {
        directory.move_in(&self.path(), name)?;
        self.moved_on = true;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.path.join(self.name.to_string())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.moved_on && self.folder.process == process::id() {
            // What cannot be removed now goes with the folder.
            let _ = fs::remove_file(self.path());
        }
    }
}

/// Removes the folders that were left in the staging folder, by dead processes or because they could not
/// be removed, and nothing else. What cannot be read or removed is in nobody's way, so there are no errors;
/// false if there is some of it.
///
/// Files that shall survive their process, to be moved on by the next one, need a folder with
/// another suffix: there they wait under the names that they will have in the pickup directory.
pub(super) fn remove_leftovers(staging: &Path) -> bool {
    let Ok(entries) = fs::read_dir(staging) else {
        return true;
    };
    let mut are_gone = true;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_ours = name
            .to_str()
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        // Not a link to somewhere else either.
        if is_ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            are_gone &= remove_if_left(&entry.path());
        }
    }
    are_gone
}

/// False if the folder is left over and cannot be removed.
fn remove_if_left(folder: &Path) -> bool {
    match LockFile::take_over(&folder.join(LOCK)) {
        Ok(Some(lock)) => remove(folder, lock),
        // Its process ended before it could lock, or is about to lock; there is nothing in it, or it
        // stays.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let removed = fs::remove_dir(folder);
            is_gone(match removed {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
                removed => removed,
            })
        }
        // It is in use, or belongs to another user.
        Ok(None) | Err(_) => true,
    }
}

/// What cannot be removed now is left over, so there are no errors; false if there is some of it.
fn remove(folder: &Path, lock: LockFile) -> bool {
    // Some file systems pass over names when a folder is read while files of it are removed.
    while remove_files(folder) > 0 {}
    // With files in it the folder keeps the lock file, by which it is known as left over.
    let has_files = fs::read_dir(folder)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name() != LOCK));
    // Network file systems keep a file that is removed while it is open, and its folder with it.
    drop(lock);
    !has_files && is_gone(fs::remove_file(folder.join(LOCK))) && is_gone(fs::remove_dir(folder))
}

fn is_gone(removed: io::Result<()>) -> bool {
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

/// Makes a folder that only its owner can enter; under Windows, who can enter the folder that it is made in.
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

    fn create(staging: &Path) -> io::Result<PrivateFolder> {
        PrivateFolder::create(staging, &Arc::default())
    }

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().next().is_none()
    }

    #[test]
    fn the_folder_is_removed_with_what_is_in_it() {
        let staging = tempfile::tempdir().unwrap();
        let folder = create(staging.path()).unwrap();
        for number in 0..3 {
            fs::write(folder.path.join(number.to_string()), "a message").unwrap();
        }
        remove_leftovers(staging.path());
        assert_eq!(
            fs::read_dir(&folder.path).unwrap().count(),
            4,
            "it is in use"
        );
        drop(folder);
        assert!(is_empty(staging.path()));
    }

    #[test]
    fn what_the_dead_left_is_removed_at_every_stage_and_nothing_else() {
        let staging = tempfile::tempdir().unwrap();
        let others = ["notes.txt", "pmtaemail-1-1.private", "pmtaemail-1"];
        for name in others {
            fs::write(staging.path().join(name), "not a folder of ours").unwrap();
        }
        let kept = staging.path().join("pmtaemail-1-1.kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("1.eml"), "a message").unwrap();
        let left = staging.path().join("pmtaemail-1-2.private");
        for names in [&[][..], &[LOCK], &[LOCK, "0", "1"]] {
            fs::create_dir(&left).unwrap();
            for name in names {
                fs::write(left.join(name), "").unwrap();
            }
            remove_leftovers(staging.path());
            assert!(!left.exists(), "{names:?}");
        }
        assert!(kept.join("1.eml").exists());
        assert_eq!(fs::read_dir(staging.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_file_is_removed_unless_it_moves_on_and_the_folder_with_the_last() {
        let parent = tempfile::tempdir().unwrap();
        let [shared, pickup] = ["staging", "pickup"].map(|name| parent.path().join(name));
        fs::create_dir(&shared).unwrap();
        fs::create_dir(&pickup).unwrap();
        let folder = Arc::new(create(&shared).unwrap());
        let (_file, mut moving) = folder.create_file().unwrap();
        let (_file, staying) = folder.create_file().unwrap();
        drop(folder);
        let path = staying.path();
        assert!(path.exists());
        drop(staying);
        assert!(!path.exists());
        let directory = OpenDirectory::open(&pickup).unwrap();
        moving.move_on(&directory, "1.eml").unwrap();
        drop(moving);
        assert!(pickup.join("1.eml").exists());
        assert!(is_empty(&shared));
    }

    #[test]
    fn what_cannot_be_removed_is_left_over_and_known_as_such() {
        let staging = tempfile::tempdir().unwrap();
        let has_leftovers = Arc::default();
        let folder = PrivateFolder::create(staging.path(), &has_leftovers).unwrap();
        // A folder is no file that could be removed.
        let stuck = folder.path.join("stuck");
        fs::create_dir(&stuck).unwrap();
        drop(folder);
        assert!(has_leftovers.load(Ordering::Relaxed));
        assert!(!remove_leftovers(staging.path()));
        assert!(stuck.with_file_name(LOCK).exists());
        fs::remove_dir(&stuck).unwrap();
        assert!(remove_leftovers(staging.path()));
        assert!(is_empty(staging.path()));
    }

    #[test]
    fn a_fork_leaves_the_folder_of_its_parent_alone() {
        let staging = tempfile::tempdir().unwrap();
        let mut folder = create(staging.path()).unwrap();
        folder.process += 1;
        let folder = Arc::new(folder);
        let (_file, staged) = folder.create_file().unwrap();
        let path = staged.path();
        drop((folder, staged));
        assert!(path.exists());
    }
}
