//! The files of one transaction.

use std::fs::File;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::Arc;

use crate::idempotency::{Claim, CommitFailed};

use super::closed_file::{ClosedData, ClosedFile, Witness};
use super::error::{Operation, PickupError, PickupErrorKind};
use super::private_folder::PrivateFolder;
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::staging::Staging;
use super::system::OpenDirectory;
use super::written_file::{WrittenFile, stage_all};

/// How many files of one transaction are open at a time. A process can often open 1,024, and several transactions may
/// be in progress; on the other hand, the more files are synced together, the less each of them costs.
const MAX_OPEN_FILES: usize = 64;

/// Files that become visible together, or not at all.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    open: Vec<WrittenFile>,
    /// The files written before them that could not be kept open.
    closed: Vec<ClosedFile>,
    /// Set if some of the closed files are not synced yet.
    witness: Option<Witness>,
    /// The key under which they are submitted. It becomes free when this is dropped.
    claim: Option<Box<Claim>>,
    /// Where files of this set have names; set if it has several files, or named ones, or a key.
    staged: Option<Arc<StagedTransaction>>,
    /// The size of all files, in bytes.
    size: u64,
    /// Why none of the files is in the pickup directory, and none will be.
    error: Option<PickupError>,
    /// Whether any of the files was ever in the pickup directory.
    were_visible: bool,
    /// Whether files were removed again after a sync that failed.
    were_taken_back: bool,
    /// Whether its record stays although all files are taken back.
    keeps_record: bool,
}

