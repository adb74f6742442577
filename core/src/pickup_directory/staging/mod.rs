//! Where files are until they are in the pickup directory: on its file system without a name, or in the staging folder.

mod probe;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::idempotency::KeyStore;
#[cfg(feature = "idempotency")]
use crate::idempotency::Token;

use super::error::{Operation, PickupError};
use super::file_access::FileAccess;
use super::leftovers::RollForward;
use super::observer::{Observer, RollForwardReport};
use super::options::PickupOptions;
use super::per_process::PerProcess;
#[cfg(feature = "idempotency")]
use super::private_folder::is_keyed_folder;
use super::private_folder::{PickupKey, PrivateFolder, make_private};
#[cfg(feature = "idempotency")]
use super::staged_transaction::has_files_of;
use super::staged_transaction::{StagedFile, StagedTransaction};
use super::system;

/// Creates files that no reader of the pickup directory sees.
#[derive(Debug)]
pub(super) struct Staging {
    pickup: PathBuf,
    /// The staging folder, if it is not the default one next to the pickup directory.
    asked_for: Option<PathBuf>,
    /// Whether unnamed files can be used, as far as is known.
    unnamed_files: AtomicBool,
    /// Whether it was tried that unnamed files can get a name.
    linking_was_tried: AtomicBool,
    access: FileAccess,
    durable: bool,
    /// Whether a whole file system may be synced at once.
    syncfs_allowed: bool,
    observer: Option<Arc<dyn Observer>>,
    /// The folder of this process, while any transaction has files in it.
    private_folder: PerProcess<Mutex<Weak<PrivateFolder>>>,
    /// The folder of this process for submissions under keys. It stays when no transaction has files in it, because its
    /// name has to be durable before the first one.
    keyed_folder: PerProcess<Mutex<Option<Arc<PrivateFolder>>>>,
    keys: Option<Arc<KeyStore>>,
    /// Whether folders could not be removed or rolled forward. That is retried until it succeeds.
    has_leftovers: Arc<AtomicBool>,
}

impl Staging {
    /// The paths are absolute.
    pub(super) fn new(pickup: &Path, options: &PickupOptions) -> Self {
        Self {
            pickup: pickup.to_owned(),
            asked_for: options.staging.clone(),
            unnamed_files: AtomicBool::new(options.unnamed_files),
            linking_was_tried: AtomicBool::new(false),
            durable: options.is_durable(),
            syncfs_allowed: options.allows_syncfs(),
            observer: options.observer.clone(),
            access: FileAccess::default(),
            private_folder: PerProcess::default(),
            keyed_folder: PerProcess::default(),
            keys: None,
            has_leftovers: Arc::default(),
        }
    }

    /// With a mode and a group for each file.
    pub(super) fn with_access(mut self, access: FileAccess) -> Self {
        self.access = access;
        self
    }

    /// With a store for the keys of submissions.
    #[cfg(feature = "idempotency")]
    pub(super) fn with_keys(mut self, keys: Option<Arc<KeyStore>>) -> Self {
        self.keys = keys;
        self
    }

    #[cfg(feature = "idempotency")]
    pub(super) fn keys(&self) -> Option<&Arc<KeyStore>> {
        self.keys.as_ref()
    }

    /// Gives a new file its mode and group.
    pub(super) fn set_access(&self, file: &File) -> Result<(), PickupError> {
        let set = self.access.give(file);
        set.map_err(PickupError::from_io(Operation::SetAccess, &self.pickup))
    }

    pub(super) fn pickup(&self) -> &Path {
        &self.pickup
    }

    pub(super) fn syncfs_allowed(&self) -> bool {
        self.syncfs_allowed
    }

    /// Creates a file without a name, if the file system of the pickup directory supports that.
    pub(super) fn create_unnamed(&self) -> Result<Option<File>, PickupError> {
        if self.has_leftovers() {
            self.clear_leftovers();
        }
        if !self.uses_unnamed_files() {
            return Ok(None);
        }
        system::create_unnamed(&self.pickup)
            .map_err(PickupError::from_io(Operation::CreateFile, &self.pickup))
    }

