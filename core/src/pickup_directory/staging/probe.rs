//! Tries what submissions need, without anything becoming visible or left behind.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::super::error::{Operation, PickupError};
use super::super::staged_transaction::StagedTransaction;
use super::super::system::OpenDirectory;
use super::Staging;
use crate::hard_links;

impl Staging {
    /// Tries what a submission of these bytes needs, except giving a file a name in the pickup directory, which a
    /// reader would see.
    pub(in crate::pickup_directory) fn probe(&self, bytes: &[u8]) -> Result<(), PickupError> {
        let directory = OpenDirectory::open(&self.pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &self.pickup))?;
        let write = || PickupError::from_io(Operation::WriteFile, &self.pickup);
        let publish = || PickupError::from_io(Operation::PublishFile, &self.pickup);
        directory.try_write().map_err(publish())?;
        if let Some(mut file) = self.create_unnamed()? {
            self.set_access(&file)?;
            file.write_all(bytes).map_err(write())?;
            directory.try_link_unnamed(&file).map_err(publish())?;
            if directory.has_hard_links() || self.can_link(&file) {
                return Ok(());
            }
        }
        let (mut file, staged) = self.create_staged()?;
        self.set_access(&file)?;
        if !bytes.is_empty() {
            // Network file systems tell only with a sync that there is no room.
            let written = file.write_all(bytes).and_then(|()| file.sync_data());
            written.map_err(write())?;
        }
        staged.try_move().map_err(publish())
    }

    /// Whether an unnamed file can get a name here: there are file systems that have such files but no hard links. None
    /// is used any more then. Only trying can tell, and the staging folder is where that is possible. What it does not
    /// reveal, the submission will.
    fn can_link(&self, file: &File) -> bool {
        if self.linking_was_tried.load(Ordering::Relaxed) {
            return true;
        }
        let Ok(folder) = self.private_folder() else {
            return true;
        };
        let transaction = Arc::new(StagedTransaction::begin(folder));
        let opened = transaction.folder().open();
        let linked = opened.and_then(|opened| transaction.link(&opened, file, "scratch"));
        match linked {
            Ok(_) => self.linking_was_tried.store(true, Ordering::Relaxed),
            Err(error) if hard_links::are_missing(&error) => {
                self.unnamed_files.store(false, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        self.uses_unnamed_files()
    }

    /// Tries what a submission of several files needs in addition.
    pub(in crate::pickup_directory) fn probe_staging(&self) -> Result<(), PickupError> {
        let Some(file) = self.create_unnamed()? else {
            // Nothing is done without it.
            return self.create_staged().map(|_| ());
        };
        let transaction = Arc::new(StagedTransaction::begin(self.private_folder()?));
        let folder = transaction.folder();
        let linked = folder
            .open()
            .and_then(|opened| transaction.link(&opened, &file, "scratch"));
        linked.map(|_| ()).map_err(PickupError::from_io(
            Operation::PrepareStaging,
            folder.staging(),
        ))
    }
}
