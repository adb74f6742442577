//! The files of one hand-over.

use std::path::Path;

use super::PickupError;
use super::system::OpenDirectory;
use super::written_file::WrittenFile;

/// Files that become visible together.
#[derive(Debug, Default)]
pub(super) struct Files {
    open: Vec<WrittenFile>,
}

impl Files {
    pub(super) fn push(&mut self, file: WrittenFile) {
        self.open.push(file);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// Those whose data may still have to be synced.
    pub(super) fn open(&self) -> &[WrittenFile] {
        &self.open
    }

    /// Publishes all files, or none.
    pub(super) fn publish(
        &mut self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        for index in 0..self.open.len() {
            if let Err(error) = self.open[index].publish(directory, pickup) {
                self.open[..index]
                    .iter()
                    .for_each(|file| file.take_back(directory));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Takes the published files away again, as far as possible.
    pub(super) fn take_back(&self, directory: &OpenDirectory) {
        self.open.iter().for_each(|file| file.take_back(directory));
    }
}