    /// Creates a file for reading and writing that never gets a name, or has already lost it.
    pub(super) fn create_scratch(&self) -> Result<File, PickupError> {
        if self.uses_unnamed_files()
            && let Some(file) = system::create_scratch(&self.pickup)
                .map_err(PickupError::from_io(Operation::CreateFile, &self.pickup))?
        {
            return Ok(file);
        }
        let (file, _staged) = self.create_staged()?;
        Ok(file)
    }

    /// Creates a file in the folder of this process that is never published.
    fn create_staged(&self) -> Result<(File, StagedFile), PickupError> {
        let transaction = Arc::new(StagedTransaction::begin(self.private_folder()?));
        transaction
            .create_file("scratch")
            .map_err(PickupError::from_io(
                Operation::CreateFile,
                transaction.folder().staging(),
            ))
    }

    fn uses_unnamed_files(&self) -> bool {
        self.unnamed_files.load(Ordering::Relaxed)
    }

    /// The folder of this process, created if there is none; the folder that it is in is then checked each time, since
    /// with unnamed files nothing else was done there before.
    pub(super) fn private_folder(&self) -> Result<Arc<PrivateFolder>, PickupError> {
        let staging = self.folder()?;
        let private_folder = self.private_folder.get();
        let private_folder = private_folder.map_err(PickupError::after_forks(
            Operation::PrepareStaging,
            &staging,
        ))?;
        // Whole at every instant, so a panic elsewhere while it was locked does not matter.
        let mut current = private_folder
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = current.upgrade()
            && folder.staging() == staging
            && folder.is_usable()
        {
            return Ok(folder);
        }
        let key = PickupKey::of(&self.pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &self.pickup))?;
        let folder = self.make(&staging).and_then(|()| {
            PrivateFolder::create(&staging, key, &self.has_leftovers)
                .map_err(PickupError::from_io(Operation::PrepareStaging, &staging))
        })?;
        let folder = Arc::new(folder);
        *current = Arc::downgrade(&folder);
        Ok(folder)
    }

    /// The folder of this process for submissions under the keys of the store with this number.
    pub(super) fn keyed_folder(&self, store: u64) -> Result<Arc<PrivateFolder>, PickupError> {
        let pickup = self.canonical_pickup()?;
        let key = PickupKey::of_canonical(&pickup);
        let staging = self.folder_beside(&pickup)?;
        let keyed_folder = self.keyed_folder.get();
        let keyed_folder = keyed_folder.map_err(PickupError::after_forks(
            Operation::PrepareStaging,
            &staging,
        ))?;
        let mut current = keyed_folder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = &*current
            && folder.staging() == staging
            && folder.is_usable()
            && (folder.path().file_name().and_then(OsStr::to_str))
                .is_some_and(|name| key.is_in_keyed(name, store))
        {
            return Ok(Arc::clone(folder));
        }
        let folder = self.make(&staging).and_then(|()| {
            PrivateFolder::create_keyed(&staging, key, store, &self.has_leftovers)
                .map_err(PickupError::from_io(Operation::PrepareStaging, &staging))
        })?;
        let folder = Arc::new(folder);
        *current = Some(Arc::clone(&folder));
        Ok(folder)
    }

    /// Lets go of a folder that must be rolled forward.
    fn leave_keyed_folder(&self) {
        if let Ok(keyed_folder) = self.keyed_folder.get() {
            let mut current = keyed_folder.lock().unwrap_or_else(PoisonError::into_inner);
            let left = current.take_if(|folder| !folder.is_usable());
            drop(current);
            drop(left);
        }
    }

    /// Whether the next new file first has to wait until unfinished work is rolled forward.
    pub(super) fn has_leftovers(&self) -> bool {
        self.has_leftovers.load(Ordering::Relaxed)
    }

    /// Rolls forward what could not be finished before. Returns whether files of the attempt with this token are still
    /// in the staging folder.
    #[cfg(feature = "idempotency")]
    pub(super) fn waits(&self, token: Token) -> Result<bool, PickupError> {
        if !self.has_leftovers() {
            return Ok(false);
        }
        self.clear_leftovers();
        let staging = self.folder()?;
        let failed = || PickupError::from_io(Operation::RollForward, &staging);
        let entries = match fs::read_dir(&staging) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            entries => entries.map_err(failed())?,
        };
        for entry in entries {
            let entry = entry.map_err(failed())?;
            if entry.file_name().to_str().is_some_and(is_keyed_folder)
                && has_files_of(&entry.path(), token).map_err(failed())?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Rolls forward what dead processes had decided, and removes everything else that was left in the staging folder,
    /// if it exists. If it is not needed, its path may be wrong.
    pub(super) fn clear_leftovers(&self) {
        // Set again by what cannot be removed meanwhile.
        self.has_leftovers.store(false, Ordering::Relaxed);
        self.leave_keyed_folder();
        let Ok(folder) = self.folder() else { return };
        let roll_forward = RollForward {
            pickup: &self.pickup,
            durable: self.durable,
            keys: self.keys.as_deref(),
        };
        let mut report = RollForwardReport::default();
        if !roll_forward.clear(&folder, &mut report) {
            self.has_leftovers.store(true, Ordering::Relaxed);
        }
        if let Some(observer) = &self.observer
            && (report.files > 0 || !report.errors.is_empty())
        {
            observer.rolled_forward(&report);
        }
    }

    fn make(&self, folder: &Path) -> Result<(), PickupError> {
        check_place(folder, &self.pickup)
            .and_then(|()| make_folder(folder, &self.pickup))
            .map_err(PickupError::from_io(Operation::PrepareStaging, folder))
    }

    /// The path of the staging folder: next to the pickup directory itself, not next to a symbolic link to it, which
    /// may be on another file system.
    pub(super) fn folder(&self) -> Result<PathBuf, PickupError> {
        if let Some(folder) = &self.asked_for {
            return Ok(folder.clone());
        }
        self.folder_beside(&self.canonical_pickup()?)
    }

    fn canonical_pickup(&self) -> Result<PathBuf, PickupError> {
        fs::canonicalize(&self.pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &self.pickup))
    }

    /// The same where the pickup directory's canonical path is known.
    fn folder_beside(&self, pickup: &Path) -> Result<PathBuf, PickupError> {
        if let Some(folder) = &self.asked_for {
            return Ok(folder.clone());
        }
        let Some(name) = pickup.file_name() else {
            return Err(PickupError::from_io(Operation::PrepareStaging, pickup)(
                io::ErrorKind::CrossesDevices.into(),
            ));
        };
        let mut name = name.to_owned();
        name.push(".staging");
        Ok(pickup.with_file_name(name))
    }
}

