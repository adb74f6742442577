//! The files of one transaction.

use std::mem;
use std::path::Path;

use super::error::PickupError;
use super::options::PickupOptions;
use super::parked::Parked;
use super::staging::Staging;
use super::system::OpenDirectory;
use super::written_file::WrittenFile;

/// How many files of one transaction are open at a time. A process often may open 1,024, and
/// several transactions are under way in it; on the other hand, the more files are synced together,
/// the less each of them costs.
const MAX_OPEN_FILES: usize = 64;

/// Files that become visible together.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    open: Vec<WrittenFile>,
    /// What was written before them, if there was no room to keep it open.
    parked: Option<Parked>,
    /// Of all files together, in bytes.
    size: u64,
    /// Why files were lost, and all others with them.
    lost: Option<PickupError>,
}

impl FileSet {
    /// Writes one more file.
    ///
    /// # Errors
    /// The set is as it was before, with one exception: see [`make_room`](Self::make_room).
    pub(super) fn write(
        &mut self,
        pickup: &Path,
        options: &PickupOptions,
        staging: &Staging,
        name: &str,
        chunks: &[&[u8]],
    ) -> Result<(), PickupError> {
        self.make_room(pickup, options, staging)?;
        let file = WrittenFile::write(pickup, options, staging, name, chunks)?;
        self.size += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.open.push(file);
        Ok(())
    }

    /// Parks the open files if one more would be too many.
    ///
    /// # Errors
    /// Where parking fails half-way, all files are gone, and there is only this error from then on:
    /// no second sync would tell again that the first one lost something.
    fn make_room(
        &mut self,
        pickup: &Path,
        options: &PickupOptions,
        staging: &Staging,
    ) -> Result<(), PickupError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        if self.open.len() < MAX_OPEN_FILES {
            return Ok(());
        }
        let parked = match &mut self.parked {
            Some(parked) => parked,
            None => self.parked.insert(Parked::new(staging)?),
        };
        let files = mem::take(&mut self.open);
        parked
            .park(pickup, files, options.is_durable())
            .inspect_err(|error| {
                self.parked = None;
                self.lost = Some(error.clone());
            })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.lost.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.parked.as_ref().map_or(0, Parked::len) + self.open.len()
    }

    /// Those whose data is not synced yet.
    pub(super) fn open(&self) -> &[WrittenFile] {
        &self.open
    }

    /// Publishes all files, or none.
    pub(super) fn publish(mut self, directory: &OpenDirectory, pickup: &Path) -> CommittedFiles {
        let result = self.try_publish(directory, pickup);
        CommittedFiles {
            files: self,
            result,
        }
    }

    /// Does without publishing anything.
    pub(super) fn fail(self, error: PickupError) -> CommittedFiles {
        CommittedFiles {
            files: self,
            result: Err(error),
        }
    }

    fn try_publish(&mut self, directory: &OpenDirectory, pickup: &Path) -> Result<(), PickupError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        if let Some(parked) = &self.parked {
            parked.publish(directory, pickup)?;
        }
        for index in 0..self.open.len() {
            if let Err(error) = self.open[index].publish(directory, pickup) {
                self.take_back_until(index, directory);
                return Err(error);
            }
        }
        Ok(())
    }

    fn take_back_until(&self, index: usize, directory: &OpenDirectory) {
        if let Some(parked) = &self.parked {
            parked.take_back(directory);
        }
        self.open[..index]
            .iter()
            .for_each(|file| file.take_back(directory));
    }
}

/// The files of a transaction that are in the pickup directory, all of them, or the error and none.
///
/// The files are still open: the thread that they belong to closes them, to spare the one that leads
/// the group that work.
#[derive(Debug)]
pub(super) struct CommittedFiles {
    files: FileSet,
    result: Result<(), PickupError>,
}

impl CommittedFiles {
    pub(super) fn into_result(self) -> Result<(), PickupError> {
        self.result
    }

    pub(super) fn result(&self) -> &Result<(), PickupError> {
        &self.result
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Of all files together, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.files.size
    }

    /// Takes the published files away again, as far as possible, since `error` came after.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory, error: &PickupError) {
        if self.result.is_ok() {
            self.files.take_back_until(self.files.open.len(), directory);
            self.result = Err(error.clone());
        }
    }
}
