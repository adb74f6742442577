//! Files that wait for their commit without a descriptor.
//!
//! A transaction may have more files than a process may open. Those that it cannot keep open get a
//! name in the private folder of the process, are synced and closed; at the commit they move on into
//! the pickup directory.

use std::path::Path;
use std::sync::Arc;

use super::error::{Operation, PickupError};
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::system::{FileId, OpenDirectory};
use super::written_file::{WrittenFile, stage_all, sync_each};

/// A file that is whole and, if that is wanted, durable. It vanishes when it is dropped, unless it
/// was published.
///
/// There may be very many of these, so they are small.
#[derive(Debug)]
pub(super) struct ClosedFile {
    id: FileId,
    staged: StagedFile,
}

impl ClosedFile {
    /// Closes files, made durable if that is wanted. After an error they are gone.
    pub(super) fn close_all(
        mut files: Vec<WrittenFile>,
        transaction: &Arc<StagedTransaction>,
        pickup: &Path,
        durable: bool,
    ) -> Result<Vec<Self>, PickupError> {
        stage_all(&mut files, transaction, pickup)?;
        if durable {
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

    /// Takes a published file away again. False: it was not there any more, or cannot be moved.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory) -> bool {
        self.staged.move_back(directory, self.id)
    }

    pub(super) fn staged(&self) -> &StagedFile {
        &self.staged
    }
}