fn make_folder(folder: &Path, pickup: &Path) -> io::Result<()> {
    match make_private(folder) {
        Ok(()) => {
            inherit_group(folder, pickup);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if folder.is_dir() {
                return Ok(());
            }
            // A file, or a link to nothing.
            Err(io::ErrorKind::NotADirectory.into())
        }
        Err(error) => Err(error),
    }
}

/// A pickup directory with the set-group-ID bit gives its group to the files created in it, so that PowerMTA can read
/// them. Files from the staging folder should get the same group. A process that may not give files that group can
/// still submit files, with its own group.
#[cfg(unix)]
fn inherit_group(folder: &Path, pickup: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    if let Ok(metadata) = fs::metadata(pickup)
        && metadata.mode() & 0o2000 != 0
        && std::os::unix::fs::chown(folder, None, Some(metadata.gid())).is_ok()
    {
        let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o2700));
    }
}

#[cfg(not(unix))]
fn inherit_group(_folder: &Path, _pickup: &Path) {}

/// Called before anything is created, since PowerMTA reads everything in its directory.
fn check_place(folder: &Path, pickup: &Path) -> io::Result<()> {
    let place = match (fs::canonicalize(folder), folder.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            fs::canonicalize(parent)?
        }
        (result, _) => result?,
    };
    if place.starts_with(fs::canonicalize(pickup)?) {
        let sentence = "the staging folder must be outside of the pickup directory";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
    }
    if same_file_system(&place, pickup)? {
        Ok(())
    } else {
        Err(io::ErrorKind::CrossesDevices.into())
    }
}

