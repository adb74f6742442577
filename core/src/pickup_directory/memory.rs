//! A pickup directory in memory: nothing is sent, and what was submitted can be examined.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::idempotency::Claim;
#[cfg(feature = "idempotency")]
use crate::idempotency::{KeyStore, StorePlace, StoreSettings};
use crate::identity::Id;
use crate::pickup_file::EnvelopeIds;

use super::error::{MemoryFull, Operation, PickupError};
use super::per_process::PerProcess;

/// The default limit on all files, in bytes.
pub(super) const LIMIT: u64 = 256 << 20;

/// What it has instead of a path.
pub(super) const PATH: &str = ":memory:";

/// A pickup file that was submitted to a [pickup directory in memory](super::PickupDirectory::in_memory).
///
/// ```
/// use pmtaemail::{PickupDirectory, Submission, outbox::OutboxFile};
///
/// let directory = PickupDirectory::in_memory();
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
/// let receipt = directory.submit(&Submission::from_json(json)?)?;
/// let files = directory.submitted_files();
/// assert_eq!((&files[0].name, files[0].id), (&receipt.files[0], Some(receipt.id)));
/// assert_eq!(OutboxFile::read(&files[0].bytes)?.recipients(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubmittedFile {
    /// Its name in the pickup directory.
    pub name: String,
    /// Its bytes; see [`OutboxFile::read`](crate::outbox::OutboxFile::read).
    pub bytes: Vec<u8>,
    /// The submission that it belongs to; `None` if it was written with
    /// [`Transaction::write`](super::Transaction::write).
    pub id: Option<Id>,
    /// The envelope IDs of a mail merge in the order of its recipients, which may differ from that of the files.
    pub envelope_ids: Option<EnvelopeIds>,
}

#[derive(Debug)]
pub(super) struct Memory {
    /// A forked process starts empty: its parent would never see what it submits.
    stored: PerProcess<Mutex<Stored>>,
    limit: u64,
    #[cfg(feature = "idempotency")]
    keys: Arc<KeyStore>,
}

#[derive(Debug, Default)]
struct Stored {
    files: Vec<Arc<SubmittedFile>>,
    names: HashSet<String>,
    /// The size of all files.
    size: u64,
}

/// The files of one transaction.
#[derive(Debug, Default)]
pub(super) struct MemoryFiles {
    pub files: Vec<SubmittedFile>,
    pub claim: Option<Box<Claim>>,
    size: u64,
}

impl Memory {
    pub fn new(limit: u64) -> Self {
        Self {
            stored: PerProcess::default(),
            limit,
            #[cfg(feature = "idempotency")]
            keys: Arc::new(KeyStore::new(StoreSettings {
                place: StorePlace::Memory,
                limit,
                durable: false,
            })),
        }
    }

    /// Keeps one more file of a transaction.
    pub fn write(
        &self,
        files: &mut MemoryFiles,
        name: &str,
        chunks: &[&[u8]],
    ) -> Result<(), PickupError> {
        let bytes = chunks.concat();
        let size = files.size + bytes.len() as u64;
        if self.lock(Operation::WriteFile)?.size + size > self.limit {
            return Err(full(name));
        }
        files.size = size;
        files.files.push(SubmittedFile {
            name: name.to_owned(),
            bytes,
            id: None,
            envelope_ids: None,
        });
        Ok(())
    }

    /// Takes in the files of a transaction: all of them, or none.
    pub fn commit(&self, transaction: MemoryFiles) -> Result<(), PickupError> {
        let MemoryFiles { files, claim, size } = transaction;
        let mut stored = self.lock(Operation::PublishFile)?;
        let mut names = HashSet::new();
        for file in &files {
            if stored.names.contains(&file.name) || !names.insert(file.name.clone()) {
                let error = io::ErrorKind::AlreadyExists.into();
                return Err(failed(Operation::PublishFile, &file.name)(error));
            }
        }
        if let Some(file) = files.first()
            && stored.size + size > self.limit
        {
            return Err(full(&file.name));
        }
        #[cfg(feature = "idempotency")]
        if let Some(mut claim) = claim {
            let kept = self.keys.commit([claim.as_mut()]);
            kept.map_err(|failure| failed(Operation::KeepKey, "keys")(failure.error))?;
        }
        #[cfg(not(feature = "idempotency"))]
        drop(claim);
        stored.names.extend(names);
        stored.size += size;
        stored.files.extend(files.into_iter().map(Arc::new));
        Ok(())
    }

    #[cfg(feature = "idempotency")]
    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    /// Whoever cannot submit anything has submitted nothing.
    pub fn files(&self) -> Vec<Arc<SubmittedFile>> {
        let stored = self.lock(Operation::OpenDirectory);
        stored.map_or_else(|_| Vec::new(), |stored| stored.files.clone())
    }

    pub fn clear(&self) {
        if let Ok(mut stored) = self.lock(Operation::OpenDirectory) {
            *stored = Stored::default();
        }
    }

    fn lock(&self, operation: Operation) -> Result<MutexGuard<'_, Stored>, PickupError> {
        let stored = self.stored.get();
        let stored = stored.map_err(PickupError::after_forks(operation, Path::new(PATH)))?;
        // Nothing in it is half done where something panics.
        Ok(stored.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn full(name: &str) -> PickupError {
    let error = io::Error::new(io::ErrorKind::StorageFull, MemoryFull);
    failed(Operation::WriteFile, name)(error)
}

fn failed(operation: Operation, name: &str) -> impl FnOnce(io::Error) -> PickupError {
    let path = Path::new(PATH).join(name);
    move |error| PickupError::from_io(operation, &path)(error)
}
