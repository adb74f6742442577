//! All files of a transaction, or none, even if the process is killed at any instant.
//!
//! A transaction of one file needs nothing for that: its file has its name, or it does not. One of several files is
//! decided by a record in the private folder before the first of them is visible; from then on it goes forward, if
//! necessary by the next process that opens the directory. This is the state of the disk, line by line, as a power
//! failure may leave it; a killed process leaves what all its calls have made:
//!
//! ```text
//! step                          private folder       pickup directory   after a crash here
//! link or create the files      0.a 0.b              -                  none: they are removed
//! sync their data, the names    0.a 0.b              -                  none
//! make the record               0.a 0.b (decided-0)  -                  none, or all: nobody saw any yet
//! sync the folder               0.a 0.b  decided-0   -                  all: moved by the next process
//! rename each                       0.b  decided-0   a                  all: it moves b; a was published
//! sync directory and folder              decided-0   a b                all
//! remove the record                     (decided-0)  a b                all: a record without files
//! answer
//! ```
//!
//! At each instant a file is in exactly one of the two places, so after a kill none is published twice although
//! PowerMTA may have taken it. (Where renaming cannot refuse to overwrite, as on NFS, there are two calls, and for an
//! instant between them the file has both names.) A power failure is less clear-cut: if it comes after PowerMTA has
//! taken a file and before the directory and the folder are synced, the disk may still have the file's name in the
//! folder, and the record, and the file is published again. The removal of the record need not be synced.
//!
//! If an error comes after the record:
//!
//! ```text
//! step                          private folder       pickup directory   after a crash here
//! a is visible, b cannot be         0.b  decided-0   a                  all
//! rename a back                 0.a 0.b  decided-0   -                  all: nobody was told anything yet
//! sync directory and folder     0.a 0.b  decided-0   -                  all
//! remove the record             0.a 0.b (decided-0)  -                  none, or all
//! sync the folder               0.a 0.b              -                  none
//! answer: the error
//! ```
//!
//! If PowerMTA was faster and has taken `a`, the record stays: the error says that the files may be delivered, and `b`
//! is moved on as soon as possible. The same holds if the directory cannot be synced after `a` was renamed back: a
//! power failure might bring back `a` without `b`, or a second time under a key that is free again. If only the last
//! sync fails, the error says so too.
//!
//! The transactions of a group share the syncs. Without durability there are no syncs, but the steps are the same.
//!
//! Under a key given by the caller there is always a record, even for a single file. It is that of the key, in the
//! store of keys, and those of a group are one transaction of the store: see [`idempotency`](crate::idempotency). Only
//! [`Decisions::make`] makes a decision, and only [`decided_in`](super::staged_transaction::decided_in) and
//! [`decided_by_store`](super::staged_transaction::decided_by_store) look one up.

use std::path::Path;
use std::sync::Arc;

use super::error::{Operation, PickupError};
use super::file_set::FileSet;
use super::private_folder::PrivateFolder;
use super::system::OpenDirectory;
#[cfg(all(test, target_os = "linux"))]
use super::tests::crash::{Step, step};

/// What is decided about the transactions of a group.
pub(super) struct Decisions {
    /// The folders in which something is decided, if that has to be durable.
    folders: Vec<OpenFolder>,
}

/// A private folder, opened for syncing.
struct OpenFolder {
    folder: Arc<PrivateFolder>,
    opened: OpenDirectory,
}

impl Decisions {
    /// Decides all transactions of several files. Their data is already durable, and perhaps their names in the private
    /// folders too.
    pub(super) fn make(
        file_sets: &mut [&mut FileSet],
        directory: &OpenDirectory,
        pickup: &Path,
        durable: bool,
        names_are_synced: bool,
    ) -> Self {
        let mut decisions = Self {
            folders: Vec::new(),
        };
        for files in file_sets.iter_mut().filter(|files| files.needs_decision()) {
            files.refuse_taken_names(directory, pickup);
            if durable && let Err(error) = decisions.open_folder_of(files) {
                files.fail(&error);
            }
        }
        let prepare = |folder: &OpenFolder| {
            let name = folder.folder.sync_name();
            name.map_err(PickupError::from_io(
                Operation::PrepareStaging,
                folder.folder.staging(),
            ))?;
            if names_are_synced {
                Ok(())
            } else {
                folder.sync()
            }
        };
        decisions.each_folder(file_sets, prepare, FileSet::fail);
        for files in file_sets.iter_mut().filter(|files| files.needs_decision()) {
            if files.claim().is_none() {
                files.decide();
            }
        }
        decide_by_store(file_sets);
        // Where this fails the record is taken away again when the group is settled.
        let keep = |folder: &OpenFolder| {
            if folder.folder.is_keyed() {
                Ok(())
            } else {
                folder.sync()
            }
        };
        decisions.each_folder(file_sets, keep, FileSet::fail);
        decisions
    }

