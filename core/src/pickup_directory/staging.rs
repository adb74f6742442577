//! The staging folder: where files are written when the file system has no unnamed files, and where
//! large hand-overs park their files.
//!
//! A staged file has a name, so a process that dies leaves it behind. Each one, and each folder of
//! parked files, is locked (`flock`) while its process is alive; what can be locked by someone else
//! is left over from a dead process, and is removed when a pickup directory is opened.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Operation;
use super::private_folder::{self, PrivateFolder};
use super::{MODE, PickupError};

const PREFIX: &str = "pmtaemail-";
const SUFFIX: &str = ".staged";

/// The staging folder of one pickup directory.
#[derive(Debug)]
pub(super) struct Staging {
    pickup: PathBuf,
    asked_for: Option<PathBuf>,
}

/// The name of a file in the staging folder; the file is removed with it, unless it has moved on.
#[derive(Debug)]
pub(super) struct StagedName {
    path: PathBuf,
    moved_on: bool,
}

impl Staging {
    pub(super) fn new(pickup: &Path, asked_for: Option<&Path>) -> Self {
        Self {
            pickup: pickup.to_owned(),
            asked_for: asked_for.map(Path::to_owned),
        }
    }

    /// Creates and locks an empty file. The folder is made when it is missing.
    pub(super) fn create(&self) -> Result<(File, StagedName), PickupError> {
        let folder = self.folder()?;
        match create_locked(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.prepare()?;
                create_locked(&folder)
            }
            result => result,
        }
        .map_err(PickupError::from_io(Operation::CreateFile, &folder))
    }

    /// Creates a file that can be read too and that has lost its name already.
    pub(super) fn create_scratch(&self) -> Result<File, PickupError> {
        let (file, _name) = self.create()?;
        Ok(file)
    }

    /// Creates a folder for the files of one hand-over. What it lies in is checked each time, since
    /// with unnamed files nothing else was done there before.
    pub(super) fn create_private(&self) -> Result<PrivateFolder, PickupError> {
        let folder = self.make()?;
        PrivateFolder::create(&folder)
            .map_err(PickupError::from_io(Operation::PrepareStaging, &folder))
    }

    /// Makes the folder if it is missing, checks that files can move from it into the pickup
    /// directory, and removes what dead processes left in it.
    pub(super) fn prepare(&self) -> Result<(), PickupError> {
        remove_leftovers(&self.make()?);
        Ok(())
    }

    /// Removes what dead processes left in the folder, if there is one.
    pub(super) fn remove_leftovers(&self) {
        if let Ok(folder) = self.folder() {
            remove_leftovers(&folder);
        }
    }

    fn make(&self) -> Result<PathBuf, PickupError> {
        let folder = self.folder()?;
        check_place(&folder, &self.pickup)
            .and_then(|()| make_folder(&folder, &self.pickup))
            .map_err(PickupError::from_io(Operation::PrepareStaging, &folder))?;
        Ok(folder)
    }

    /// Beside the pickup directory itself, not beside a symbolic link to it, which may stand on
    /// another file system.
    fn folder(&self) -> Result<PathBuf, PickupError> {
        if let Some(folder) = &self.asked_for {
            return Ok(folder.clone());
        }
        let pickup = fs::canonicalize(&self.pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &self.pickup))?;
        let Some(name) = pickup.file_name() else {
            return Err(PickupError::from_io(Operation::PrepareStaging, &pickup)(
                io::ErrorKind::CrossesDevices.into(),
            ));
        };
        let mut name = name.to_owned();
        name.push(".staging");
        Ok(pickup.with_file_name(name))
    }
}

impl StagedName {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file is in the pickup directory now.
    pub(super) fn moved_on(&mut self) {
        self.moved_on = true;
    }
}

