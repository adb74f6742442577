//! The files of one transaction in a private folder, and the record that decides what happens to them if their process
//! dies.
//!
//! ```text
//! pmtaemail-4711-0-….private/       the folder of the process 4711
//!     12.a-1.eml  12.a-2.eml        files of the transaction 12: `a-1.eml`, `a-2.eml` in the pickup directory
//!     decided-12                    the record: the transaction 12 goes forward
//!     13.b-1.eml                    of the transaction 13, about which nothing is decided
//! ```
//!
//! The record is an empty file: its existence is all the information it has, so it is never half written. The names of
//! the files say which transaction they belong to. Whoever finds the folder of a dead process asks only one question
//! about each number: is it decided ([`decided_in`])?
//!
//! The record of a submission under a key is in the store of keys: see [`idempotency`](crate::idempotency). Its files
//! are in a separate folder, with the token of the key in their names: [`decided_by_store`].
//!
//! ```text
//! pmtaemail-4711-1-….keyed/
//!     3.K.c-1.eml               of the transaction 3 under the key with the token K
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::idempotency::{KeyStore, Token};

use super::private_folder::PrivateFolder;
use super::system::{FileId, OpenDirectory};
#[cfg(all(test, target_os = "linux"))]
use super::tests::crash::{Step, step};

const RECORD: &str = "decided-";

/// The files of one transaction that have a name in a private folder.
#[derive(Debug)]
pub(super) struct StagedTransaction {
    folder: Arc<PrivateFolder>,
    /// Unique within the folder, forever.
    number: u64,
    /// Whether its record exists, or may exist. Then none of its files is removed: they all go forward.
    is_decided: AtomicBool,
    /// Location of the record for a submission under a key.
    record: Option<(Arc<KeyStore>, Token)>,
}

/// A file in a private folder. It is removed when this is dropped, unless it has moved on or is decided.
#[derive(Debug)]
pub(super) struct StagedFile {
    transaction: Arc<StagedTransaction>,
    /// In the pickup directory.
    name: Box<str>,
    moved_on: bool,
}

impl StagedTransaction {
    pub(super) fn begin(folder: Arc<PrivateFolder>) -> Self {
        Self::begin_with(folder, None)
    }

    /// One whose record is in the store of keys.
    pub(super) fn begin_keyed(
        folder: Arc<PrivateFolder>,
        store: Arc<KeyStore>,
        token: Token,
    ) -> Self {
        Self::begin_with(folder, Some((store, token)))
    }

    fn begin_with(folder: Arc<PrivateFolder>, record: Option<(Arc<KeyStore>, Token)>) -> Self {
        Self {
            number: folder.next_number(),
            folder,
            is_decided: AtomicBool::new(false),
            record,
        }
    }

    pub(super) fn folder(&self) -> &Arc<PrivateFolder> {
        &self.folder
    }

    /// Refuses a transaction that began before a fork: the folder belongs to the parent.
    pub(super) fn refuse_after_fork(&self) -> io::Result<()> {
        if self.folder.process() == process::id() {
            return Ok(());
        }
        Err(io::Error::other(
            "the transaction was started before a fork, and only the parent can commit it; start another one",
        ))
    }

    /// Creates an empty file.
    pub(super) fn create_file(self: &Arc<Self>, name: &str) -> io::Result<(File, StagedFile)> {
        self.refuse_after_fork()?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, super::MODE);
        #[cfg(all(test, target_os = "linux"))]
        step(Step::Change);
        let file = options.open(self.path_of(name))?;
        Ok((file, self.staged(name)))
    }

    /// Gives an open file without a name one in the folder.
    pub(super) fn link(
        self: &Arc<Self>,
        opened: &OpenDirectory,
        file: &File,
        name: &str,
    ) -> io::Result<StagedFile> {
        self.refuse_after_fork()?;
        opened.link_unnamed(file, &self.name_of(name))?;
        Ok(self.staged(name))
    }

    /// From here on all files go forward, because the store has decided so, or may have.
    pub(super) fn set_decided(&self, is_decided: bool) {
        self.is_decided.store(is_decided, Ordering::Release);
    }

    /// From here on all files go forward, even if this process is killed.
    pub(super) fn decide(&self) -> io::Result<()> {
        self.refuse_after_fork()?;
        #[cfg(all(test, target_os = "linux"))]
        step(Step::Decide);
        // Before the record is there, lest a panic in between remove files of it.
        self.is_decided.store(true, Ordering::Release);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.record_file());
        // What is said to have failed may have been done all the same.
        if let Err(error) = made {
            let _ = self.revoke();
            return Err(error);
        }
        Ok(())
    }

    /// Nothing is decided any more: all files stay where they are and are removed with the process. After an error the
    /// decision stands.
    pub(super) fn revoke(&self) -> io::Result<()> {
        self.refuse_after_fork()?;
        #[cfg(all(test, target_os = "linux"))]
        step(Step::Change);
        let revoked = match &self.record {
            Some((store, token)) => store.revoke(*token),
            None => fs::remove_file(self.record_file()),
        };
        match revoked {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                self.is_decided.store(false, Ordering::Release);
                Ok(())
            }
        }
    }

    /// All files have moved on.
    pub(super) fn finish(&self) {
        if self.refuse_after_fork().is_err() {
            return;
        }
        // That of a key is needed as long as the key is remembered.
        if self.record.is_none() {
            #[cfg(all(test, target_os = "linux"))]
            step(Step::Change);
            // A record without files says nothing; it goes with the folder.
            let _ = fs::remove_file(self.record_file());
        }
        self.is_decided.store(false, Ordering::Release);
    }

    pub(super) fn is_decided(&self) -> bool {
        self.is_decided.load(Ordering::Acquire)
    }

    fn staged(self: &Arc<Self>, name: &str) -> StagedFile {
        StagedFile {
            transaction: Arc::clone(self),
            name: name.into(),
            moved_on: false,
        }
    }

    fn name_of(&self, name: &str) -> String {
        match &self.record {
            Some((_, token)) => format!("{}.{}.{name}", self.number, token.as_text()),
            None => format!("{}.{name}", self.number),
        }
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.folder.path().join(self.name_of(name))
    }

    fn record_file(&self) -> PathBuf {
        self.folder.path().join(record_of(self.number))
    }
}

