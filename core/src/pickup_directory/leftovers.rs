//! What dead processes left in the staging folder: rolled forward if it is decided, removed otherwise.
//!
//! ```text
//! pmtaemail-4711-0-….private/    4711 holds the lock      in use: left alone
//! pmtaemail-4712-0-….private/    nobody holds the lock    take it, then
//!     decided-3  3.a-1.eml       3 is decided             move a-1.eml into the pickup directory, sync
//!                4.b-1.eml       4 is not                 remove it, the record, the lock and the folder
//! ```
//!
//! Whoever takes over a folder holds its lock meanwhile, so no two processes do it at once. Each step may be the last
//! one; the next process does the rest: a file of a decided transaction that is no longer in the folder was published
//! before, and PowerMTA may have taken it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use crate::idempotency::KeyStore;

use super::error::{Operation, PickupError};
use super::lock::LockFile;
use super::observer::RollForwardReport;
use super::private_folder::{LOCK, PickupKey, is_gone, is_keyed_folder, is_private_folder, remove};
use super::staged_transaction::{
    decided_by_store, decided_in, parse_keyed_name, parse_name, remove_record,
};
use super::system::{FileId, OpenDirectory};

/// Whose files are rolled forward, and how.
pub(super) struct RollForward<'a> {
    pub pickup: &'a Path,
    pub durable: bool,
    /// Without it, or if it is not open, submissions under a key are left alone.
    pub keys: Option<&'a KeyStore>,
}

