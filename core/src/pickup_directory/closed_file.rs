//! Files that wait for their commit without a descriptor.
//!
//! A transaction may have more files than a process may open. Those that cannot be kept open get a name in the private
//! folder of the process and are closed; at the commit they move on into the pickup directory.
//!
//! If a whole file system may be synced, that is done for all of them together at the commit: syncing each by itself
//! takes several times as long. One file stays open, a [`Witness`]: through it the sync reports all errors since it was
//! opened. Otherwise files are synced before they are closed.
//!
//! ```text
//! write a   write b   … 64 open …   write z       commit
//!   open      open                  link a, b … into the private folder, close them      syncfs(witness)   rename each
//!    └ the oldest one stays open as the witness ──────────────────────────────────────────────┘
//! ```

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::error::{Operation, PickupError};
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::system::{self, FileId, OpenDirectory};
use super::written_file::{WrittenFile, stage_all, sync_each};

/// A complete file. It is removed when this is dropped, unless it was published.
///
/// There can be very many of these, so they are small.
#[derive(Debug)]
pub(super) struct ClosedFile {
    id: FileId,
    staged: StagedFile,
}

/// A file that was opened before some closed files were written, on the same file system. If that is synced through it,
/// they are durable, or there is an error.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) file: File,
    /// See [`WrittenFile::opened`].
    pub(super) opened: u64,
    device: u64,
}

/// What happens to the data of files that are closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosedData {
    /// It need not be durable.
    Volatile,
    /// It is synced before they are closed.
    Synced,
    /// It is synced with its file system at the commit, if possible.
    SyncedLater,
}

impl Witness {
    /// The witness for these files; `None` if there can be none.
    fn of(files: &[WrittenFile]) -> Option<Self> {
        let oldest = files.iter().min_by_key(|file| file.opened)?;
        let witness = Self {
            file: oldest.file.try_clone().ok()?,
            opened: oldest.opened,
            device: system::device(&oldest.file).ok()?,
        };
        (witness.is_for(files) && system::suits_syncfs(&witness.file)).then_some(witness)
    }

    /// Whether later files are on its file system.
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

    /// Removes a published file again. Returns `false` if it was no longer there, or cannot be moved.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory) -> bool {
        self.staged.move_back(directory, self.id)
    }

    pub(super) fn staged(&self) -> &StagedFile {
        &self.staged
    }
}
