//! The durable hand-over of files into PowerMTA's pickup directory.
//!
//! - A reader of the directory sees whole files only: a file is written without a name
//!   (`O_TMPFILE`), or in a staging folder where the file system has no unnamed files, and gets its
//!   name in the directory when it is complete. No file is ever overwritten.
//! - When [`HandOver::commit`] returns, the data of the files and their names in the directory are
//!   synced. This needs a file system that survives power cuts itself: ext4 with its journal, xfs,
//!   btrfs.
//! - A process that dies leaves nothing but whole files in the directory. Unnamed files vanish with
//!   it; what it left in a staging folder is removed when a pickup directory is opened the next
//!   time.
//! - A hand-over may have more files than a process may open: beyond 64 they wait in a folder of
//!   their own in the staging folder, which is needed then even where there are unnamed files.
//!
//! Files are made with mode 0660 less the umask: 0640 under the usual umask of 022. So mail is
//! never readable to everybody; PowerMTA reads it as root or by its group. For the latter let the
//! directory belong to the group `pmta` with the set-group-ID bit (`chgrp pmta DIR; chmod 2770
//! DIR`), whence files inherit the group; a umask of 007 lets the group write them too.

mod error;
mod files;
mod group;
mod options;
mod parked;
#[cfg(any(test, not(target_os = "linux")))]
#[cfg_attr(
    target_os = "linux",
    allow(dead_code, reason = "compiled for its tests alone")
)]
mod portable;
mod private_folder;
mod staging;
mod written_file;

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
use portable as system;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{self, Component, Path, PathBuf};

pub use error::{PickupError, PickupErrorKind};
pub use options::{Durability, PickupOptions};

use error::Operation;
use files::Files;
use group::CommitGroups;
use staging::Staging;
use system::OpenDirectory;
use written_file::{WrittenFile, create_unnamed};

/// Owner and group may read and write, less the umask. PowerMTA locks a file before it reads it,
/// which may need the right to write.
const MODE: u32 = 0o660;

/// PowerMTA's pickup directory.
///
/// Open it once and share it: threads that hand over at the same time share their syncs. Several
/// processes may hand over to the same directory.
///
/// The path is looked up for each file, so a directory that is moved, made again or mounted over is
/// used without opening it again.
///
/// ```
/// # use pmtaemail::{PickupDirectory, PickupOptions};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default())?;
/// let mut hand_over = directory.begin();
/// hand_over.write("1.eml", &[b"x-sender: a@example.com\nx-receiver: b@example.org\n", b"Subject: Hello\n\nHello!\n"])?;
/// hand_over.commit()?;
/// assert!(path.join("1.eml").exists());
/// # Ok::<(), pmtaemail::PickupError>(())
/// ```
#[derive(Debug)]
pub struct PickupDirectory {
    path: PathBuf,
    options: PickupOptions,
    staging: Staging,
    groups: CommitGroups,
}

/// Files that become visible and durable together. Dropped without [`commit`](Self::commit),
/// nothing of them remains.
///
/// There may be very many files: at most 64 of them are open at a time. Those before them are
/// parked in the staging folder, durable already, until all become visible together.
#[derive(Debug)]
#[must_use = "nothing is handed over without `commit`"]
pub struct HandOver<'a> {
    directory: &'a PickupDirectory,
    files: Files,
}

