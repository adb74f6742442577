//! Files that wait for their commit without a descriptor.
//!
//! A transaction may have more files than a process may open. Those that it cannot keep open get a
//! name in the private folder of the process, and are closed; at the commit they move on into the pickup directory.
//!
//! Where a whole file system may be synced, that is done for all of them together when they are committed: each by
//! itself takes several times as long. One stays open, a [`Witness`]: by way of it the sync tells of errors since.
//! Elsewhere they are synced before they are closed.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::error::{Operation, PickupError};
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::system::{self, FileId, OpenDirectory};
use super::written_file::{WrittenFile, stage_all, sync_each};

/// A file that is whole. It vanishes when it is dropped, unless it
/// was published.
///
/// There may be very many of these, so they are small.
#[derive(Debug)]
pub(super) struct ClosedFile {
    id: FileId,
    staged: StagedFile,
}

/// A file that was open before any of some closed files was written, and lies on their file system: when that is synced
/// by way of it, they are durable, or there is an error.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) file: File,
    /// See [`WrittenFile::opened`].
    pub(super) opened: u64,
    device: u64,
}

/// What becomes of the data of files that are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosedData {
    /// It need not be durable.
    Volatile,
    /// It is synced before they are closed.
    Synced,
    /// It is synced with its file system at the commit, if that can be done.
    SyncedLater,
}

impl Witness {
    /// One for these files. `None` if there can be none.
    fn of(files: &[WrittenFile]) -> Option<Self> {
        let oldest = files.iter().min_by_key(|file| file.opened)?;
        let witness = Self {
            file: oldest.file.try_clone().ok()?,
            opened: oldest.opened,
            device: system::device(&oldest.file).ok()?,
        };
        (witness.is_for(files) && system::suits_syncfs(&witness.file)).then_some(witness)
    }

    /// Whether later files lie on its file system.
    fn is_for(&self, files: &[WrittenFile]) -> bool {
        let is_here = |device| device == self.device;
        (files.iter()).all(|file| system::device(&file.file).is_ok_and(is_here))
    }
}

impl ClosedFile {
    /// Closes files. After an error they are gone.
    pub(super) fn close_all(
        mut files: Vec<WrittenFile>,
        transaction: &Arc<StagedTransaction>,
        pickup: &Path,
        data: ClosedData,
        witness: &mut Option<Witness>,
    ) -> Result<Vec<Self>, PickupError> {
        stage_all(&mut files, transaction, pickup)?;
        let mut is_later = false;
        if data == ClosedData::SyncedLater {
            match witness {
                Some(witness) => is_later = witness.is_for(&files),
                none => {
                    *none = Witness::of(&files);
                    is_later = none.is_some();
                }
            }
        }
        if data != ClosedData::Volatile && !is_later {
            // With their names already: some file systems sync less of a file that has none.
            sync_each(&files.iter().collect::<Vec<_>>(), pickup)?;
        }
        files
            .into_iter()
            .map(|file| {
                let WrittenFile {
                    name, file, staged, ..
                } = file;
                let id = FileId::of(&file).map_err(PickupError::from_io(
                    Operation::StageFile,
                    &pickup.join(&name),
                ))?;
                Ok(Self {
                    id,
                    staged: staged.expect("it is staged above"),
                })
            })
            .collect()
    }

    /// Makes the file visible.
    pub(super) fn publish(
        &mut self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        let moved_on = self.staged.move_on(directory);
        moved_on.map_err(PickupError::from_io(
            Operation::PublishFile,
            &pickup.join(self.staged.name()),
        ))
    }

    /// Takes a published file away again. Returns `false` if it was not there any more, or cannot be moved.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory) -> bool {
        self.staged.move_back(directory, self.id)
    }

    pub(super) fn staged(&self) -> &StagedFile {
        &self.staged
    }
}
