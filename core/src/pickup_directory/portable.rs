//! The same as `linux.rs` with the standard library alone: every file goes by way of the staging
//! folder.

#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "the calls have the form of those in `linux.rs`"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Unnamed files are Linux's own.
pub(super) fn create_unnamed(_directory: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

pub(super) fn create_scratch(_directory: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Never called, since no directory [suits](OpenDirectory::suits_syncfs) it.
pub(super) fn sync_file_system(_file: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn syncfs_reports_errors() -> bool {
    false
}

pub(super) fn suits_syncfs(_file: &File) -> bool {
    false
}

/// Unknown here, and asked for before `sync_file_system` only.
pub(super) fn device(_file: &File) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Tells a file from every other that exists at the same time, if the system can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    /// The device and the inode; where they are unknown, names alone tell files apart.
    known: Option<(u64, u64)>,
}

impl FileId {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::from(&file.metadata()?))
    }
}

impl From<&fs::Metadata> for FileId {
    #[cfg(unix)]
    fn from(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            known: Some((metadata.dev(), metadata.ino())),
        }
    }

    #[cfg(not(unix))]
    fn from(_metadata: &fs::Metadata) -> Self {
        Self { known: None }
    }
}

pub(super) struct OpenDirectory {
    path: PathBuf,
    directory: File,
}

impl OpenDirectory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            path: path.to_owned(),
            directory: open_to_sync(path)?,
        })
    }

    pub(super) fn link_unnamed(&self, _file: &File, _name: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Never called: there is no file to call it with.
    pub(super) fn try_link_unnamed(&self, _file: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Asked for unnamed files alone.
    pub(super) fn has_hard_links(&self) -> bool {
        true
    }

    /// The standard library cannot ask; the first file tells.
    pub(super) fn try_write(&self) -> io::Result<()> {
        Ok(())
    }

    /// A second link and not a renaming, which would overwrite. A process that is killed before the
    /// first is removed leaves the file in both places.
    pub(super) fn move_in(&self, staged: &Path, name: &str) -> io::Result<()> {
        fs::hard_link(staged, self.path.join(name))?;
        // Should this fail, the second name goes with its folder.
        let _ = fs::remove_file(staged);
        Ok(())
    }

    pub(super) fn take_back(&self, file: FileId, name: &str) -> bool {
        self.may_hold(file, name) && fs::remove_file(self.path.join(name)).is_ok()
    }

    pub(super) fn move_out(&self, file: FileId, name: &str, staged: &Path) -> bool {
        // Renaming does nothing where both are names of the same file already.
        if staged.exists() {
            return self.take_back(file, name);
        }
        self.may_hold(file, name) && fs::rename(self.path.join(name), staged).is_ok()
    }

    /// Whether that very file is known to be here under the name: never where files cannot be told apart.
    pub(super) fn holds(&self, file: FileId, name: &str) -> bool {
        let found = fs::symlink_metadata(self.path.join(name));
        file.known.is_some() && found.is_ok_and(|found| FileId::from(&found) == file)
    }

    /// Whether what is here under the name, which this process has just given, may be that very file.
    fn may_hold(&self, file: FileId, name: &str) -> bool {
        file.known.is_none() || self.holds(file, name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.path.join(name)).is_ok()
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.directory.sync_all()
    }

    pub(super) fn suits_syncfs(&self) -> bool {
        false
    }
}

#[cfg(not(windows))]
fn open_to_sync(directory: &Path) -> io::Result<File> {
    File::open(directory)
}

#[cfg(windows)]
fn open_to_sync(directory: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    // Directories are opened with this flag alone, and synced (`FlushFileBuffers`) with the right to write.
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    fs::OpenOptions::new()
        .write(true)
        .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
        .open(directory)
}
