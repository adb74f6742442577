//! The files of one hand-over.

use std::mem;
use std::path::Path;

use super::parked::Parked;
use super::staging::Staging;
use super::system::OpenDirectory;
use super::written_file::WrittenFile;
use super::{PickupError, PickupOptions};

/// How many files of one hand-over are open at a time. A process often may open 1,024, and several
/// hand-overs are under way in it; on the other hand, the more files are synced together, the less
/// each of them costs.
const MOST_OPEN: usize = 64;

/// Files that become visible together.
#[derive(Debug, Default)]
pub(super) struct Files {
    open: Vec<WrittenFile>,
    /// What was written before them, if there was no room to keep it open.
    parked: Option<Parked>,
    /// Why files were lost, and all others with them.
    lost: Option<PickupError>,
}

impl Files {
    /// Parks the open files if one more would be too many.
    ///
    /// # Errors
    /// Where parking fails half-way, all files are gone, and there is only this error from then on:
    /// no second sync would tell again that the first one lost something.
    pub(super) fn make_room(
        &mut self,
        pickup: &Path,
        options: &PickupOptions,
        staging: &Staging,
    ) -> Result<(), PickupError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        if self.open.len() < MOST_OPEN {
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

    pub(super) fn push(&mut self, file: WrittenFile) {
        self.open.push(file);
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
    pub(super) fn publish(
        &mut self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
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

    /// Takes the published files away again, as far as possible.
    pub(super) fn take_back(&self, directory: &OpenDirectory) {
        self.take_back_until(self.open.len(), directory);
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