impl Drop for StagedTransaction {
    fn drop(&mut self) {
        // Files could not be taken back, or the thread that led them panicked.
        if self.is_decided() {
            self.folder.leave_for_roll_forward();
        }
    }
}

impl StagedFile {
    /// In the pickup directory.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Moves the file into the pickup directory; never overwrites.
    pub(super) fn move_on(&mut self, directory: &OpenDirectory) -> io::Result<()> {
        directory.move_in(&self.path(), &self.name)?;
        self.moved_on = true;
        Ok(())
    }

    /// Moves the file back from the pickup directory. Returns `false` if it was no longer there, or cannot be moved.
    pub(super) fn move_back(&mut self, directory: &OpenDirectory, id: FileId) -> bool {
        let is_back = directory.move_out(id, &self.name, &self.path());
        self.moved_on &= !is_back;
        is_back
    }

    /// Tries whether files can move from here into the pickup directory: it moves a file from here to here, and removes
    /// it.
    pub(super) fn try_move(mut self) -> io::Result<()> {
        let folder = &self.transaction.folder;
        let elsewhere = Arc::new(StagedTransaction::begin(Arc::clone(folder)));
        let tried = elsewhere.staged(&self.name);
        let opened = folder.open()?;
        opened.move_in(&self.path(), &elsewhere.name_of(&tried.name))?;
        self.moved_on = true;
        Ok(())
    }

    /// Whether it is in the private folder.
    pub(super) fn is_there(&self) -> bool {
        fs::symlink_metadata(self.path()).is_ok()
    }

    pub(super) fn path(&self) -> PathBuf {
        self.transaction.path_of(&self.name)
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let transaction = &self.transaction;
        if !self.moved_on
            && !transaction.is_decided()
            && transaction.folder.process() == process::id()
        {
            #[cfg(all(test, target_os = "linux"))]
            step(Step::Change);
            // What cannot be removed now goes with the folder.
            let _ = fs::remove_file(self.path());
        }
    }
}

/// The transactions whose records are in a folder.
pub(super) fn decided_in(folder: &Path) -> io::Result<BTreeSet<u64>> {
    let entries = fs::read_dir(folder)?;
    entries
        .filter_map(|entry| match entry {
            Ok(entry) => {
                let name = entry.file_name();
                Some(Ok(name.to_str()?.strip_prefix(RECORD)?.parse().ok()?))
            }
            Err(error) => Some(Err(error)),
        })
        .collect()
}

/// The transactions in a folder for submissions under keys that are decided according to the store.
pub(super) fn decided_by_store(folder: &Path, store: &KeyStore) -> io::Result<BTreeSet<u64>> {
    let mut decided = BTreeSet::new();
    let mut asked = None;
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some((number, token, _)) = name.to_str().and_then(parse_keyed_name) else {
            continue;
        };
        if asked.replace(number) != Some(number) && store.has_decided(token)? {
            decided.insert(number);
        }
    }
    Ok(decided)
}

/// Whether files of the attempt with this token are still in the folder.
#[cfg(feature = "idempotency")]
pub(super) fn has_files_of(folder: &Path, token: Token) -> io::Result<bool> {
    let entries: io::Result<Vec<_>> = fs::read_dir(folder)?.collect();
    Ok(entries?.iter().any(|entry| {
        let name = entry.file_name();
        let parsed = name.to_str().and_then(parse_keyed_name);
        parsed.is_some_and(|(_, of, _)| of == token)
    }))
}

