//! One file on its way: written, synced, published.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use super::error::Operation;
use super::staging::{StagedName, Staging};
use super::system::{self, FileId, OpenDirectory};
use super::{PickupError, PickupOptions};

/// A file that is written and that no reader of the pickup directory can see. It vanishes when it
/// is dropped.
#[derive(Debug)]
pub(super) struct WrittenFile {
    name: String,
    file: File,
    /// None for an unnamed file.
    staged: Option<StagedName>,
    opened: u64,
}

impl WrittenFile {
    pub(super) fn write(
        pickup: &Path,
        options: &PickupOptions,
        staging: &Staging,
        name: &str,
        chunks: &[&[u8]],
    ) -> Result<Self, PickupError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let unnamed = if options.unnamed_files() {
            create_unnamed(pickup)?
        } else {
            None
        };
        let (file, staged) = match unnamed {
            Some(file) => (file, None),
            None => staging.create().map(|(file, name)| (file, Some(name)))?,
        };
        // Counted between opening and writing; see `opened`.
        let opened = COUNT.fetch_add(1, Ordering::SeqCst);
        write_all(&file, chunks).map_err(PickupError::from_io(
            Operation::WriteFile,
            &pickup.join(name),
        ))?;
        Ok(Self {
            name: name.to_owned(),
            file,
            staged,
            opened,
        })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Counts the files of this process. The one with the lowest number of some files was open
    /// before any of them was written.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    pub(super) fn sync(&self, pickup: &Path) -> Result<(), PickupError> {
        self.file.sync_data().map_err(PickupError::from_io(
            Operation::SyncFile,
            &pickup.join(&self.name),
        ))
    }

    /// Makes the file visible.
    pub(super) fn publish(
        &mut self,
        directory: &OpenDirectory,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        give_name(&self.file, &mut self.staged, directory, &self.name).map_err(
            PickupError::from_io(Operation::PublishFile, &pickup.join(&self.name)),
        )
    }

    /// Gives the file a name in a folder that readers of the pickup directory do not know. It no
    /// longer vanishes when it is dropped.
    pub(super) fn move_aside(
        &mut self,
        folder: &OpenDirectory,
        name: &str,
        pickup: &Path,
    ) -> Result<(), PickupError> {
        give_name(&self.file, &mut self.staged, folder, name).map_err(PickupError::from_io(
            Operation::ParkFile,
            &pickup.join(&self.name),
        ))
    }

    pub(super) fn id(&self, pickup: &Path) -> Result<FileId, PickupError> {
        FileId::of(&self.file).map_err(PickupError::from_io(
            Operation::ParkFile,
            &pickup.join(&self.name),
        ))
    }

    /// Closes the file.
    pub(super) fn into_name(self) -> String {
        self.name
    }

    /// Takes a published file away again, as far as possible.
    pub(super) fn take_back(&self, directory: &OpenDirectory) {
        if let Ok(id) = FileId::of(&self.file) {
            directory.take_back(id, &self.name);
        }
    }
}

fn give_name(
    file: &File,
    staged: &mut Option<StagedName>,
    directory: &OpenDirectory,
    name: &str,
) -> io::Result<()> {
    let Some(staged) = staged else {
        return directory.link_unnamed(file, name);
    };
    directory.move_in(staged.path(), name)?;
    staged.moved_on();
    // PowerMTA may want a lock of its own.
    let _ = file.unlock();
    Ok(())
}

/// Syncs each file by itself, many at a time, since that is several times quicker than one after
/// the other.
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

/// An unnamed file in the pickup directory, if its file system has such.
pub(super) fn create_unnamed(pickup: &Path) -> Result<Option<File>, PickupError> {
    system::create_unnamed(pickup).map_err(PickupError::from_io(Operation::CreateFile, pickup))
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
        // More chunks than one call takes (1,024), and more octets than a pipe or a page.
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
    fn no_octets_at_all_are_fine() {
        let file = tempfile::tempfile().unwrap();
        write_all(&file, &[]).unwrap();
        write_all(&file, &[b"", b""]).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
    }
}