impl Drop for StagedName {
    fn drop(&mut self) {
        if !self.moved_on {
            // What cannot be removed now is a leftover for the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create_locked(folder: &Path) -> io::Result<(File, StagedName)> {
    loop {
        let path = folder.join(unique_name(SUFFIX));
        let file = match create_new(&path) {
            Ok(file) => file,
            // Left over from a dead process that had our number, or of another host: take the next
            // name.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let name = StagedName {
            path,
            moved_on: false,
        };
        if is_held_after_lock(&file, &name.path) {
            return Ok((file, name));
        }
    }
}

/// A name that nothing else of this process has.
pub(super) fn unique_name(suffix: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{PREFIX}{}-{}{suffix}",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// Locks a new file, and tells whether it is there still: someone who removes leftovers may have
/// been quicker.
pub(super) fn is_held_after_lock(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => path.exists(),
        Err(TryLockError::WouldBlock) => false,
        // Without locks (some network file systems) nobody can lock it to remove it either.
        Err(TryLockError::Error(_)) => true,
    }
}

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, MODE);
    options.open(path)
}

/// Removes the files and folders that nobody holds a lock on. What cannot be removed is in nobody's way, so
/// there are no errors.
fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
            continue;
        };
        // Nothing by any other name, not a pipe that would keep `open` waiting, not a link to
        // somewhere else.
        match entry.file_type() {
            Ok(kind) if kind.is_file() && name.ends_with(SUFFIX) => remove_if_left(&entry.path()),
            Ok(kind) if kind.is_dir() && name.ends_with(private_folder::SUFFIX) => {
                private_folder::remove_if_left(&entry.path());
            }
            _ => {}
        }
    }
}

fn remove_if_left(path: &Path) {
    if let Ok(file) = OpenOptions::new().write(true).open(path)
        && file.try_lock().is_ok()
    {
        let _ = fs::remove_file(path);
    }
}

/// Makes a folder that only its owner can enter.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn make_folder(folder: &Path, pickup: &Path) -> io::Result<()> {
    match make_private(folder) {
        Ok(()) => {
            inherit_group(folder, pickup);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// A pickup directory with the set-group-ID bit gives its own group to the files made in it, so
/// that PowerMTA can read them. They shall get the same group by way of the staging folder.
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

/// Asked before anything is made, since PowerMTA reads whatever stands in its directory.
fn check_place(folder: &Path, pickup: &Path) -> io::Result<()> {
    let place = match fs::canonicalize(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::canonicalize(folder.parent().unwrap_or(folder))?
        }
        result => result?,
    };
    if place.starts_with(fs::canonicalize(pickup)?) {
        let sentence = "the staging folder must lie outside of the pickup directory";
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
fn same_file_system(_place: &Path, _pickup: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_the_dead_are_removed_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        let folder = parent.path().join("pickup.staging");
        fs::create_dir(&pickup).unwrap();
        let staging = Staging::new(&pickup, None);
        let (_file, alive) = staging.create().unwrap();
        let dead = folder.join("pmtaemail-1-1.staged");
        let foreign = folder.join("notes.txt");
        fs::write(&dead, "half a mess").unwrap();
        fs::write(&foreign, "not ours").unwrap();
        staging.prepare().unwrap();
        assert!(alive.path().exists() && foreign.exists() && !dead.exists());
    }

    #[test]
    fn a_staged_file_that_does_not_move_on_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let pickup = parent.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let (_file, name) = Staging::new(&pickup, None).create().unwrap();
        let path = name.path().to_owned();
        assert!(path.exists());
        drop(name);
        assert!(!path.exists());
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
            let (_file, name) = Staging::new(&pickup, None).create().unwrap();
            let folder = fs::metadata(name.path().parent().unwrap()).unwrap();
            assert_eq!(folder.mode() & 0o7777, expected);
        }
    }

    #[test]
    fn the_folder_is_never_inside_of_the_pickup_directory() {
        let pickup = tempfile::tempdir().unwrap();
        let inside = pickup.path().join("staging");
        let error = Staging::new(pickup.path(), Some(&inside))
            .create()
            .unwrap_err();
        assert!(error.to_string().contains("must lie outside"), "{error}");
    }
}
