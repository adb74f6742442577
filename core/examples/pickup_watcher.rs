//! Stands in for PowerMTA where there is none, such as on a test host: takes the files out of a pickup directory and
//! prints the messages in them instead of delivering them.
//!
//! ```sh
//! cargo run --features outbox --example pickup_watcher -- /var/pickup /var/pickup-bad
//! ```
//!
//! What cannot be read goes into the second folder, as PowerMTA's `pickup` directive has it, which must be on the same
//! file system. It runs until it is stopped.

use pmtaemail::outbox::SentMessage;
use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(pickup), Some(bad)) = (arguments.next(), arguments.next()) else {
        return Err("name a pickup directory, and a folder for files that cannot be read".into());
    };
    loop {
        for file in files_in(&pickup)? {
            match take(&file, &bad) {
                // Another program has taken it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                taken => taken?,
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
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Prints the messages of a file and removes it. A mail merge has one for each recipient.
fn take(file: &Path, bad: &Path) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default();
    // It is the Date of a mail merge that gives none.
    let received = fs::metadata(file)?.modified()?;
    match SentMessage::in_file(&fs::read(file)?, received) {
        Ok(messages) => {
            for message in messages {
                let subject = message.mail.header("Subject").unwrap_or_default();
                println!("{} {subject:?}", message.recipients.join(","));
            }
            fs::remove_file(file)
        }
        Err(error) => {
            eprintln!("{}: {error}", name.display());
            fs::rename(file, bad.join(name))
        }
    }
}