impl PickupDirectory {
    /// Opens the directory, which must exist, and tries whether files can be made for it. Removes
    /// what dead processes left in the staging folder.
    ///
    /// # Errors
    /// The directory is missing or none, or this process may not read and write it, or the staging
    /// folder cannot be made or lies on another file system. A full disk is no error yet.
    pub fn open(path: impl Into<PathBuf>, options: PickupOptions) -> Result<Self, PickupError> {
        let path = absolute(&path.into())?;
        OpenDirectory::open(&path)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &path))?;
        let asked_for = options.staging().map(absolute).transpose()?;
        let staging = Staging::new(&path, asked_for.as_deref());
        let unnamed = if options.unnamed_files() {
            create_unnamed(&path)
        } else {
            Ok(None)
        };
        match unnamed {
            Ok(Some(_)) => staging.remove_leftovers(),
            Ok(None) => staging.prepare()?,
            // Room may be made at any time, and each hand-over tells whether there is some.
            Err(error)
                if matches!(error.kind(), PickupErrorKind::Full | PickupErrorKind::Quota) => {}
            Err(error) => return Err(error),
        }
        let groups = CommitGroups::new(&options);
        Ok(Self {
            path,
            options,
            staging,
            groups,
        })
    }

    /// The absolute path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a hand-over of one or more files.
    pub fn begin(&self) -> HandOver<'_> {
        HandOver {
            directory: self,
            files: Files::default(),
        }
    }

    /// An empty file, open for reading and writing, on the file system of the directory. No reader
    /// of the directory ever sees it, and it vanishes when it is dropped.
    ///
    /// # Errors
    /// Those of [`HandOver::write`], for a file.
    pub(crate) fn scratch_file(&self) -> Result<File, PickupError> {
        let unnamed = if self.options.unnamed_files() {
            system::create_scratch(&self.path)
                .map_err(PickupError::from_io(Operation::CreateFile, &self.path))?
        } else {
            None
        };
        unnamed.map_or_else(|| self.staging.create_scratch(), Ok)
    }

    /// Commits several hand-overs to this directory, which share their syncs. Each succeeds or
    /// fails by itself, with the errors of [`HandOver::commit`]: one result for each, in order.
    pub(crate) fn commit_all(&self, hand_overs: Vec<HandOver<'_>>) -> Vec<Result<(), PickupError>> {
        self.commit(hand_overs.into_iter().map(|each| each.files).collect())
    }

    fn commit(&self, mut hand_overs: Vec<Files>) -> Vec<Result<(), PickupError>> {
        if hand_overs.iter().all(Files::is_empty) {
            return vec![Ok(()); hand_overs.len()];
        }
        if self.options.is_durable() {
            return self.groups.commit(&self.path, hand_overs);
        }
        match OpenDirectory::open(&self.path) {
            Ok(directory) => hand_overs
                .iter_mut()
                .map(|files| files.publish(&directory, &self.path))
                .collect(),
            Err(error) => {
                let error = PickupError::from_io(Operation::OpenDirectory, &self.path)(error);
                vec![Err(error); hand_overs.len()]
            }
        }
    }
}

impl HandOver<'_> {
    /// Writes a whole file, the chunks one after the other, where no reader of the directory sees
    /// it.
    ///
    /// # Errors
    /// The name is not a plain file name, or the file cannot be made or written, or a large
    /// hand-over has no staging folder to go on in; the file is gone then, and the hand-over can go
    /// on without it. But where the files written before cannot be parked or made durable, they are
    /// gone too, and [`commit`](Self::commit) gives that error again.
    pub fn write(&mut self, name: &str, chunks: &[&[u8]]) -> Result<(), PickupError> {
        let PickupDirectory {
            path,
            options,
            staging,
            ..
        } = self.directory;
        check_name(name).map_err(PickupError::from_io(Operation::NameFile, Path::new(name)))?;
        self.files.make_room(path, options, staging)?;
        self.files
            .push(WrittenFile::write(path, options, staging, name, chunks)?);
        Ok(())
    }

    /// Makes all files durable and visible. Blocks until both is done; threads that commit at the
    /// same time share the work.
    ///
    /// # Errors
    /// Nothing of the hand-over is in the directory after an error, with one exception: where the
    /// last step fails, the sync of the directory, PowerMTA may have been quick enough to take a
    /// file before it was taken back.
    ///
    /// [`PickupErrorKind::Exists`]: one of the names is taken. That file is left as it is.
    pub fn commit(self) -> Result<(), PickupError> {
        self.directory
            .commit(vec![self.files])
            .pop()
            .unwrap_or(Ok(()))
    }
}

fn absolute(path: &Path) -> Result<PathBuf, PickupError> {
    path::absolute(path).map_err(PickupError::from_io(Operation::OpenDirectory, path))
}

/// A name that leads out of the directory is refused, not cleaned.
fn check_name(name: &str) -> io::Result<()> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        // The whole name, because `a/` and `a/.` have the one component `a` too.
        (Some(Component::Normal(only)), None) if only == name && !name.contains('\0') => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a plain file name",
        )),
    }
}
