//! One file on its way: written, synced, published.
//!
//! ```text
//!                     writes                        syncs       links
//! no name             o―――――――――――――――――――――――――――――o―――――――――――o――▶ pickup/1.eml
//!                     | more than 64 files: link    | several   | rename
//!                     ▼                             ▼           |
//! staging/…/0.1.eml   o――――― syncs ――― closed ――――――o―――――――――――o
//! ```
//!
//! Where the file system has no files without a name, all begin in the staging folder.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::error::{Operation, PickupError};
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::system::{FileId, OpenDirectory};

/// A written file that no reader of the pickup directory can see. It is removed when this is dropped, unless it was
/// published.
#[derive(Debug)]
pub(super) struct WrittenFile {
    /// Its name in the pickup directory.
    pub(super) name: String,
    pub(super) file: File,
    /// `None` if the file has no name yet.
    pub(super) staged: Option<StagedFile>,
    /// Counts the files of this process. The file with the lowest number was open before any of the others was written.
    pub(super) opened: u64,
}

impl WrittenFile {
    /// Writes an empty file.
    pub(super) fn write(
        file: File,
        staged: Option<StagedFile>,
        name: &str,
        chunks: &[&[u8]],
    ) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Counted between opening and writing; see `opened`.
        let opened = COUNT.fetch_add(1, Ordering::SeqCst);
        write_all(&file, chunks)?;
        Ok(Self {
            name: name.to_owned(),
            file,
            staged,
            opened,
        })
    }

    /// Gives the file a name in the private folder, if it has none yet.
    fn stage(
        &mut self,
        transaction: &Arc<StagedTransaction>,
        opened: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        if self.staged.is_none() {
            let staged = transaction.link(opened, &self.file, &self.name);
            self.staged = Some(staged.map_err(self.error(Operation::StageFile, pickup))?);
        }
        Ok(())
    }

    /// Makes the file visible; never overwrites another.
    pub(super) fn publish(
        &mut self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        match &mut self.staged {
            Some(staged) => staged.move_on(directory),
            None => directory.link_unnamed(&self.file, &self.name),
        }
        .map_err(self.error(Operation::PublishFile, pickup))
    }

    /// Removes a published file again. Returns `false` if it was no longer there, or cannot be removed.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory) -> bool {
        FileId::of(&self.file).is_ok_and(|id| match &mut self.staged {
            Some(staged) => staged.move_back(directory, id),
            None => directory.take_back(id, &self.name),
        })
    }

    fn sync(&self, pickup: &Path) -> Result<(), PickupError> {
        self.file
            .sync_data()
            .map_err(self.error(Operation::SyncFile, pickup))
    }

    fn error(
        &self,
        operation: Operation,
        pickup: &Path,
    ) -> impl FnOnce(io::Error) -> PickupError + use<> {
        let path = pickup.join(&self.name);
        move |error| PickupError::from_io(operation, &path)(error)
    }
}

/// Gives each file a name in the private folder, if it has none yet.
pub(super) fn stage_all(
    files: &mut [WrittenFile],
    transaction: &Arc<StagedTransaction>,
    pickup: &Path,
) -> Result<(), PickupError> {
    let folder = transaction.folder();
    // Should somebody have removed the folder, this tells.
    let opened = folder.open().map_err(PickupError::from_io(
        Operation::PrepareStaging,
        folder.staging(),
    ))?;
    files
        .iter_mut()
        .try_for_each(|file| file.stage(transaction, &opened, pickup))
}

/// Syncs each file separately, many at a time, since that is several times faster than one after the other.
pub(super) fn sync_each(files: &[&WrittenFile], pickup: &Path) -> Result<(), PickupError> {
    const AT_A_TIME: usize = 16;
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            file.sync(pickup)?;
        }
        Ok(())
    };
    let more = files.len().min(AT_A_TIME).saturating_sub(1);
    thread::scope(|scope| {
        // Where no thread can be had, this one does all the work.
        let threads: Vec<_> = (0..more)
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, work).ok())
            .collect();
        threads.into_iter().fold(work(), |result, thread| {
            let other = thread.join().unwrap_or_else(|_| {
                Err(PickupError::from_io(Operation::SyncFile, pickup)(
                    io::Error::other("a thread that synced files ended early"),
                ))
            });
            result.and(other)
        })
    })
}

fn write_all(mut file: &File, chunks: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<_> = chunks.iter().map(|chunk| IoSlice::new(chunk)).collect();
    let mut slices = slices.as_mut_slice();
    // Takes away empty chunks in front, which would look like a device that takes nothing.
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_vectored(slices).map(NonZero::new) {
            Ok(Some(written)) => IoSlice::advance_slices(&mut slices, written.get()),
            Ok(None) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn many_and_empty_chunks_are_written_in_order() {
        let mut file = tempfile::tempfile().unwrap();
        // More chunks than one call takes (1,024), and more bytes than a pipe or a page.
        let numbers: Vec<String> = (0..5_000)
            .map(|number| format!("{number:0>40}\n"))
            .collect();
        let mut chunks: Vec<&[u8]> = vec![b"", b""];
        chunks.extend(numbers.iter().map(String::as_bytes));
        chunks.push(b"");
        write_all(&file, &chunks).unwrap();
        file.rewind().unwrap();
        let mut read = String::new();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, numbers.concat());
    }

    #[test]
    fn no_bytes_at_all_are_fine() {
        let file = tempfile::tempfile().unwrap();
        write_all(&file, &[]).unwrap();
        write_all(&file, &[b"", b""]).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