impl FileSet {
    /// Writes one more file.
    ///
    /// # Errors
    /// The set is unchanged. But if files written before are lost, all of them are gone, and every later call returns
    /// the same error.
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
        if !self.is_empty() || self.claim.is_some() {
            // Without a place for its record no transaction has several files.
            self.transaction(staging)?;
        }
        if self.open.len() + usize::from(self.witness.is_some()) >= MAX_OPEN_FILES {
            self.close_files(staging, durable)?;
        }
        let (file, staged) = match staging.create_unnamed()? {
            Some(file) => (file, None),
            None => self
                .create_staged(staging, name)
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

    fn create_staged(
        &mut self,
        staging: &Staging,
        name: &str,
    ) -> Result<(File, StagedFile), PickupError> {
        let transaction = self.transaction(staging)?;
        let created = transaction.create_file(name).map_err(|error| {
            let path = match error.kind() {
                io::ErrorKind::AlreadyExists => &staging.pickup().join(name),
                _ => transaction.folder().staging(),
            };
            PickupError::from_io(Operation::CreateFile, path)(error)
        });
        created.inspect_err(|error| {
            // Somebody removed the folder, with the files in it.
            if error.kind() == PickupErrorKind::NotFound {
                self.lose(error);
            }
        })
    }

    /// Closes the open files. If that fails half-way, all are lost: a second sync would not report again that the first
    /// one lost something.
    fn close_files(&mut self, staging: &Staging, durable: bool) -> Result<(), PickupError> {
        let transaction = self.transaction(staging)?;
        let files = mem::take(&mut self.open);
        let data = match (durable, staging.syncfs_allowed()) {
            (false, _) => ClosedData::Volatile,
            (true, false) => ClosedData::Synced,
            (true, true) => ClosedData::SyncedLater,
        };
        let pickup = staging.pickup();
        let closed = ClosedFile::close_all(files, &transaction, pickup, data, &mut self.witness)
            .inspect_err(|error| self.lose(error))?;
        self.closed.extend(closed);
        Ok(())
    }

    fn transaction(&mut self, staging: &Staging) -> Result<Arc<StagedTransaction>, PickupError> {
        if let Some(staged) = &self.staged {
            let usable = staged.refuse_after_fork();
            usable.map_err(PickupError::from_io(
                Operation::PrepareStaging,
                staged.folder().staging(),
            ))?;
            return Ok(Arc::clone(staged));
        }
        let begun = Arc::new(match &self.claim {
            None => StagedTransaction::begin(staging.private_folder()?),
            Some(claim) => {
                let store = claim.store();
                let number = store.number().ok_or_else(|| {
                    let error = io::Error::other("it failed and will be reopened for the next key");
                    PickupError::from_io(Operation::KeepKey, &store.path())(error)
                })?;
                let folder = staging.keyed_folder(number)?;
                StagedTransaction::begin_keyed(folder, Arc::clone(store), claim.token())
            }
        });
        self.staged = Some(Arc::clone(&begun));
        Ok(begun)
    }

    fn lose(&mut self, error: &PickupError) {
        *self = Self {
            error: Some(error.clone()),
            claim: self.claim.take(),
            ..Self::default()
        };
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.error.is_none()
    }

    pub(super) fn len(&self) -> usize {
        self.closed.len() + self.open.len()
    }

    /// The file through which closed files have to be synced, if they are not yet.
    pub(super) fn witness(&self) -> Option<&Witness> {
        self.witness.as_ref()
    }

    /// The files whose data is not synced yet.
    pub(super) fn open(&self) -> &[WrittenFile] {
        &self.open
    }

    /// The size of all files, in bytes.
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

    /// The result. This closes the files, on the thread that they belong to, to spare the leader of the group that
    /// work.
    pub(super) fn into_result(self) -> Result<(), PickupError> {
        self.error.map_or(Ok(()), Err)
    }

    /// None of the files will be published. The first error counts.
    pub(super) fn fail(&mut self, error: &PickupError) {
        self.error.get_or_insert_with(|| error.clone());
    }

    /// Gives several files their names in the private folder, from which they will be published.
    pub(super) fn stage(&mut self, pickup: &Path) {
        if let Some(transaction) = &self.staged
            && let Err(error) = transaction.refuse_after_fork()
        {
            let path = transaction.folder().staging();
            let error = PickupError::from_io(Operation::PrepareStaging, path)(error);
            return self.fail(&error);
        }
        if !self.needs_decision() {
            return;
        }
        if let Some(transaction) = &self.staged
            && let Err(error) = stage_all(&mut self.open, transaction, pickup)
        {
            self.lose(&error);
        }
    }

    /// Whether a record must decide that all files are published before any of them is.
    pub(super) fn needs_decision(&self) -> bool {
        self.has_record() && self.error.is_none()
    }

    /// Whether a record will decide about it, if it gets that far.
    pub(super) fn has_record(&self) -> bool {
        self.len() > 1 || self.claim.is_some() && self.len() == 1
    }

    /// The key under which it is submitted.
    pub(super) fn claim(&self) -> Option<&Claim> {
        self.claim.as_deref()
    }

    pub(super) fn claim_mut(&mut self) -> Option<&mut Claim> {
        self.claim.as_deref_mut()
    }

    /// Sets the key, before anything is written.
    pub(super) fn set_claim(&mut self, claim: Claim) {
        self.claim = Some(Box::new(claim));
    }

    /// Where the files have names, if they do.
    pub(super) fn folder(&self) -> Option<&Arc<PrivateFolder>> {
        self.staged.as_ref().map(|transaction| transaction.folder())
    }

    /// Fails if a name is taken in the pickup directory. It may still be taken a moment later; but this way, usually
    /// nothing becomes visible in between.
    pub(super) fn refuse_taken_names(&mut self, directory: &OpenDirectory, pickup: &Path) {
        let mut names = self.staged_files().map(StagedFile::name);
        let taken = names.find(|name| directory.has(name)).map(|name| {
            let error = io::ErrorKind::AlreadyExists.into();
            PickupError::from_io(Operation::PublishFile, &pickup.join(name))(error)
        });
        drop(names);
        if let Some(error) = taken {
            self.fail(&error);
        }
    }

    /// Decides that all files are published.
    pub(super) fn decide(&mut self) {
        if let Some(transaction) = &self.staged
            && let Err(error) = transaction.decide()
        {
            let path = transaction.folder().staging();
            let error = PickupError::from_io(Operation::Decide, path)(error);
            self.fail(&error);
        }
        self.doubt_if_decided();
    }

    /// Records that the store of keys has decided that it goes forward, or may have.
    pub(super) fn set_decided(&self) {
        if let Some(transaction) = &self.staged {
            transaction.set_decided(true);
        }
    }

    /// The store of keys did not decide, or it is unknown whether it did.
    pub(super) fn fail_to_keep_key(&mut self, failed: &CommitFailed, path: &Path) {
        if let Some(transaction) = &self.staged {
            transaction.set_decided(failed.is_in_doubt);
        }
        let error = io::Error::new(failed.error.kind(), failed.error.to_string());
        let error = PickupError::from_io(Operation::KeepKey, path)(error);
        self.fail(&error);
        self.doubt_if_decided();
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
            self.take_back_first(published, directory);
            // A network file system may have done what it says has failed. A name that was taken is
            // not ours.
            let was_published = error.kind() != PickupErrorKind::AlreadyExists
                && self.take_back_one(published, directory);
            self.were_visible |= was_published;
            let is_known = match self.decided() {
                Some(_) => self.are_all_staged(),
                None => was_published || error.kind() != PickupErrorKind::Other,
            };
            let error = if is_known {
                error
            } else {
                error.after_publishing()
            };
            self.fail(&error);
        }
    }