impl RollForward<'_> {
    /// Goes through the folders in the staging folder that dead processes left or that could not be removed, and
    /// through nothing else.
    ///
    /// What cannot be read or removed is in nobody's way, so it is not an error; returns `false` if there is such a
    /// folder, or one that could not be rolled forward.
    pub(super) fn clear(&self, staging: &Path, report: &mut RollForwardReport) -> bool {
        let Ok(entries) = fs::read_dir(staging) else {
            return true;
        };
        let mut are_gone = true;
        for entry in entries.flatten() {
            let name = entry.file_name();
            if let Some(name) = name.to_str().filter(|name| is_private_folder(name) || self.has_keys_of(name))
                // Not a link to somewhere else either.
                && entry.file_type().is_ok_and(|kind| kind.is_dir())
            {
                are_gone &= self.clear_if_left(&entry.path(), name, report);
            }
        }
        are_gone
    }

    /// Whether this is a folder for submissions under keys of this store, to this pickup directory.
    fn has_keys_of(&self, folder: &str) -> bool {
        is_keyed_folder(folder)
            && (self.keys.and_then(KeyStore::number))
                .zip(PickupKey::of(self.pickup).ok())
                .is_some_and(|(store, key)| key.is_in_keyed(folder, store))
    }

    /// The transactions of a folder that go forward.
    fn decided_in(&self, folder: &Path, name: &str) -> io::Result<BTreeSet<u64>> {
        match self.keys {
            Some(keys) if is_keyed_folder(name) => decided_by_store(folder, keys),
            _ => decided_in(folder),
        }
    }

    /// Returns `false` if the folder is left over and stays.
    fn clear_if_left(&self, folder: &Path, name: &str, report: &mut RollForwardReport) -> bool {
        match LockFile::take_over(&folder.join(LOCK)) {
            Ok(Some(lock)) => self.clear_locked(folder, name, lock, report),
            // Its process ended before it could lock, or is about to lock; there is nothing in it, or it
            // stays.
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::remove_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                    self.clear_unlocked(folder, name, report)
                }
                removed => is_gone(removed),
            },
            // It is in use, or belongs to another user.
            Ok(None) | Err(_) => true,
        }
    }

    /// Goes through a folder that has lost its lock, as a repaired disk may leave it. A living process decides nothing
    /// before it has the lock.
    fn clear_unlocked(&self, folder: &Path, name: &str, report: &mut RollForwardReport) -> bool {
        if self
            .decided_in(folder, name)
            .is_ok_and(|decided| !decided.is_empty())
            && let Ok(Some(lock)) = LockFile::create(&folder.join(LOCK))
        {
            return self.clear_locked(folder, name, lock, report);
        }
        true
    }

    fn clear_locked(
        &self,
        folder: &Path,
        name: &str,
        lock: LockFile,
        report: &mut RollForwardReport,
    ) -> bool {
        let is_keyed = is_keyed_folder(name);
        let rolled_forward = match self.decided_in(folder, name) {
            Ok(decided) if decided.is_empty() => Ok(true),
            // They are for another pickup directory, whose processes share the staging folder, or for this one
            // under a path that leads to it no more.
            Ok(_) if !is_keyed && !PickupKey::of(self.pickup).is_ok_and(|key| key.is_in(name)) => {
                let error = io::Error::other("it belongs to a pickup directory with another path");
                let left = PickupError::from_io(Operation::LeaveForAnother, folder)(error);
                report.errors.push(left);
                return true;
            }
            Ok(decided) => self.roll_forward(folder, &decided, is_keyed, report),
            Err(error) => Err(failed_at(folder)(error)),
        };
        match rolled_forward {
            Ok(true) => remove(folder, lock),
            Ok(false) => false,
            Err(error) => {
                report.errors.push(error);
                false
            }
        }
    }

    /// Publishes the files of decided transactions, as many of each as possible. Returns `false` if some transaction is
    /// not complete: the report has one error for each.
    fn roll_forward(
        &self,
        folder: &Path,
        decided: &BTreeSet<u64>,
        is_keyed: bool,
        report: &mut RollForwardReport,
    ) -> Result<bool, PickupError> {
        let pickup = OpenDirectory::open(self.pickup).map_err(failed_at(self.pickup))?;
        let mut files: BTreeMap<u64, Result<(), PickupError>> = BTreeMap::new();
        // All names first: some file systems pass over names when a folder is read while files leave it.
        for staged in names_in(folder).map_err(failed_at(folder))? {
            let parsed = if is_keyed {
                parse_keyed_name(&staged).map(|(number, _, name)| (number, name))
            } else {
                parse_name(&staged)
            };
            let Some((number, name)) = parsed.filter(|(number, _)| decided.contains(number)) else {
                continue;
            };
            let moved = move_in(&pickup, &folder.join(&staged), name);
            report.files += usize::from(moved.is_ok());
            let moved = moved.map_err(failed_at(&self.pickup.join(name)));
            let so_far = files.entry(number).or_insert(Ok(()));
            if so_far.is_ok() {
                *so_far = moved;
            }
        }
        let synced = pickup
            .sync()
            .map_err(failed_at(self.pickup))
            .and_then(|()| {
                OpenDirectory::open(folder)
                    .and_then(|folder| folder.sync())
                    .map_err(failed_at(folder))
            });
        if self.durable {
            synced?;
        }
        let mut is_complete = true;
        for number in decided {
            let moved = files.remove(number);
            let had_files = moved.is_some();
            let finished = moved.unwrap_or(Ok(())).and_then(|()| {
                // The store keeps its records.
                if is_keyed {
                    return Ok(());
                }
                remove_record(folder, *number).map_err(failed_at(folder))
            });
            match finished {
                Ok(()) => report.transactions += usize::from(had_files),
                Err(error) => {
                    is_complete = false;
                    report.errors.push(error);
                }
            }
        }
        Ok(is_complete)
    }
}

fn failed_at(path: &Path) -> impl FnOnce(io::Error) -> PickupError {
    PickupError::from_io(Operation::RollForward, path)
}

/// Publishes a file unless that is already done.
fn move_in(pickup: &OpenDirectory, staged: &Path, name: &str) -> io::Result<()> {
    match pickup.move_in(staged, name) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // Its process was killed between making the one name and removing the other.
            let id = FileId::of(&fs::File::open(staged)?)?;
            if !pickup.holds(id, name) {
                return Err(error);
            }
            fs::remove_file(staged)
        }
        moved => moved,
    }
}

