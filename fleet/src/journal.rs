//! The batches on their way into the pickup directory: which messages, and where they are acknowledged.
//!
//! An entry is a file, written before its batch is committed and removed once all of it is acknowledged:
//!
//! ```text
//! BATCH.json    {"batch":"…","stream":"MAIL of 2026-…","taken":1795…,"messages":[{"sequence":7,"reply":"$JS.ACK.…"}]}
//!
//! begin_once(BATCH)  write …  journal.write   commit          acknowledge   journal.remove   forget_once(BATCH)
//!                            │ killed here:  │ killed here:                │ killed here:
//!                            │ nothing was   │ the store knows BATCH:      │ nothing is left to do
//!                            │ submitted     │ acknowledge what it names   │
//! ```
//!
//! So a host that comes back after it was killed asks the store about each entry: it acknowledges a batch that was
//! submitted, and gives back any other, before another host gets it.

use crate::error::FleetError;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// A batch on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its name, under which the store of the pickup directory knows whether it was submitted.
    pub batch: String,
    /// The stream that it comes from, and when that was created: in another stream with its name, the numbers are other
    /// messages.
    pub stream: String,
    /// When its messages were taken, in milliseconds since 1970.
    pub taken: u64,
    pub messages: Vec<Delivered>,
}

/// A message that was delivered to this host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delivered {
    /// Its number in the stream.
    pub sequence: u64,
    /// The subject by which it is acknowledged.
    pub reply: String,
    /// The object that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub large: Option<String>,
}

/// A folder of entries, used by one process at a time.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// Held as long as this process lives.
    _lock: File,
}

const LOCK: &str = "lock";

impl Journal {
    /// Opens the folder, which is created if it does not exist.
    pub fn open(folder: &Path) -> Result<Self, FleetError> {
        Self::try_open(folder).map_err(FleetError::of_file(
            "open the journal folder, which only one consumer at a time may use",
        ))
    }

    fn try_open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut options = OpenOptions::new();
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK))?;
        lock.try_lock()?;
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// Stores an entry durably.
    pub fn write(&self, entry: &Entry) -> io::Result<()> {
        let mut file = File::create_new(self.path(&entry.batch))?;
        file.write_all(&serde_json::to_vec(entry)?)?;
        file.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes an entry. If a power failure brings it back, its batch is acknowledged already, which does no harm.
    pub fn remove(&self, batch: &str) -> io::Result<()> {
        match fs::remove_file(self.path(batch)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Leftovers of a dead process.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for file in fs::read_dir(&self.folder)? {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name == LOCK) {
                continue;
            }
            match serde_json::from_slice(&fs::read(&path)?) {
                Ok(entry) => entries.push(entry),
                // The entry was not complete yet, so none of its batch was submitted.
                Err(_) => fs::remove_file(&path)?,
            }
        }
        Ok(entries)
    }

    fn path(&self, batch: &str) -> PathBuf {
        self.folder.join(format!("{batch}.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_entries_are_found_again_by_a_single_process() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("journal");
        let journal = Journal::open(&folder).unwrap();
        assert!(Journal::open(&folder).is_err());
        for batch in ["one", "two"] {
            let message = Delivered {
                sequence: 7,
                reply: "$JS.ACK.x".to_owned(),
                large: None,
            };
            let messages = vec![message];
            let (batch, stream) = (batch.to_owned(), "MAIL".to_owned());
            let entry = Entry {
                batch,
                stream,
                taken: 0,
                messages,
            };
            journal.write(&entry).unwrap();
        }
        journal.remove("one").unwrap();
        journal.remove("one").unwrap();
        fs::write(folder.join("torn.json"), b"{\"batch\":\"t").unwrap();
        drop(journal);
        let entries = Journal::open(&folder).unwrap().entries().unwrap();
        let batches: Vec<_> = entries.iter().map(|entry| &entry.batch[..]).collect();
        assert_eq!(batches, ["two"]);
        assert_eq!(entries[0].messages[0].sequence, 7);
        assert!(!folder.join("torn.json").exists());
    }
}