    /// Removes the published files again, as far as possible, because `error` came afterwards.
    pub(super) fn take_back(&mut self, directory: &OpenDirectory, error: &PickupError) {
        match self.error.take() {
            None => {
                self.take_back_first(self.len(), directory);
                self.were_taken_back = true;
                self.error = Some(error.clone());
            }
            // What was taken back earlier is not durably gone either.
            Some(earlier) if self.were_visible => {
                self.were_taken_back = true;
                self.error = Some(earlier.after_publishing());
            }
            Some(earlier) => self.error = Some(earlier),
        }
    }

    /// Whether files were removed again after a sync that failed.
    pub(super) fn were_taken_back(&self) -> bool {
        self.were_taken_back
    }

    /// The removal of files is not durable: if there is a record it stays, and they go forward.
    pub(super) fn keep_record(&mut self) {
        self.keeps_record = self.were_taken_back;
    }

    /// Removes the record, if there is one that has served its purpose or has none. Returns `true` if nothing was
    /// published, which has to be made durable.
    pub(super) fn settle(&mut self) -> bool {
        let Some(transaction) = self.decided() else {
            return false;
        };
        if self.error.is_none() {
            transaction.finish();
            return false;
        }
        // Otherwise PowerMTA has some of them, and the others follow.
        let is_revoked =
            !self.keeps_record && self.are_all_staged() && transaction.revoke().is_ok();
        self.doubt_if_decided();
        is_revoked
    }

    /// The error leaves open whether the files are published.
    pub(super) fn doubt(&mut self) {
        self.error = self.error.take().map(PickupError::after_publishing);
    }

    /// A record that cannot be removed stands: the files will be published.
    fn doubt_if_decided(&mut self) {
        if self.error.is_some() && self.decided().is_some() {
            self.doubt();
        }
    }

    /// The transaction whose record exists, or may exist.
    fn decided(&self) -> Option<&StagedTransaction> {
        self.staged
            .as_deref()
            .filter(|transaction| transaction.is_decided())
    }

    /// Removes the first of the published files again, as far as they are there.
    fn take_back_first(&mut self, count: usize, directory: &OpenDirectory) {
        for index in 0..count {
            self.take_back_one(index, directory);
        }
    }

    /// Removes one of the files again. Returns `false` if it was not there, or could not be removed.
    fn take_back_one(&mut self, index: usize, directory: &OpenDirectory) -> bool {
        match index.checked_sub(self.closed.len()) {
            None => self.closed[index].take_back(directory),
            Some(index) => self.open[index].take_back(directory),
        }
    }

    fn staged_files(&self) -> impl Iterator<Item = &StagedFile> {
        let closed = self.closed.iter().map(ClosedFile::staged);
        closed.chain(self.open.iter().filter_map(|file| file.staged.as_ref()))
    }