fn names_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?;
    entries
        .filter_map(|entry| match entry {
            // A name that is not UTF-8 is none of ours.
            Ok(entry) => entry.file_name().into_string().ok().map(Ok),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickup_directory::error::PickupErrorKind;
    use crate::pickup_directory::private_folder::PrivateFolder;
    use std::path::PathBuf;
    use std::sync::Arc;

    struct Place {
        _parent: tempfile::TempDir,
        pickup: PathBuf,
        staging: PathBuf,
        /// A folder in it that a process left.
        left: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let parent = tempfile::tempdir().unwrap();
            let [pickup, staging] = ["pickup", "staging"].map(|name| parent.path().join(name));
            fs::create_dir(&pickup).unwrap();
            fs::create_dir(&staging).unwrap();
            let folder = Self::folder(&staging, &pickup);
            let left = folder.path().to_owned();
            // Locked no more, and there again.
            drop(folder);
            fs::create_dir(&left).unwrap();
            Self {
                left,
                _parent: parent,
                pickup,
                staging,
            }
        }

        fn folder(staging: &Path, pickup: &Path) -> PrivateFolder {
            PrivateFolder::create(staging, PickupKey::of(pickup).unwrap(), &Arc::default()).unwrap()
        }

        fn fill(&self, names: &[&str]) {
            for name in names {
                fs::write(self.left.join(name), name).unwrap();
            }
        }

        fn clear(&self) -> (bool, RollForwardReport) {
            self.clear_for(&self.pickup)
        }

        fn clear_for(&self, pickup: &Path) -> (bool, RollForwardReport) {
            let roll_forward = RollForward {
                pickup,
                durable: true,
                keys: None,
            };
            let mut report = RollForwardReport::default();
            let are_gone = roll_forward.clear(&self.staging, &mut report);
            (are_gone, report)
        }

        fn visible(&self) -> Vec<String> {
            let mut names = names_in(&self.pickup).unwrap();
            names.sort_unstable();
            names
        }
    }

    #[test]
    fn only_leftovers_of_dead_processes_are_removed_whatever_their_stage() {
        let place = Place::new();
        let others = ["notes.txt", "pmtaemail-1-1.private", "pmtaemail-1"];
        for name in others {
            fs::write(place.staging.join(name), "not a folder of ours").unwrap();
        }
        let kept = place.staging.join("pmtaemail-1-1.kept");
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("1.eml"), "a message").unwrap();
        let alive = Place::folder(&place.staging, &place.pickup);
        fs::write(alive.path().join("decided-0"), "").unwrap();
        fs::write(alive.path().join("0.a.eml"), "").unwrap();
        for names in [&[][..], &[LOCK], &[LOCK, "0.a.eml", "1.b.eml"]] {
            fs::create_dir_all(&place.left).unwrap();
            place.fill(names);
            let (are_gone, report) = place.clear();
            assert!(are_gone && report.errors.is_empty());
            assert!(!place.left.exists(), "{names:?}");
        }
        assert!(kept.join("1.eml").exists());
        assert_eq!(fs::read_dir(&place.staging).unwrap().count(), 5);
        assert_eq!(fs::read_dir(alive.path()).unwrap().count(), 3);
        assert!(place.visible().is_empty());
    }

    #[test]
    fn only_decided_transactions_are_published() {
        let place = Place::new();
        // Of the transaction 7 all files were published; 12 is not 1.
        place.fill(&[
            LOCK,
            "1.a.eml",
            "1.b.eml",
            "2.c.eml",
            "12.d.eml",
            "decided-1",
            "decided-7",
        ]);
        let (are_gone, report) = place.clear();
        assert!(are_gone && report.errors.is_empty());
        assert_eq!((report.transactions, report.files), (1, 2));
        assert_eq!(place.visible(), ["a.eml", "b.eml"]);
        assert_eq!(fs::read(place.pickup.join("a.eml")).unwrap(), b"1.a.eml");
        assert_eq!(fs::read_dir(&place.staging).unwrap().count(), 0);
    }

    /// A disk that was repaired may have lost the lock.
    #[test]
    fn decided_transactions_are_published_even_without_a_lock() {
        let place = Place::new();
        place.fill(&["1.a.eml", "decided-1"]);
        assert!(place.clear().0);
        assert_eq!(place.visible(), ["a.eml"]);
        assert!(!place.left.exists());
    }

    #[test]
    fn a_transaction_that_cannot_be_published_stays_and_is_reported() {
        let place = Place::new();
        place.fill(&[LOCK, "1.a.eml", "1.b.eml", "2.c.eml", "decided-1"]);
        fs::write(place.pickup.join("b.eml"), "another's").unwrap();
        for _ in 0..2 {
            let (are_gone, report) = place.clear();
            assert!(!are_gone);
            let [error] = &report.errors[..] else {
                panic!("one error");
            };
            assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
            assert_eq!(error.path(), place.pickup.join("b.eml"));
            assert!(
                error.to_string().contains("once that file is gone"),
                "{error}"
            );
            assert_eq!(report.transactions, 0);
            assert!(place.left.join("1.b.eml").exists());
        }
        fs::remove_file(place.pickup.join("b.eml")).unwrap();
        let (are_gone, report) = place.clear();
        assert!(are_gone && report.errors.is_empty());
        assert_eq!(fs::read(place.pickup.join("b.eml")).unwrap(), b"1.b.eml");
        assert_eq!(place.visible(), ["a.eml", "b.eml"]);
        assert!(!place.left.exists());
    }

    #[test]
    fn one_that_cannot_go_forward_does_not_block_others() {
        let place = Place::new();
        let names = ["1", "2", "3"].map(|n| [format!("{n}.{n}a"), format!("{n}.{n}b")]);
        let names: Vec<_> = names.as_flattened().iter().map(String::as_str).collect();
        place.fill(&[LOCK, "decided-1", "decided-2", "decided-3"]);
        place.fill(&names);
        fs::write(place.pickup.join("2a"), "another's").unwrap();
        let (are_gone, report) = place.clear();
        assert!(!are_gone);
        assert_eq!((report.transactions, report.files), (2, 5));
        assert_eq!(report.errors.len(), 1);
        assert_eq!(place.visible(), ["1a", "1b", "2a", "2b", "3a", "3b"]);
        let mut left = names_in(&place.left).unwrap();
        left.sort_unstable();
        assert_eq!(left, ["2.2a", "decided-2", LOCK]);
    }

    /// Where renaming cannot refuse to overwrite there is an instant in which it has both names.
    #[test]
    fn a_file_that_was_published_already_is_not_in_its_own_way() {
        let place = Place::new();
        place.fill(&[LOCK, "1.a.eml", "1.b.eml", "decided-1"]);
        fs::hard_link(place.left.join("1.a.eml"), place.pickup.join("a.eml")).unwrap();
        assert!(place.clear().0);
        assert_eq!(place.visible(), ["a.eml", "b.eml"]);
        assert!(!place.left.exists());
    }

    #[test]
    fn decided_transactions_of_another_pickup_directory_are_left_alone() {
        let place = Place::new();
        place.fill(&[LOCK, "1.a.eml", "2.b.eml", "decided-1"]);
        let other = place.pickup.with_file_name("other");
        fs::create_dir(&other).unwrap();
        let (are_gone, report) = place.clear_for(&other);
        assert!(are_gone, "it is in nobody's way");
        // That path may never be opened again, so somebody must know.
        assert!(report.errors[0].to_string().contains("with another path"));
        assert_eq!(report.errors[0].path(), place.left);
        assert!(names_in(&other).unwrap().is_empty());
        assert_eq!(fs::read_dir(&place.left).unwrap().count(), 4);
        assert!(place.clear().0);
        assert_eq!(place.visible(), ["a.eml"]);
    }

    #[test]
    fn leftovers_that_cannot_be_removed_keep_their_lock() {
        let place = Place::new();
        place.fill(&[LOCK]);
        // A folder is no file that could be removed.
        let stuck = place.left.join("stuck");
        fs::create_dir(&stuck).unwrap();
        assert!(!place.clear().0);
        assert!(place.left.join(LOCK).exists());
        fs::remove_dir(&stuck).unwrap();
        assert!(place.clear().0);
        assert!(!place.left.exists());
    }
}
