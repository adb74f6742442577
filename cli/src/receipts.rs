//! Where the receipts of a command go.

use crate::args::MessageArgs;
use crate::exit::Failure;
use crate::{input, output};
use pmtaemail::{PickupDirectory, Receipt};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// Takes one receipt after the other.
#[derive(Debug)]
pub enum Receipts {
    /// As one line of JSON each on standard output.
    Printed,
    /// As lines for their recipients, on standard output.
    PrintedLines,
    /// As lines for their recipients in a file, and without those on standard output.
    Written(Box<ReceiptFile>),
}

impl Receipts {
    /// `path` is where lines for the recipients of `messages` are wanted, `-` for standard output. It is opened
    /// before anything is submitted.
    pub fn open(
        path: Option<&Path>,
        messages: &[MessageArgs],
        pickup: &PickupDirectory,
    ) -> Result<Self, Failure> {
        Ok(match path {
            None => Self::Printed,
            Some(path) if is_standard_output(path) => Self::PrintedLines,
            Some(path) => Self::Written(Box::new(ReceiptFile::open(path, messages, pickup)?)),
        })
    }

    /// Whether there is room for another message's: otherwise it had better not be submitted.
    pub fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Written(file) if file.part.is_some() => Err(Failure::NoReceipts(file.name())),
            _ => Ok(()),
        }
    }

    /// Takes the receipt of a message that was submitted.
    pub fn add(&mut self, receipt: Receipt) -> Result<(), Failure> {
        let id = receipt.id.to_string();
        let printed = match self {
            Self::Printed => output::print_receipt(&receipt),
            Self::PrintedLines => output::print_lines_of(receipt),
            Self::Written(file) => {
                let lines = receipt.clone().into_json_lines();
                // Whatever becomes of the file, this says what was submitted.
                let printed = output::print_receipt(&receipt.into_summary());
                file.write(id.clone(), lines)?;
                printed
            }
        };
        printed.map_err(|source| Failure::Receipt { id, source })
    }

    /// There are no more.
    pub fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Written(file) => file.finish(),
            Self::Printed | Self::PrintedLines => Ok(()),
        }
    }
}

fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .map(Path::new)
        .contains(&path)
}

/// Whether the path means what is open already. That may be a file, in whose place no other is put then.
fn is_descriptor(path: &Path) -> bool {
    path == Path::new("/dev/stderr")
        || path.starts_with("/dev/fd")
        || path.starts_with("/proc/self/fd")
}

/// A file for lines. What is in its place stays until all lines are on the disk.
#[derive(Debug)]
pub struct ReceiptFile {
    path: PathBuf,
    file: File,
    /// Where the lines wait; `None` for a pipe, a device or a descriptor, which takes them at once.
    waiting: Option<TempPath>,
    has_receipts: bool,
    /// Where the lines stay, because one could not be written.
    part: Option<PathBuf>,
}

impl ReceiptFile {
    fn open(
        path: &Path,
        messages: &[MessageArgs],
        pickup: &PickupDirectory,
    ) -> Result<Self, Failure> {
        let opened = Self::try_open(path, messages, pickup);
        opened.map_err(|source| Failure::OpenReceipts {
            name: path.display().to_string(),
            source,
        })
    }

    fn try_open(
        path: &Path,
        messages: &[MessageArgs],
        pickup: &PickupDirectory,
    ) -> io::Result<Self> {
        if is_descriptor(path) {
            let file = OpenOptions::new().append(true).open(path)?;
            return Ok(Self::new(path.to_owned(), file, None));
        }
        // What a link leads to is replaced, and not the link.
        let path = found(fs::canonicalize(path))?.unwrap_or_else(|| path.to_owned());
        let old = found(OpenOptions::new().write(true).open(&path))?;
        let old = match old {
            None => None,
            Some(file) => Some((file.metadata()?, file)),
        };
        let (file, waiting) = match old {
            Some((kind, file)) if !kind.is_file() => (file, None),
            old => {
                let old_file = old.as_ref().map(|(metadata, _)| metadata);
                if old_file.is_some_and(|old| input::is_read(messages, old)) {
                    return Err(io::Error::other("the message is read from it"));
                }
                if fs::canonicalize(folder(&path))?.starts_with(fs::canonicalize(pickup.path())?) {
                    let sentence =
                        "it lies in the pickup directory, from which PowerMTA takes all files";
                    return Err(io::Error::other(sentence));
                }
                let (file, waiting) = part_of(&path)?;
                if let Some((kind, _)) = old {
                    file.set_permissions(kind.permissions())?;
                }
                (file, Some(waiting))
            }
        };
        Ok(Self::new(path, file, waiting))
    }

    fn new(path: PathBuf, file: File, waiting: Option<TempPath>) -> Self {
        Self {
            path,
            file,
            waiting,
            has_receipts: false,
            part: None,
        }
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes the lines of the message that was submitted as `id`.
    fn write(
        &mut self,
        id: String,
        mut pieces: impl Iterator<Item = io::Result<Vec<u8>>>,
    ) -> Result<(), Failure> {
        self.has_receipts = true;
        let written = pieces.try_for_each(|piece| self.file.write_all(&piece?));
        written.map_err(|source| Failure::ReceiptFile {
            id,
            name: self.name(),
            part: self.keep(),
            source,
        })
    }

    /// Leaves the lines where they are: nobody can make them again.
    fn keep(&mut self) -> String {
        let kept = self.waiting.take().map(|waiting| {
            let path = waiting.to_path_buf();
            // What is not kept would be removed, which is all that can fail on Unix: it does nothing.
            waiting.keep().unwrap_or(path)
        });
        let part = self.part.insert(kept.unwrap_or_else(|| self.path.clone()));
        part.display().to_string()
    }

    /// Puts the lines into the file's place, if there are any.
    fn finish(mut self) -> Result<(), Failure> {
        let Some(waiting) = self.waiting.take().filter(|_| self.has_receipts) else {
            return Ok(());
        };
        let done = self.file.sync_all();
        let done = done.and_then(|()| fs::rename(&waiting, &self.path));
        match done {
            Ok(()) => {
                // There is nothing left to remove at the old name.
                let _ = waiting.keep();
                // The receipts are in their place. A folder that nobody may read cannot be synced.
                let synced = File::open(folder(&self.path)).and_then(|folder| folder.sync_all());
                output::print_warnings(synced.err().map(|error| {
                    format!("a power cut may lose the receipts, because their folder cannot be synced: {error}")
                }));
                Ok(())
            }
            Err(source) => {
                self.waiting = Some(waiting);
                Err(Failure::FinishReceipts {
                    name: self.name(),
                    part: self.keep(),
                    source,
                })
            }
        }
    }
}

/// A new file next to another one, which it will replace.
fn part_of(path: &Path) -> io::Result<(File, TempPath)> {
    let name = path.file_name().unwrap_or(OsStr::new("receipts"));
    let mut prefix = name.to_owned();
    prefix.push(".");
    let made = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".part")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder(path))?;
    Ok(made.into_parts())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// `None` if there is nothing at a path.
fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
