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
    pub fn reader(&self) -> impl Read + '_ {
        Chained {
            file: self.file.as_ref().map(FromStart::new),
            bytes: &self.bytes,
        }
    }
}

/// A file, read from its start.
struct FromStart<'f> {
    file: &'f File,
    has_begun: bool,
}

impl<'f> FromStart<'f> {
    fn new(file: &'f File) -> Self {
        Self {
            file,
            has_begun: false,
        }
    }
}

impl Read for FromStart<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.has_begun {
            self.file.rewind()?;
            self.has_begun = true;
        }
        self.file.read(buffer)
    }
}

struct Chained<'s> {
    file: Option<FromStart<'s>>,
    bytes: &'s [u8],
}

impl Read for Chained<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            let count = file.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            self.file = None;
        }
        self.bytes.read(buffer)
    }
}
