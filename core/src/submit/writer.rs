//! Files that are written for the pickup directory before they become visible.

use super::files::{FileSink, Summary};
use super::limits::MERGE_SIZE;
use super::receipt::Receipt;
use super::submission::{InMemory, Submission};
use crate::pickup_directory::{PickupDirectory, PickupError, Transaction};
use crate::pickup_file::PickupFile;
use std::mem;

/// Writes each file as soon as it is made: they are never all in memory.
#[derive(Debug)]
pub(super) struct Writer<'d> {
    transaction: Transaction<'d>,
    names: Vec<String>,
    size: u64,
}

/// A message all of whose files are written, and none of them visible yet.
#[derive(Debug)]
pub(super) struct Written<'d> {
    pub transaction: Transaction<'d>,
    pub receipt: Receipt,
}

impl<'d> Writer<'d> {
    pub fn new(directory: &'d PickupDirectory) -> Self {
        Self {
            transaction: directory.begin(),
            names: Vec::new(),
            size: 0,
        }
    }

    /// Writes the files of a submission.
    pub fn write(
        directory: &'d PickupDirectory,
        submission: &Submission,
    ) -> Result<Written<'d>, PickupError> {
        let mut writer = Self::new(directory);
        for file in submission.files() {
            writer.write_file(file)?;
        }
        Ok(writer.finish(submission.summary().clone()))
    }

    fn write_file(&mut self, file: &PickupFile) -> Result<(), PickupError> {
        self.transaction.write(file.name(), &file.chunks())?;
        self.names.push(file.name().to_owned());
        self.size += file.size();
        Ok(())
    }
}

impl<'d> FileSink for Writer<'d> {
    type Output = Written<'d>;
    type Error = PickupError;

    fn put(&mut self, file: PickupFile) -> Result<(), PickupError> {
        self.write_file(&file)
    }

    fn finish(self, summary: Summary) -> Written<'d> {
        Written {
            transaction: self.transaction,
            receipt: Receipt::new(summary, self.names, self.size),
        }
    }
}

impl Written<'_> {
    /// Makes the files durable and visible.
    pub fn commit(self) -> Result<Receipt, PickupError> {
        self.transaction.commit()?;
        Ok(self.receipt)
    }
}

/// Keeps the files of a mail merge in memory as long as they are small together, and writes them
/// otherwise.
#[derive(Debug)]
pub(super) struct MergeFiles<'d> {
    directory: &'d PickupDirectory,
    place: Place<'d>,
}

#[derive(Debug)]
enum Place<'d> {
    Memory { files: InMemory, size: u64 },
    Directory(Writer<'d>),
}

/// The files of a message that waits for its group.
#[derive(Debug)]
pub(super) enum Made<'d> {
    InMemory(Submission),
    Written(Written<'d>),
}

impl<'d> Made<'d> {
    /// Writes the files that are in memory.
    pub fn write(self, directory: &'d PickupDirectory) -> Result<Written<'d>, PickupError> {
        match self {
            Self::InMemory(submission) => Writer::write(directory, &submission),
            Self::Written(written) => Ok(written),
        }
    }
}

impl<'d> MergeFiles<'d> {
    pub fn new(directory: &'d PickupDirectory) -> Self {
        Self {
            directory,
            place: Place::Memory {
                files: InMemory::default(),
                size: 0,
            },
        }
    }
}

impl<'d> FileSink for MergeFiles<'d> {
    type Output = Made<'d>;
    type Error = PickupError;

    fn put(&mut self, file: PickupFile) -> Result<(), PickupError> {
        match &mut self.place {
            Place::Directory(writer) => writer.write_file(&file),
            Place::Memory { files, size } if *size + file.size() <= MERGE_SIZE => {
                *size += file.size();
                files.0.push(file);
                Ok(())
            }
            Place::Memory { files, .. } => {
                let mut writer = Writer::new(self.directory);
                for earlier in mem::take(&mut files.0) {
                    writer.write_file(&earlier)?;
                }
                writer.write_file(&file)?;
                self.place = Place::Directory(writer);
                Ok(())
            }
        }
    }

    fn finish(self, summary: Summary) -> Made<'d> {
        match self.place {
            Place::Memory { files, .. } => Made::InMemory(files.finish(summary)),
            Place::Directory(writer) => Made::Written(writer.finish(summary)),
        }
    }
}
