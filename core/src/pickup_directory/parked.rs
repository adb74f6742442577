//! Files that wait for their commit without a descriptor.
//!
//! A hand-over may have more files than a process may open. Those that it cannot keep open are
//! synced, get a name in a private folder of the hand-over, and are closed; at the commit they move
//! on into the pickup directory.

use std::path::{Path, PathBuf};

use super::PickupError;
use super::error::Operation;
use super::private_folder::PrivateFolder;
use super::staging::Staging;
use super::system::{FileId, OpenDirectory};
use super::written_file::{WrittenFile, sync_each};

/// The parked files of one hand-over. Those that were not published vanish when it is dropped.
#[derive(Debug)]
pub(super) struct Parked {
    folder: PrivateFolder,
    /// Each lies in the folder under its number here.
    files: Vec<ParkedFile>,
}

/// There may be very many of these, so they are small.
#[derive(Debug)]
struct ParkedFile {
    /// In the pickup directory.
    name: Box<str>,
    id: FileId,
}

impl Parked {
    pub(super) fn new(staging: &Staging) -> Result<Self, PickupError> {
        Ok(Self {
            folder: staging.create_private()?,
            files: Vec::new(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Makes the files durable if that is wanted, and closes them. After an error they are gone.
    pub(super) fn park(
        &mut self,
        pickup: &Path,
        mut files: Vec<WrittenFile>,
        durable: bool,
    ) -> Result<(), PickupError> {
        let path = self.folder.path();
        let folder = OpenDirectory::open(path)
            .map_err(PickupError::from_io(Operation::PrepareStaging, path))?;
        for (number, file) in (self.files.len()..).zip(&mut files) {
            file.move_aside(&folder, &number.to_string(), pickup)?;
        }
        if durable {
            // With their names already: some file systems sync less of a file that has none.
            sync_each(&files.iter().collect::<Vec<_>>(), pickup)?;
        }
        for file in files {
            let id = file.id(pickup)?;
            let name = file.into_name().into_boxed_str();
            self.files.push(ParkedFile { name, id });
        }
        Ok(())
    }

    /// Publishes all files, or none.
    pub(super) fn publish(
        &self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        for (number, file) in self.files.iter().enumerate() {
            if let Err(error) = directory.move_in(&self.path_of(number), &file.name) {
                take_back(&self.files[..number], directory);
                let path = pickup.join(&*file.name);
                return Err(PickupError::from_io(Operation::PublishFile, &path)(error));
            }
        }
        Ok(())
    }

    /// Takes the published files away again, as far as possible.
    pub(super) fn take_back(&self, directory: &OpenDirectory) {
        take_back(&self.files, directory);
    }

    fn path_of(&self, number: usize) -> PathBuf {
        self.folder.path().join(number.to_string())
    }
}

fn take_back(files: &[ParkedFile], directory: &OpenDirectory) {
    for file in files {
        directory.take_back(file.id, &file.name);
    }
}
