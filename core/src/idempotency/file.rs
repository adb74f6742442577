//! The file of a store: creating, opening and syncing it.

use super::failed::Failed;
use redb::backends::FileBackend;
use redb::{BackendError, Database, StorageBackend};
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};

/// The name of the file in the state folder.
pub(super) const FILE: &str = "keys.redb";

/// How much of its file the store keeps in memory.
const CACHE: usize = 8 << 20;

/// Opens the database in a file, or creates it if the file is empty.
pub(super) fn open_database(file: File, durable: bool) -> Result<Database, Failed> {
    let backend = Backend {
        file: FileBackend::new(file)?,
        durable,
    };
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    // What a plain open trusts may make it panic later.
    builder.set_check_integrity_on_open(true);
    Ok(builder.create_with_backend(backend)?)
}

/// The file that was opened at a path: whatever is written to one that has been removed or replaced since would be lost
/// at the next start.
#[derive(Debug)]
pub(super) struct FilePlace {
    #[cfg(unix)]
    path: PathBuf,
    /// Device and inode.
    #[cfg(unix)]
    file: (u64, u64),
}

#[cfg(unix)]
impl FilePlace {
    pub fn of(file: &File, path: PathBuf) -> io::Result<Self> {
        let file = identity(&file.metadata()?);
        Ok(Self { path, file })
    }

    /// Returns an error unless the path still leads to this file.
    pub fn check(&self) -> io::Result<()> {
        if identity(&fs::metadata(&self.path)?) == self.file {
            return Ok(());
        }
        let sentence = "its file was replaced while it was open";
        Err(io::Error::new(io::ErrorKind::NotFound, sentence))
    }
}

#[cfg(unix)]
fn identity(metadata: &fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

/// The system removes no file that is open.
#[cfg(not(unix))]
impl FilePlace {
    #[allow(clippy::unnecessary_wraps, reason = "fails elsewhere")]
    pub fn of(_file: &File, _path: PathBuf) -> io::Result<Self> {
        Ok(Self {})
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "fails elsewhere"
    )]
    pub fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Creates a folder that only its owner can enter.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        made => made,
    }
}

/// Renames a file without overwriting another. It may keep the old name as well.
pub(super) fn rename_without_overwriting(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        #[cfg(target_os = "linux")]
        Err(error) if crate::hard_links::are_missing(&error) => {
            use rustix::fs::{CWD, RenameFlags};
            Ok(rustix::fs::renameat_with(
                CWD,
                from,
                CWD,
                to,
                RenameFlags::NOREPLACE,
            )?)
        }
        linked => linked,
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Its file's own sync takes the name along, or nothing does.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix, where it can fail")]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The file, which is not synced if nothing has to be durable.
#[derive(Debug)]
struct Backend {
    file: FileBackend,
    durable: bool,
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.durable {
            self.file.sync_data()?;
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
