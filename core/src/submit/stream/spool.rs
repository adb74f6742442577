//! Where recipients wait until all of a submission is there.

use super::SubmitError;
use crate::pickup_directory::PickupDirectory;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// Up to here they are kept in memory.
const IN_MEMORY: usize = 1 << 20;

/// Bytes in memory and, where they are many, in a file without a name.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// All bytes, or those that are not yet in the file.
    bytes: Vec<u8>,
    file: Option<File>,
}

impl Spool {
    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// Puts what is too much for memory into a file on the file system of the directory.
    pub fn flush(&mut self, directory: Option<&PickupDirectory>) -> Result<(), SubmitError> {
        let Some(directory) = directory.filter(|_| self.bytes.len() >= IN_MEMORY) else {
            return Ok(());
        };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(directory.scratch_file()?),
        };
        file.write_all(&self.bytes)?;
        self.bytes.clear();
        Ok(())
    }

    /// All bytes from the first on.
    pub fn reader(&self) -> io::Result<Box<dyn Read + '_>> {
        let Some(mut file) = self.file.as_ref() else {
            return Ok(Box::new(self.bytes.as_slice()));
        };
        file.rewind()?;
        Ok(Box::new(file.chain(self.bytes.as_slice())))
    }
}
