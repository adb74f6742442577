//! A queue in place of a pickup directory: other hosts take what is submitted to it, and put it into theirs.
//!
//! ```text
//! write          the files of a submission wait in memory
//! commit         Queue::put, with the key and its record, if there is one     an answer comes
//! claim a key    among those in progress here, then Queue::find               what any host has under it
//! ```

use std::fmt;
use std::io;
use std::mem;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::idempotency::{
    Claim, ClaimRefused, Fingerprint, Found, IdempotencyKey, KeyStore, StorePlace, StoreSettings,
    found_elsewhere, receipt_elsewhere, same_elsewhere,
};
use crate::identity::Id;
use crate::virtual_mtas::VirtualMtas;

use super::error::{Operation, PickupError};

/// The maximum size of the files of one submission, in bytes: they wait in memory.
const LARGEST: usize = 64 << 20;

/// A queue that takes submissions in place of a pickup directory.
///
/// Whatever it acknowledges must be submitted to PowerMTA later, with all files of a parcel together.
///
/// ```
/// use pmtaemail::{Parcel, PickupDirectory, Queue, QueueError, Submission};
/// use std::sync::{Arc, Mutex};
///
/// /// A queue of one host, which forgets everything when its process ends.
/// #[derive(Debug, Default)]
/// struct InMemory(Mutex<Vec<Parcel>>);
///
/// impl Queue for InMemory {
///     fn name(&self) -> &str {
///         "memory"
///     }
///
///     fn find(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, QueueError> {
///         let parcels = self.0.lock().unwrap();
///         let mut keys = parcels.iter().filter_map(|parcel| parcel.key.as_ref());
///         Ok(keys.find(|known| known.hash == *key).map(|known| known.record.clone()))
///     }
///
///     fn put(&self, parcel: Parcel, done: Box<dyn FnOnce(Result<(), QueueError>) + Send>) {
///         self.0.lock().unwrap().push(parcel);
///         done(Ok(()));
///     }
///
///     fn probe(&self) -> Result<(), QueueError> {
///         Ok(())
///     }
/// }
///
/// let queue = Arc::new(InMemory::default());
/// let directory = PickupDirectory::of_queue(queue.clone(), 256 << 20);
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
/// let receipt = directory.submit(&Submission::from_json(json)?)?;
/// let parcels = queue.0.lock().unwrap();
/// assert_eq!(parcels[0].id, Some(receipt.id));
/// assert_eq!(parcels[0].files[0].name, receipt.files[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Queue: fmt::Debug + Send + Sync {
    /// Its name in error messages, for example that of its stream.
    fn name(&self) -> &str;

    /// The record that any host has [put](Self::put) under a key in the last 24 hours. Blocks.
    fn find(&self, key: &[u8; 32]) -> Result<Option<Vec<u8>>, QueueError>;

    /// Takes a parcel durably, and calls `done` once. Does not block.
    ///
    /// Of several parcels under one key, only the first is taken. For the others, `put` fails or its outcome is
    /// unknown; when they are tried again, `find` returns the record of the first.
    fn put(&self, parcel: Parcel, done: Box<dyn FnOnce(Result<(), QueueError>) + Send>);

    /// Whether parcels would currently be taken. Blocks.
    fn probe(&self) -> Result<(), QueueError>;
}

/// The files of one submission, for a [`Queue`].
///
/// ```
/// use pmtaemail::Parcel;
///
/// fn describe(parcel: &Parcel) -> String {
///     let bytes: usize = parcel.files.iter().map(|file| file.bytes.len()).sum();
///     let vmtas: Vec<&str> = parcel.virtual_mtas.iter().flatten().collect();
///     format!("{} files, {bytes} bytes, for {}", parcel.files.len(), vmtas.join(", "))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Parcel {
    /// The submission; `None` if the files do not belong to a message.
    pub id: Option<Id>,
    /// The files, which have to appear in one pickup directory together.
    pub files: Vec<ParcelFile>,
    /// The virtual MTAs that the mail is for; empty if the files do not belong to a message.
    pub virtual_mtas: VirtualMtas,
    /// The idempotency key under which it was submitted.
    pub key: Option<ParcelKey>,
}

