//! The system calls of Linux: unnamed files, publishing without overwriting, sync of a whole file
//! system.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{Access, AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::{Errno, retry_on_intr};

use super::MODE;
#[cfg(test)]
use super::tests::crash::{Step, step, synced};
use crate::hard_links;

/// Whether the kernel can name a file by its descriptor alone, as far as is known: that saves a lookup in /proc.
static BY_DESCRIPTOR: AtomicBool = AtomicBool::new(true);

/// Creates a file without a name on the file system of `directory`, which vanishes with its last descriptor.
///
/// The directory is looked up each time, so that one that was moved away and recreated is found. `None` if the file
/// system (NFS, FUSE, some overlays) has no such files.
pub(super) fn create_unnamed(directory: &Path) -> io::Result<Option<File>> {
    open_unnamed(directory, OFlags::WRONLY, MODE)
}

/// The same for a file that is read back and never gets a name.
pub(super) fn create_scratch(directory: &Path) -> io::Result<Option<File>> {
    open_unnamed(directory, OFlags::RDWR | OFlags::EXCL, 0o600)
}

fn open_unnamed(directory: &Path, access: OFlags, mode: u32) -> io::Result<Option<File>> {
    let flags = OFlags::TMPFILE | OFlags::CLOEXEC | access;
    match retry_on_intr(|| rustix::fs::open(directory, flags, Mode::from_raw_mode(mode))) {
        Ok(file) => Ok(Some(File::from(file))),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Syncs the whole file system that `file` is on.
///
/// Linux reports every write-back error since `file` was opened, once for each open file.
pub(super) fn sync_file_system(file: &File) -> io::Result<()> {
    Ok(retry_on_intr(|| rustix::fs::syncfs(file))?)
}

/// Whether `syncfs` reports write-back errors: it does since Linux 5.8. A release string without two numbers is not
/// trusted.
pub(super) fn syncfs_reports_errors() -> bool {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(8))
}

/// The device number of the file system that `file` is on.
pub(super) fn device(file: &File) -> io::Result<u64> {
    Ok(FileId::of(file)?.device)
}

/// Identifies a file among all that exist at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(rustix::fs::fstat(file)?.into())
    }
}

impl From<rustix::fs::Stat> for FileId {
    fn from(stat: rustix::fs::Stat) -> Self {
        Self {
            device: stat.st_dev,
            inode: stat.st_ino,
        }
    }
}

/// The pickup directory, opened for one group of files: they are published in exactly the directory that is synced
/// afterwards, wherever its path may lead by then.
pub(super) struct OpenDirectory {
    directory: File,
}