/// Removes the record of a transaction that no longer has files in the folder.
pub(super) fn remove_record(folder: &Path, number: u64) -> io::Result<()> {
    #[cfg(all(test, target_os = "linux"))]
    step(Step::Change);
    fs::remove_file(folder.join(record_of(number)))
}

/// The transaction that this file belongs to, and its name in the pickup directory.
pub(super) fn parse_name(name: &str) -> Option<(u64, &str)> {
    let (number, name) = name.split_once('.')?;
    Some((number.parse().ok()?, name))
}

/// The same with the token of a key between them.
pub(super) fn parse_keyed_name(name: &str) -> Option<(u64, Token, &str)> {
    let (number, name) = parse_name(name)?;
    let (token, name) = name.split_once('.')?;
    Some((number, Token::parse(token)?, name))
}

fn record_of(number: u64) -> String {
    format!("{RECORD}{number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickup_directory::private_folder::PickupKey;
    use std::fs;

    fn begin(staging: &Path) -> Arc<StagedTransaction> {
        let key = PickupKey::of(staging).unwrap();
        let folder = PrivateFolder::create(staging, key, &Arc::default()).unwrap();
        Arc::new(StagedTransaction::begin(Arc::new(folder)))
    }

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().next().is_none()
    }

    #[test]
    fn a_file_is_removed_unless_it_moves_on_and_the_folder_with_the_last() {
        let parent = tempfile::tempdir().unwrap();
        let [shared, pickup] = ["staging", "pickup"].map(|name| parent.path().join(name));
        fs::create_dir(&shared).unwrap();
        fs::create_dir(&pickup).unwrap();
        let transaction = begin(&shared);
        let (_file, mut moving) = transaction.create_file("1.eml").unwrap();
        let (_file, staying) = transaction.create_file("2.eml").unwrap();
        drop(transaction);
        let path = staying.path();
        assert!(path.exists());
        drop(staying);
        assert!(!path.exists());
        let directory = OpenDirectory::open(&pickup).unwrap();
        moving.move_on(&directory).unwrap();
        drop(moving);
        assert!(pickup.join("1.eml").exists());
        assert!(is_empty(&shared));
    }

    #[test]
    fn a_file_that_moved_back_is_removed_with_its_transaction() {
        let parent = tempfile::tempdir().unwrap();
        let [shared, pickup] = ["staging", "pickup"].map(|name| parent.path().join(name));
        fs::create_dir(&shared).unwrap();
        fs::create_dir(&pickup).unwrap();
        let (file, mut staged) = begin(&shared).create_file("1.eml").unwrap();
        let id = FileId::of(&file).unwrap();
        let directory = OpenDirectory::open(&pickup).unwrap();
        assert!(!staged.move_back(&directory, id), "it never was there");
        staged.move_on(&directory).unwrap();
        assert!(!staged.is_there());
        // As where renaming cannot refuse to overwrite, and the first name could not be removed.
        fs::hard_link(pickup.join("1.eml"), staged.path()).unwrap();
        assert!(staged.move_back(&directory, id));
        assert!(staged.is_there() && is_empty(&pickup));
        drop(staged);
        assert!(is_empty(&shared));
    }

    #[test]
    fn names_tell_transactions_apart() {
        assert_eq!(parse_name("12.a.b"), Some((12, "a.b")));
        for name in ["lock", "decided-12", "12", "a.12.b", ".12"] {
            assert_eq!(parse_name(name), None, "{name}");
        }
        let folder = tempfile::tempdir().unwrap();
        for name in ["lock", "12.decided-4", "decided-3", "decided-", "decided-x"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(decided_in(folder.path()).unwrap(), BTreeSet::from([3]));
    }

    #[test]
    fn a_fork_leaves_the_folder_of_its_parent_alone() {
        let staging = tempfile::tempdir().unwrap();
        let key = PickupKey::of(staging.path()).unwrap();
        let mut folder = PrivateFolder::create(staging.path(), key, &Arc::default()).unwrap();
        folder.pretend_to_be_of_another_process();
        let transaction = Arc::new(StagedTransaction::begin(Arc::new(folder)));
        let staged = transaction.staged("1.eml");
        let (path, record) = (staged.path(), transaction.record_file());
        for path in [&path, &record] {
            fs::write(path, "").unwrap();
        }
        assert!(transaction.create_file("2.eml").is_err());
        let error = transaction.decide().unwrap_err();
        assert!(error.to_string().contains("before a fork"), "{error}");
        assert!(!transaction.is_decided());
        assert!(transaction.revoke().is_err());
        transaction.finish();
        drop((transaction, staged));
        assert!(path.exists() && record.exists());
    }
}
