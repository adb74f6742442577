//! The files of one transaction.

use std::fs::File;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use super::closed_file::ClosedFile;
use super::error::{Operation, PickupError, PickupErrorKind};
use super::private_folder::{PrivateFolder, StagedFile};
use super::staging::Staging;
use super::system::OpenDirectory;
use super::written_file::WrittenFile;

/// How many files of one transaction are open at a time. A process often may open 1,024, and
/// several transactions are under way in it; on the other hand, the more files are synced together,
/// the less each of them costs.
const MAX_OPEN_FILES: usize = 64;

/// Files that become visible together, or not at all.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    open: Vec<WrittenFile>,
    /// What was written before them, if there was no room to keep it open.
    closed: Vec<ClosedFile>,
    /// Where files of this set have a name, if any has one.
    folder: Option<Arc<PrivateFolder>>,
    /// Of all files together, in bytes.
    size: u64,
    /// Why none of the files is in the pickup directory, and none will be.
    error: Option<PickupError>,
}

impl FileSet {
    /// Writes one more file.
    ///
    /// # Errors
    /// The set is as it was before. But where files that were written before are lost, all of them
    /// are gone, and there is only this error from then on.
    pub(super) fn write(
        &mut self,
        staging: &Staging,
        durable: bool,
        name: &str,
        chunks: &[&[u8]],
    ) -> Result<(), PickupError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        if self.open.len() >= MAX_OPEN_FILES {
            self.close_files(staging, durable)?;
        }
        let (file, staged) = match staging.create_unnamed()? {
            Some(file) => (file, None),
            None => self
                .create_staged(staging)
                .map(|(file, staged)| (file, Some(staged)))?,
        };
        let file = WrittenFile::write(file, staged, name, chunks).map_err(PickupError::from_io(
            Operation::WriteFile,
            &staging.pickup().join(name),
        ))?;
        self.size += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.open.push(file);
        Ok(())
    }

    fn create_staged(&mut self, staging: &Staging) -> Result<(File, StagedFile), PickupError> {
        self.folder(staging)?.create_file().inspect_err(|error| {
            // Somebody removed the folder, with the files in it.
            if error.kind() == PickupErrorKind::NotFound {
                self.lose(error);
            }
        })
    }

    /// Closes the open files. Where that fails half-way, all are lost: no second sync would tell
    /// again that the first one lost something.
    fn close_files(&mut self, staging: &Staging, durable: bool) -> Result<(), PickupError> {
        let folder = self.folder(staging)?;
        let files = mem::take(&mut self.open);
        let closed = ClosedFile::close_all(files, &folder, staging.pickup(), durable)
            .inspect_err(|error| self.lose(error))?;
        self.closed.extend(closed);
        Ok(())
    }

    fn folder(&mut self, staging: &Staging) -> Result<Arc<PrivateFolder>, PickupError> {
        let folder = match &self.folder {
            Some(folder) => folder,
            None => self.folder.insert(staging.private_folder()?),
        };
        Ok(Arc::clone(folder))
    }

    fn lose(&mut self, error: &PickupError) {
        *self = Self {
            error: Some(error.clone()),
            ..Self::default()
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.error.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.closed.len() + self.open.len()
    }

    /// Those whose data is not synced yet.
    pub(super) fn open(&self) -> &[WrittenFile] {
        &self.open
    }

    /// Of all files together, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn error(&self) -> Option<&PickupError> {
        self.error.as_ref()
    }

    /// What became of the files, which are closed with it: by the thread that they belong to, to
    /// spare the one that leads the group that work.
    pub(super) fn into_result(self) -> Result<(), PickupError> {
        self.error.map_or(Ok(()), Err)
    }

    /// None of the files will be published. The first error is the one that counts.
    pub(super) fn fail(&mut self, error: &PickupError) {
        self.error.get_or_insert_with(|| error.clone());
    }

    /// Publishes all files, or none.
    pub(super) fn publish(&mut self, directory: &OpenDirectory, pickup: &Path) {
        if self.error.is_some() {
            return;
        }
        let mut published = 0;
        let closed = self
            .closed
            .iter_mut()
            .map(|file| file.publish(directory, pickup));
        let open = self
            .open
            .iter_mut()
            .map(|file| file.publish(directory, pickup));
        let result: Result<(), PickupError> = closed.chain(open).try_for_each(|result| {
            result?;
            published += 1;
            Ok(())
        });
        if let Err(error) = result {
            let is_known = self.take_back_first(published, directory);
            let error = if is_known {
                error
            } else {
                error.after_publishing()
            };
            self.fail(&error);
        }
    }

    /// Takes the published files away again, as far as possible, since `error` came after.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory, error: &PickupError) {
        if self.error.is_none() {
            self.take_back_first(self.len(), directory);
            self.fail(error);
        }
    }

    /// Takes the first of the published files away again. False: PowerMTA may have some of them.
    fn take_back_first(&self, count: usize, directory: &OpenDirectory) -> bool {
        let closed = self.closed.iter().map(|file| file.take_back(directory));
        let open = self.open.iter().map(|file| file.take_back(directory));
        // No short cut: each of them is taken back.
        closed
            .chain(open)
            .take(count)
            .fold(true, |all, taken| all & taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_that_somebody_took_is_not_known_to_be_taken_back() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let staging = Staging::new(&pickup, None, true);
        let directory = OpenDirectory::open(&pickup).unwrap();
        for taken in [None, Some("0.eml"), Some("69.eml")] {
            let mut files = FileSet::default();
            for number in 0..70 {
                let name = format!("{number}.eml");
                files.write(&staging, false, &name, &[b"x"]).unwrap();
            }
            files.publish(&directory, &pickup);
            assert!(files.error().is_none());
            if let Some(name) = taken {
                fs::remove_file(pickup.join(name)).unwrap();
            }
            let is_known = files.take_back_first(files.len(), &directory);
            assert_eq!(is_known, taken.is_none());
            assert_eq!(fs::read_dir(&pickup).unwrap().count(), 0);
        }
    }
}