/// A file of a [`Parcel`].
///
/// ```
/// use pmtaemail::ParcelFile;
///
/// fn size(files: &[ParcelFile]) -> usize {
///     files.iter().map(|file| file.name.len() + file.bytes.len()).sum()
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ParcelFile {
    /// Its name in a pickup directory.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The key of a [`Parcel`].
///
/// ```
/// use pmtaemail::{Parcel, ParcelKey};
///
/// /// What a queue does that finds a record under the key of a parcel.
/// fn is_retry(parcel: &Parcel, found: &[u8]) -> bool {
///     parcel.key.as_ref().is_some_and(|key: &ParcelKey| key.is_same(found))
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct ParcelKey {
    /// A hash of the key.
    pub hash: [u8; 32],
    /// What [`Queue::find`] returns for this key.
    pub record: Vec<u8>,
}

impl ParcelKey {
    /// Whether another record belongs to the same submission, sent again.
    pub fn is_same(&self, record: &[u8]) -> bool {
        same_elsewhere(&self.record, record)
    }
}

/// A queue did not take a parcel, or cannot be asked.
///
/// ```
/// use pmtaemail::QueueError;
/// use std::io;
///
/// let refused = QueueError::from(io::Error::other("the stream is full"));
/// assert!(!refused.may_be_delivered);
///
/// // The connection broke before the answer came.
/// let unknown = QueueError { source: io::ErrorKind::ConnectionReset.into(), may_be_delivered: true };
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct QueueError {
    /// The reason.
    pub source: io::Error,
    /// Whether the parcel may be in the queue despite the error.
    pub may_be_delivered: bool,
}

impl From<io::Error> for QueueError {
    /// One that surely was not taken.
    fn from(source: io::Error) -> Self {
        Self {
            source,
            may_be_delivered: false,
        }
    }
}

#[derive(Debug)]
pub(super) struct QueueDirectory {
    queue: Arc<dyn Queue>,
    /// Those in progress here; the queue remembers the others.
    keys: Arc<KeyStore>,
    memory: Arc<Memory>,
}

/// The memory for files that wait for the queue, and how much of it is free, in bytes.
#[derive(Debug)]
struct Memory {
    free: Mutex<usize>,
    /// The total.
    most: usize,
}

/// A part of that memory, which becomes free when this is dropped.
#[derive(Debug)]
struct Reserved {
    memory: Arc<Memory>,
    bytes: usize,
}

impl Memory {
    /// Reserves more memory for the files of a transaction. Returns `false` if there is not enough.
    fn reserve(self: &Arc<Self>, reserved: &mut Option<Reserved>, bytes: usize) -> bool {
        let mut free = self.lock();
        let Some(left) = free.checked_sub(bytes) else {
            return false;
        };
        *free = left;
        let reserved = reserved.get_or_insert_with(|| Reserved {
            memory: Arc::clone(self),
            bytes: 0,
        });
        reserved.bytes += bytes;
        true
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        // A number is whole at every instant.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        *self.memory.lock() += self.bytes;
    }
}

/// The files of one transaction.
#[derive(Debug, Default)]
pub(super) struct QueueFiles {
    files: Vec<ParcelFile>,
    reserved: Option<Reserved>,
    pub virtual_mtas: VirtualMtas,
    pub claim: Option<Claim>,
}

/// The result of a parcel, once it is known.
pub(super) struct Waiting(Receiver<Result<(), PickupError>>);

impl QueueDirectory {
    pub fn new(queue: Arc<dyn Queue>, memory: usize) -> Self {
        Self {
            queue,
            memory: Arc::new(Memory {
                free: Mutex::new(memory),
                most: memory,
            }),
            keys: Arc::new(KeyStore::new(StoreSettings {
                place: StorePlace::Memory,
                limit: 1 << 20,
                durable: false,
            })),
        }
    }

    pub fn path(&self) -> &Path {
        Path::new(self.queue.name())
    }

    pub fn keys(&self) -> &Arc<KeyStore> {
        &self.keys
    }

    pub fn probe(&self) -> Result<(), PickupError> {
        self.queue.probe().map_err(self.failed())
    }

    /// Keeps one more file of a transaction.
    pub fn write(
        &self,
        files: &mut QueueFiles,
        name: &str,
        chunks: &[&[u8]],
    ) -> Result<(), PickupError> {
        let size = chunks.iter().map(|chunk| chunk.len()).sum::<usize>();
        let before = (files.reserved.as_ref()).map_or(0, |reserved| reserved.bytes);
        if before + size > LARGEST.min(self.memory.most) {
            let sentence = "its files are larger in total than one submission may be";
            let error = io::Error::new(io::ErrorKind::FileTooLarge, sentence);
            return Err(self.failed()(error.into()));
        }
        if !self.memory.reserve(&mut files.reserved, size) {
            let sentence = "the messages waiting for it use all the memory they may";
            let error = io::Error::new(io::ErrorKind::OutOfMemory, sentence);
            return Err(self.failed()(error.into()));
        }
        files.files.push(ParcelFile {
            name: name.to_owned(),
            bytes: chunks.concat(),
        });
        Ok(())
    }

    /// Puts a transaction into the queue; `done` is called with the result.
    pub fn commit_with(
        &self,
        mut files: QueueFiles,
        id: Option<Id>,
        done: impl FnOnce(Result<(), PickupError>) + Send + 'static,
    ) {
        if files.files.is_empty() {
            return done(Ok(()));
        }
        let mut claim = files.claim.take();
        let key = match claim.as_mut().map(Claim::stored_elsewhere).transpose() {
            Ok(key) => key.map(|(hash, record)| ParcelKey { hash, record }),
            Err(error) => return done(Err(self.failed()(error.into()))),
        };
        let parcel = Parcel {
            id,
            files: mem::take(&mut files.files),
            virtual_mtas: mem::take(&mut files.virtual_mtas),
            key,
        };
        let failed = self.failed();
        let reserved = files.reserved.take();
        let told = move |result: Result<(), QueueError>| {
            // Whoever waits for the key finds it in the queue from now on.
            drop(claim);
            drop(reserved);
            done(result.map_err(failed));
        };
        self.queue.put(parcel, Box::new(told));
    }

    /// The same for callers that wait.
    pub fn start(&self, files: QueueFiles, id: Option<Id>) -> Waiting {
        let (sender, result) = mpsc::sync_channel(1);
        self.commit_with(files, id, move |result| {
            // Whoever asked may have gone.
            let _ = sender.send(result);
        });
        Waiting(result)
    }

    /// A key that is free here may have been used elsewhere.
    pub fn claim_everywhere(
        &self,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
        here: Found,
    ) -> Result<Found, ClaimRefused> {
        let found = self.queue.find(&key.0);
        match found.map_err(|error| ClaimRefused::Store(error.source))? {
            Some(record) => found_elsewhere(&record, key, fingerprint),
            None => Ok(here),
        }
    }

    /// The receipt of what was put under a key.
    pub fn find_receipt(&self, key: IdempotencyKey) -> Result<Option<Vec<Vec<u8>>>, PickupError> {
        let found = self.queue.find(&key.0).map_err(self.failed())?;
        Ok(found.map(|record| vec![receipt_elsewhere(&record)]))
    }

    fn failed(&self) -> impl FnOnce(QueueError) -> PickupError + use<> {
        let path = self.path().to_owned();
        move |error| {
            let failed = PickupError::from_io(Operation::Enqueue, &path)(error.source);
            if error.may_be_delivered {
                failed.after_publishing()
            } else {
                failed
            }
        }
    }
}

impl Waiting {
    pub fn wait(self) -> Result<(), PickupError> {
        self.0.recv().unwrap_or_else(|_| {
            let error = io::Error::other("who put it there ended early");
            Err(
                PickupError::from_io(Operation::Enqueue, Path::new("queue"))(error)
                    .after_publishing(),
            )
        })
    }
}
