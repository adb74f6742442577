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
    /// Whether any of the files ever was in the pickup directory.
    were_visible: bool,
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
        staging.set_access(&file)?;
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

    /// Whether any of the files is in the pickup directory, or was until it was taken back.
    pub(super) fn were_visible(&self) -> bool {
        self.were_visible
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
        self.were_visible = published > 0;
        if let Err(error) = result {
            let mut is_known = self.take_back_first(published, directory);
            // A network file system may have done what it says has failed. A name that was taken is
            // not ours.
            if error.kind() != PickupErrorKind::AlreadyExists {
                let was_published = self.take_back_one(published, directory);
                self.were_visible |= was_published;
                is_known &= was_published || error.kind() != PickupErrorKind::Other;
            }
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
        match self.error.take() {
            None => {
                self.take_back_first(self.len(), directory);
                self.error = Some(error.clone());
            }
            // What was taken back earlier is not durably gone either.
            Some(earlier) if self.were_visible => self.error = Some(earlier.after_publishing()),
            Some(earlier) => self.error = Some(earlier),
        }
    }

    /// Takes the first of the published files away again. False: PowerMTA may have some of them.
    fn take_back_first(&self, count: usize, directory: &OpenDirectory) -> bool {
        // No short cut: each of them is taken back.
        (0..count).fold(true, |all, index| {
            all & self.take_back_one(index, directory)
        })
    }

    /// Takes one of the files away again. False: it was not there, or could not be removed.
    fn take_back_one(&self, index: usize, directory: &OpenDirectory) -> bool {
        match index.checked_sub(self.closed.len()) {
            None => self.closed[index].take_back(directory),
            Some(index) => self.open[index].take_back(directory),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// An error that nobody expects tells nothing about the file.
    #[test]
    fn a_publication_that_fails_strangely_may_be_one() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let staging = Staging::new(&pickup, None, true);
        let directory = OpenDirectory::open(&pickup).unwrap();
        let too_long = "x".repeat(300);
        for (name, may_be_delivered) in [("1.eml", false), (too_long.as_str(), true)] {
            fs::write(pickup.join("1.eml"), "another's").unwrap();
            let mut files = FileSet::default();
            files.write(&staging, true, "0.eml", &[b"x"]).unwrap();
            files.write(&staging, true, name, &[b"x"]).unwrap();
            files.publish(&directory, &pickup);
            let error = files.error().unwrap();
            assert_eq!(error.may_be_delivered(), may_be_delivered, "{error}");
            assert!(files.were_visible());
            let left = fs::read_dir(&pickup).unwrap().map(|entry| entry.unwrap());
            let left: Vec<_> = left.map(|entry| entry.file_name()).collect();
            assert_eq!(left, ["1.eml"]);
        }
    }

    /// That it was taken away again is not durable where the directory cannot be synced.
    #[test]
    fn what_was_taken_back_may_come_back_without_a_sync() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let staging = Staging::new(&pickup, None, true);
        let directory = OpenDirectory::open(&pickup).unwrap();
        let failed = PickupError::from_io(Operation::SyncDirectory, &pickup)(
            std::io::Error::other("a sync that fails"),
        );
        for (names, may_be_delivered) in [
            (["0.eml", "1.eml"], true),
            // Nothing of it was ever there.
            (["1.eml", "0.eml"], false),
        ] {
            fs::write(pickup.join("1.eml"), "another's").unwrap();
            let mut files = FileSet::default();
            for name in names {
                files.write(&staging, true, name, &[b"x"]).unwrap();
            }
            files.publish(&directory, &pickup);
            assert!(!files.error().unwrap().may_be_delivered());
            assert_eq!(files.were_visible(), may_be_delivered);
            files.take_back(&directory, &failed);
            let error = files.error().unwrap();
            assert_eq!(error.may_be_delivered(), may_be_delivered);
            assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
        }
    }

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