impl OpenDirectory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = retry_on_intr(|| rustix::fs::open(path, flags, Mode::empty()))?;
        Ok(Self {
            directory: File::from(directory),
        })
    }

    /// Gives an unnamed file its name; never overwrites.
    pub(super) fn link_unnamed(&self, file: &File, name: &str) -> io::Result<()> {
        use std::os::fd::AsRawFd;
        #[cfg(test)]
        step(Step::Change);
        if BY_DESCRIPTOR.load(Ordering::Relaxed) {
            match rustix::fs::linkat(file, "", &self.directory, name, AtFlags::EMPTY_PATH) {
                // The answer of kernels before 6.10 to a process without the capability
                // CAP_DAC_READ_SEARCH; or the directory was removed.
                Err(Errno::NOENT) => {}
                result => return Ok(result?),
            }
        }
        let by_proc = format!("/proc/self/fd/{}", file.as_raw_fd());
        match rustix::fs::linkat(CWD, by_proc, &self.directory, name, AtFlags::SYMLINK_FOLLOW) {
            Err(Errno::NOENT) if !Path::new("/proc/self/fd").exists() => Err(io::Error::other(
                "/proc is not mounted, and files cannot be named without it",
            )),
            Ok(()) => {
                BY_DESCRIPTOR.store(false, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Tries whether an unnamed file could get a name here, by asking for one that is impossible.
    pub(super) fn try_link_unnamed(&self, file: &File) -> io::Result<()> {
        match self.link_unnamed(file, ".") {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    }

    /// Whether the file system is known to have hard links.
    pub(super) fn has_hard_links(&self) -> bool {
        suits_syncfs(&self.directory) || file_system_type(&self.directory) == Some(TMPFS)
    }

    /// Whether files may be created and removed here.
    pub(super) fn try_write(&self) -> io::Result<()> {
        let needed = Access::WRITE_OK | Access::EXEC_OK;
        Ok(rustix::fs::accessat(
            &self.directory,
            ".",
            needed,
            AtFlags::EACCESS,
        )?)
    }

    /// Moves a file in from the staging folder; never overwrites.
    ///
    /// One step if renaming can refuse to overwrite. If it cannot (NFS) there are two, and a process that is killed
    /// between them leaves the file in both places.
    pub(super) fn move_in(&self, staged: &Path, name: &str) -> io::Result<()> {
        #[cfg(test)]
        step(Step::Change);
        match rustix::fs::renameat_with(CWD, staged, &self.directory, name, RenameFlags::NOREPLACE)
        {
            // Old kernels and network file systems know no renaming without overwriting, but know
            // hard links.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                match rustix::fs::linkat(CWD, staged, &self.directory, name, AtFlags::empty()) {
                    Err(error) if hard_links::are_missing(&error.into()) => {
                        let sentence = "it can neither rename a file without overwriting another nor make hard links";
                        return Err(io::Error::new(io::ErrorKind::Unsupported, sentence));
                    }
                    linked => linked?,
                }
                // Should this fail, the second name goes with its folder.
                let _ = rustix::fs::unlink(staged);
                Ok(())
            }
            result => Ok(result?),
        }
    }

    /// Removes a published file again, if it is still there and still the same file. Returns whether it did.
    pub(super) fn take_back(&self, file: FileId, name: &str) -> bool {
        #[cfg(test)]
        step(Step::Change);
        self.holds(file, name)
            && rustix::fs::unlinkat(&self.directory, name, AtFlags::empty()).is_ok()
    }

    /// Moves a published file back into the staging folder, if it is still there and still the same file. Returns
    /// whether it did.
    pub(super) fn move_out(&self, file: FileId, name: &str, staged: &Path) -> bool {
        #[cfg(test)]
        step(Step::Change);
        self.holds(file, name)
            && rustix::fs::renameat(&self.directory, name, CWD, staged).is_ok()
            // Renaming does nothing where both are names of the same file already.
            && (!self.holds(file, name) || self.take_back(file, name))
    }

    /// Whether this very file has that name here.
    pub(super) fn holds(&self, file: FileId, name: &str) -> bool {
        let found = rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW);
        found.is_ok_and(|found| FileId::from(found) == file)
    }

    /// Whether a name is known to be taken.
    pub(super) fn has(&self, name: &str) -> bool {
        rustix::fs::statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Makes the names durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        step(Step::Change);
        self.directory.sync_all()?;
        #[cfg(test)]
        synced(&self.directory);
        Ok(())
    }

    pub(super) fn suits_syncfs(&self) -> bool {
        suits_syncfs(&self.directory)
    }
}

/// Whether `syncfs` can be trusted where `file` is. FUSE does not pass it on to the underlying file system, and
/// overlays do not pass on that file system's errors; so it is used only where both are known to work.
pub(super) fn suits_syncfs(file: &File) -> bool {
    const EXT4: u32 = 0xef53;
    const XFS: u32 = 0x5846_5342;
    const BTRFS: u32 = 0x9123_683e;
    file_system_type(file).is_some_and(|found| [EXT4, XFS, BTRFS].contains(&found))
}

const TMPFS: u32 = 0x0102_1994;

/// The type of the file system that `file` is on, as a number of linux/magic.h.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the numbers have 32 bits on every machine"
)]
fn file_system_type(file: &File) -> Option<u32> {
    let file_system = rustix::fs::fstatfs(file).ok()?;
    Some(file_system.f_type as u32)
}