#[cfg(unix)]
fn same_file_system(place: &Path, pickup: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(place)?.dev() == fs::metadata(pickup)?.dev())
}

/// Cannot be seen beforehand; the first file that cannot be moved says so.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix, where it can fail")]
fn same_file_system(_place: &Path, _pickup: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pickup_directory::error::PickupErrorKind;

    fn staging(pickup: &Path) -> Staging {
        let options = PickupOptions::default().without_unnamed_files();
        Staging::new(pickup, &options)
    }

    #[test]
    fn transactions_of_a_process_share_its_folder() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let staging = staging(&pickup);
        let first = staging.private_folder().unwrap();
        assert!(Arc::ptr_eq(&first, &staging.private_folder().unwrap()));
        let folder = first.staging().to_owned();
        let count = || fs::read_dir(&folder).unwrap().count();
        assert_eq!(count(), 1);
        drop(first);
        assert_eq!(count(), 0);
        let again = staging.private_folder().unwrap();
        assert_eq!(count(), 1);
        // A folder that somebody removed is not used again.
        fs::remove_dir_all(&folder).unwrap();
        let next = staging.private_folder().unwrap();
        assert!(!Arc::ptr_eq(&again, &next));
        assert_eq!(count(), 1);
    }

    #[test]
    fn leftovers_are_removed_with_the_next_file() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let staging = staging(&pickup);
        let folder = staging.private_folder().unwrap().staging().to_owned();
        let held = staging.private_folder().unwrap();
        let own = fs::read_dir(&folder).unwrap().next().unwrap().unwrap();
        let stuck = own.path().join("stuck");
        fs::create_dir(&stuck).unwrap();
        drop(held);
        staging.create_unnamed().unwrap();
        assert!(stuck.exists());
        fs::remove_dir(&stuck).unwrap();
        staging.create_unnamed().unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn the_folder_is_private_and_takes_over_the_group() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let parent = tempfile::tempdir().unwrap();
        for (mode, expected) in [(0o770, 0o700), (0o2770, 0o2700)] {
            let pickup = parent.path().join(format!("{mode:o}"));
            fs::create_dir(&pickup).unwrap();
            fs::set_permissions(&pickup, fs::Permissions::from_mode(mode)).unwrap();
            let private = staging(&pickup).private_folder().unwrap();
            let folder = fs::metadata(private.staging()).unwrap();
            assert_eq!(folder.mode() & 0o7777, expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_a_folder_is_reported_as_that() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let path = parent.path().join("pickup.staging");
        for make in [
            (|path| fs::write(path, "a file").unwrap()) as fn(&Path),
            |path| std::os::unix::fs::symlink("nothing", path).unwrap(),
        ] {
            make(&path);
            let error = staging(&pickup).private_folder().unwrap_err();
            assert_eq!(error.kind(), PickupErrorKind::NotADirectory);
            assert!(error.to_string().contains("to another folder"), "{error}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn the_folder_is_never_inside_of_the_pickup_directory() {
        let pickup = tempfile::tempdir().unwrap();
        let inside = pickup.path().join("staging");
        let options = PickupOptions::default().with_staging(inside);
        let error = Staging::new(pickup.path(), &options)
            .private_folder()
            .unwrap_err();
        assert!(error.to_string().contains("must be outside"), "{error}");
    }
}
