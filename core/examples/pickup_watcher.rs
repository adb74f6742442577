//! Stands in for PowerMTA where there is none, such as on a test host: takes the files out of a pickup directory and
//! prints the messages in them instead of delivering them.
//!
//! ```sh
//! cargo run --features outbox --example pickup_watcher -- /var/pickup /var/pickup-bad
//! ```
//!
//! What cannot be read goes into the second folder, as PowerMTA's `pickup` directive has it, which must be on the same
//! file system. It runs until it is stopped.

use pmtaemail::outbox::{Mail, OutboxFile, UnreadableFile};
use std::collections::HashSet;
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

const PAUSE: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(pickup), Some(bad)) = (arguments.next(), arguments.next()) else {
        return Err("name a pickup directory, and a folder for files that cannot be read".into());
    };
    if !fs::metadata(&bad)?.is_dir() {
        return Err("the second is no folder".into());
    }
    // Files that could not be taken: they are named once.
    let mut left: HashSet<PathBuf> = HashSet::new();
    loop {
        let files = files_in(&pickup)?;
        left.retain(|file| files.contains(file));
        for file in files {
            if left.contains(&file) {
                continue;
            }
            let taken = match take(&file, &bad) {
                Ok(Some(lines)) => {
                    io::stdout().write_all(lines.as_bytes())?;
                    fs::remove_file(&file)
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            match taken {
                // Another program has taken it.
                Err(error) if error.kind() == ErrorKind::NotFound && !file.exists() => {}
                Err(error) => {
                    eprintln!("{}: {error}", file.display());
                    left.insert(file);
                }
                Ok(()) => {}
            }
        }
        thread::sleep(PAUSE);
    }
}

/// The files that are there: all of them are complete. Their names sort by the time of submission.
fn files_in(pickup: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(pickup)? {
        let entry = entry?;
        match entry.file_type() {
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    files.sort();
    Ok(files)
}

/// What is to be printed of the messages in a file; `None` if it cannot be read and is in the other folder now.
fn take(file: &Path, bad: &Path) -> io::Result<Option<String>> {
    // It is the Date of a mail merge that gives none.
    let received = fs::metadata(file)?.modified()?;
    match lines(&fs::read(file)?, received) {
        Ok(lines) => Ok(Some(lines)),
        Err(error) => {
            keep(file, bad)?;
            eprintln!("{}: {error}", file.display());
            Ok(None)
        }
    }
}

/// A line for each message. A mail merge has one for each recipient: one at a time is made of the file.
fn lines(file: &[u8], received: SystemTime) -> Result<String, UnreadableFile> {
    let file = OutboxFile::read(file)?;
    let mut lines = String::new();
    let mut recipients = 0..file.recipients();
    while let Some(recipient) = recipients.next() {
        let mut addresses = address(&file, recipient);
        if !file.is_merge() {
            for other in recipients.by_ref() {
                addresses.push(',');
                addresses.push_str(&address(&file, other));
            }
        }
        let bytes = file.mail(recipient, received)?;
        let subject = Mail::read(&bytes).and_then(|mail| mail.header("Subject").map(str::to_owned));
        let subject = subject.unwrap_or_default();
        lines.extend([addresses, format!(" {subject:?}\n")]);
    }
    Ok(lines)
}

fn address(file: &OutboxFile<'_>, recipient: usize) -> String {
    let envelope = file.envelope(recipient);
    envelope.map_or_else(String::new, |envelope| envelope.to.into_owned())
}

/// Puts a file into the folder of those that cannot be read, beside one of the same name.
fn keep(file: &Path, bad: &Path) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default();
    let mut kept = bad.join(name);
    let mut number = 1;
    // A link replaces nothing, as a rename would.
    while let Err(error) = fs::hard_link(file, &kept) {
        if error.kind() != ErrorKind::AlreadyExists {
            return Err(error);
        }
        let mut name = name.to_owned();
        name.push(format!(".{number}"));
        kept = bad.join(name);
        number += 1;
    }
    fs::remove_file(file)
}