    /// Makes it durable that files have left the private folders, or are back. If that fails, transactions with a
    /// record there are taken back; single files need no record, and stay.
    pub(super) fn sync(&self, file_sets: &mut [&mut FileSet], directory: &OpenDirectory) {
        self.each_folder(file_sets, OpenFolder::sync, |files, error| {
            files.take_back(directory, &error.clone().after_publishing());
        });
    }

    /// Removes the records, both of what is published and of what is taken back.
    pub(super) fn settle(self, file_sets: &mut [&mut FileSet]) {
        let settled = file_sets.iter_mut();
        let mut revoked: Vec<_> = settled
            .filter_map(|files| files.settle().then_some(files))
            .collect();
        for folder in &self.folders {
            let mut of_folder = revoked
                .iter_mut()
                .filter(|files| folder.is_of(files))
                .peekable();
            // A power failure may bring the record back.
            if of_folder.peek().is_some() && folder.sync().is_err() {
                of_folder.for_each(|files| files.doubt());
            }
        }
    }

    fn open_folder_of(&mut self, files: &FileSet) -> Result<(), PickupError> {
        let Some(folder) = files.folder() else {
            return Ok(());
        };
        if !self.folders.iter().any(|open| open.is_of(files)) {
            let opened = folder.open().map_err(PickupError::from_io(
                Operation::PrepareStaging,
                folder.staging(),
            ))?;
            self.folders.push(OpenFolder {
                folder: Arc::clone(folder),
                opened,
            });
        }
        Ok(())
    }

    /// Does something with each folder; if it fails, all transactions of several files in there fail.
    fn each_folder(
        &self,
        file_sets: &mut [&mut FileSet],
        work: impl Fn(&OpenFolder) -> Result<(), PickupError>,
        fail: impl Fn(&mut FileSet, &PickupError),
    ) {
        for folder in &self.folders {
            if let Err(error) = work(folder) {
                let failed = file_sets
                    .iter_mut()
                    .filter(|files| files.has_record() && folder.is_of(files));
                failed.for_each(|files| fail(files, &error));
            }
        }
    }
}

/// Decides all transactions under keys with one transaction of the store.
fn decide_by_store(file_sets: &mut [&mut FileSet]) {
    let mut keyed: Vec<&mut FileSet> = file_sets
        .iter_mut()
        .map(|files| &mut **files)
        .filter(|files| files.needs_decision() && files.claim().is_some())
        .collect();
    let first = keyed.first().and_then(|files| files.claim());
    let Some(store) = first.map(|claim| Arc::clone(claim.store())) else {
        return;
    };
    #[cfg(all(test, target_os = "linux"))]
    step(Step::Decide);
    // Before the record is there, lest a panic in between remove files of it.
    for files in &keyed {
        files.set_decided();
    }
    let claims = keyed.iter_mut().filter_map(|files| files.claim_mut());
    if let Err(failed) = store.commit(claims) {
        let path = store.path();
        for files in keyed {
            files.fail_to_keep_key(&failed, &path);
        }
    }
    #[cfg(all(test, target_os = "linux"))]
    step(Step::Change);
}

impl OpenFolder {
    fn is_of(&self, files: &FileSet) -> bool {
        files
            .folder()
            .is_some_and(|folder| Arc::ptr_eq(folder, &self.folder))
    }

    fn sync(&self) -> Result<(), PickupError> {
        self.opened.sync().map_err(PickupError::from_io(
            Operation::SyncDirectory,
            self.folder.path(),
        ))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::pickup_directory::options::PickupOptions;
    use crate::pickup_directory::staging::Staging;
    use std::fs;

    #[test]
    fn a_folder_that_cannot_be_synced_fails_its_own_transactions_alone() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let directory = OpenDirectory::open(&pickup).unwrap();
        let staging = Staging::new(&pickup, &PickupOptions::default());
        let [mut single, mut several] = [&["1.eml"][..], &["2.eml", "3.eml"]].map(|names| {
            let mut files = FileSet::default();
            for name in names {
                files.write(&staging, true, name, &[b"x"]).unwrap();
            }
            files.stage(&pickup);
            if files.needs_decision() {
                files.decide();
            }
            files.publish(&directory, &pickup);
            files
        });
        let decisions = Decisions {
            folders: vec![OpenFolder {
                folder: Arc::clone(several.folder().unwrap()),
                // Nothing can be synced there.
                opened: OpenDirectory::open(Path::new("/proc")).unwrap(),
            }],
        };
        decisions.sync(&mut [&mut single, &mut several], &directory);
        assert!(single.error().is_none());
        assert!(several.error().unwrap().may_be_delivered());
        let visible = fs::read_dir(&pickup).unwrap();
        let visible: Vec<_> = visible.map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(visible, ["1.eml"]);
    }
}
