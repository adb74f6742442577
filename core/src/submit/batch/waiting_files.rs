//! The files of a message that waits for its group.

use crate::pickup_directory::{PickupError, Transaction};
use crate::pickup_file::PickupFile;
use crate::submit::submitter::Reservation;

/// The files of a message that waits for its group. None of them are visible yet.
#[derive(Debug)]
pub(super) struct WaitingFiles<'d> {
    pub transaction: Transaction<'d>,
    /// Those that are not written yet.
    pub in_memory: Vec<PickupFile>,
    /// The size of all files, in bytes.
    pub size: u64,
    /// Its recipients, if they are counted.
    pub reserved: Reservation,
}

impl WaitingFiles<'_> {
    /// Keeps a file in memory while all files together have at most `most` bytes, and writes them otherwise.
    pub fn put(&mut self, file: PickupFile, most: u64) -> Result<(), PickupError> {
        self.size += file.size();
        self.in_memory.push(file);
        if self.size > most {
            self.write()?;
        }
        Ok(())
    }

    /// Writes the files that are in memory.
    pub fn write(&mut self) -> Result<(), PickupError> {
        for file in self.in_memory.drain(..) {
            self.transaction.write(file.name(), &file.chunks())?;
        }
        Ok(())
    }
}