    /// Whether none of the files is published, or was published and taken by PowerMTA.
    fn are_all_staged(&self) -> bool {
        self.staged_files().all(StagedFile::is_there)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickup_directory::options::PickupOptions;
    use std::fs;

    struct Place {
        _parent: tempfile::TempDir,
        pickup: std::path::PathBuf,
        staging: Staging,
        directory: OpenDirectory,
    }

    impl Place {
        fn new() -> Self {
            let parent = tempfile::tempdir().unwrap();
            let pickup = parent.path().join("pickup");
            fs::create_dir(&pickup).unwrap();
            Self {
                staging: Staging::new(&pickup, &PickupOptions::default()),
                directory: OpenDirectory::open(&pickup).unwrap(),
                pickup,
                _parent: parent,
            }
        }

        fn write(&self, names: &[&str]) -> FileSet {
            let mut files = FileSet::default();
            for name in names {
                files.write(&self.staging, false, name, &[b"x"]).unwrap();
            }
            files
        }

        /// As a group does, up to the sync of the directory.
        fn publish(&self, files: &mut FileSet) {
            files.stage(&self.pickup);
            if files.needs_decision() {
                files.decide();
            }
            files.publish(&self.directory, &self.pickup);
        }

        fn visible(&self) -> usize {
            fs::read_dir(&self.pickup).unwrap().count()
        }

        /// Private folders.
        fn left(&self) -> usize {
            let staging = self.staging.folder().unwrap();
            fs::read_dir(staging).map_or(0, Iterator::count)
        }
    }

    /// An error that nobody expects tells nothing about the file.
    #[test]
    fn a_publication_that_fails_strangely_may_be_one() {
        let place = Place::new();
        fs::write(place.pickup.join("1.eml"), "another's").unwrap();
        let too_long = "x".repeat(300);
        for (name, may_be_delivered) in [("1.eml", false), (too_long.as_str(), true)] {
            let mut files = place.write(&[name]);
            place.publish(&mut files);
            let error = files.error().unwrap();
            assert_eq!(error.may_be_delivered(), may_be_delivered, "{error}");
            assert!(!files.were_visible());
            assert_eq!(place.visible(), 1);
        }
    }

    #[test]
    fn a_name_that_is_impossible_in_the_staging_folder_is_known_to_be_undelivered() {
        let place = Place::new();
        let mut files = place.write(&["0.eml", &"x".repeat(255)]);
        place.publish(&mut files);
        assert!(!files.error().unwrap().may_be_delivered());
        assert_eq!((place.visible(), files.len()), (0, 0));
    }

    /// Whoever puts a file there between the look for it and the publication.
    #[test]
    fn a_name_that_is_taken_at_the_last_moment_takes_all_back() {
        let place = Place::new();
        let mut files = place.write(&["0.eml", "1.eml", "2.eml"]);
        fs::write(place.pickup.join("1.eml"), "another's").unwrap();
        place.publish(&mut files);
        let error = files.error().unwrap();
        assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
        assert!(!error.may_be_delivered());
        assert!(files.were_visible() && files.are_all_staged());
        assert_eq!(place.visible(), 1);
        assert!(files.settle());
        drop(files);
        assert_eq!(place.left(), 0);
    }

    /// That it was taken away again is not durable where the directory cannot be synced.
    #[test]
    fn files_taken_back_without_a_sync_may_reappear() {
        let failed = PickupError::from_io(Operation::SyncDirectory, Path::new("x"))(
            io::Error::other("a sync that fails"),
        );
        for (names, may_be_delivered) in [
            (["0.eml", "1.eml"], true),
            // Nothing of it was ever there.
            (["1.eml", "0.eml"], false),
        ] {
            let place = Place::new();
            fs::write(place.pickup.join("1.eml"), "another's").unwrap();
            let mut files = place.write(&names);
            place.publish(&mut files);
            assert!(!files.error().unwrap().may_be_delivered());
            assert_eq!(files.were_visible(), may_be_delivered);
            files.take_back(&place.directory, &failed);
            let error = files.error().unwrap();
            assert_eq!(error.may_be_delivered(), may_be_delivered);
            assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
        }
    }

    /// PowerMTA takes a file before it can be taken back: then the others follow.
    #[test]
    fn files_that_cannot_be_taken_back_are_published() {
        for taken in ["0.eml", "69.eml"] {
            let place = Place::new();
            let names: Vec<_> = (0..70).map(|number| format!("{number}.eml")).collect();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let mut files = place.write(&names);
            place.publish(&mut files);
            assert!(files.error().is_none());
            fs::remove_file(place.pickup.join(taken)).unwrap();
            let failed = PickupError::from_io(Operation::SyncDirectory, Path::new("x"))(
                io::Error::other("a sync that fails"),
            );
            files.take_back(&place.directory, &failed);
            assert_eq!(place.visible(), 0);
            assert!(!files.settle());
            assert!(files.error().unwrap().may_be_delivered());
            drop(files);
            assert_eq!((place.visible(), place.left()), (0, 1));
            // With the next file.
            place.write(&["next.eml"]);
            assert_eq!((place.visible(), place.left()), (69, 0));
        }
    }

    /// The files would be published by a power failure, and by nobody else; so they are published in any case.
    #[test]
    fn files_that_may_reappear_are_published() {
        let place = Place::new();
        let mut files = place.write(&["0.eml", "1.eml"]);
        place.publish(&mut files);
        let failed = PickupError::from_io(Operation::SyncDirectory, Path::new("x"))(
            io::Error::other("a sync that fails"),
        );
        files.take_back(&place.directory, &failed.after_publishing());
        assert!(files.were_taken_back() && files.are_all_staged());
        files.keep_record();
        assert!(!files.settle());
        assert!(files.error().unwrap().may_be_delivered());
        drop(files);
        assert_eq!((place.visible(), place.left()), (0, 1));
        place.write(&["next.eml"]);
        assert_eq!((place.visible(), place.left()), (2, 0));
    }

    #[test]
    fn a_thread_that_panics_leaves_what_is_decided() {
        let place = Place::new();
        let mut files = place.write(&["0.eml", "1.eml"]);
        files.stage(&place.pickup);
        files.decide();
        drop(files);
        assert_eq!((place.visible(), place.left()), (0, 1));
        place.write(&["next.eml"]);
        assert_eq!((place.visible(), place.left()), (2, 0));
    }
}
