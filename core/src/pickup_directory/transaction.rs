//! The public side of a transaction: begin, write, commit.

use std::io;
use std::path::{Component, Path};

use super::error::{Operation, PickupError};
use super::file_set::FileSet;
use super::group_commit::ONE_EACH;
#[cfg(feature = "outbox")]
use super::memory::{Memory, MemoryFiles};
#[cfg(feature = "queue")]
use super::queue::{QueueDirectory, QueueFiles};
use super::{Disk, PickupDirectory, Place};
use crate::idempotency::Claim;
use crate::identity::Id;
#[cfg(feature = "outbox")]
use crate::pickup_file::EnvelopeIds;
#[cfg(feature = "queue")]
use crate::virtual_mtas::VirtualMtas;

/// Files that become visible and durable together. If it is dropped without [`commit`](Self::commit), none of them
/// remain.
///
/// Several files wait in the staging folder, where a record decides that all of them become visible. If the process is
/// killed before the record exists, none of them do; if it is killed later, the next process that opens the pickup
/// directory moves those that are still there.
///
/// A transaction can have very many files: at most 64 of them are open at a time; earlier ones are closed.
///
/// ```
/// use pmtaemail::{PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pickup");
/// # std::fs::create_dir(&path)?;
/// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
/// let mut transaction = directory.begin();
/// for name in ["1.eml", "2.eml"] {
///     transaction.write(name, &[b"x-sender: a@example.com\nx-receiver: b@example.org\n\nHello\n"])?;
/// }
/// assert_eq!(std::fs::read_dir(&path)?.count(), 0);
/// transaction.commit()?;
/// assert_eq!(std::fs::read_dir(&path)?.count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is handed over without `commit`"]
pub struct Transaction<'a> {
    files: Files<'a>,
    /// The submission that the files belong to, for errors.
    id: Option<Id>,
}

#[derive(Debug)]
enum Files<'a> {
    OnDisk(&'a Disk, FileSet),
    #[cfg(feature = "outbox")]
    InMemory(&'a Memory, MemoryFiles),
    #[cfg(feature = "queue")]
    InQueue(&'a QueueDirectory, QueueFiles),
}

/// What a transaction of several files waits for.
enum Waits {
    No,
    ForGroup,
    #[cfg(feature = "queue")]
    ForQueue(super::queue::Waiting),
}

impl PickupDirectory {
    /// Begins a transaction of one or more files; see [`Transaction`].
    pub fn begin(&self) -> Transaction<'_> {
        let files = match &self.place {
            Place::Disk(disk) => Files::OnDisk(disk, FileSet::default()),
            #[cfg(feature = "outbox")]
            Place::Memory(memory) => Files::InMemory(memory, MemoryFiles::default()),
            #[cfg(feature = "queue")]
            Place::Queue(queue) => Files::InQueue(queue, QueueFiles::default()),
        };
        Transaction { files, id: None }
    }

    /// Begins a transaction for the files of a submission with an idempotency key.
    pub(crate) fn begin_claimed(&self, id: Id, claim: Option<Claim>) -> Transaction<'_> {
        let mut transaction = self.begin_submission(id);
        if let Some(claim) = claim {
            match &mut transaction.files {
                Files::OnDisk(_, files) => files.set_claim(claim),
                #[cfg(feature = "outbox")]
                Files::InMemory(_, files) => files.claim = Some(Box::new(claim)),
                #[cfg(feature = "queue")]
                Files::InQueue(_, files) => files.claim = Some(claim),
            }
        }
        transaction
    }

    /// Begins a transaction for the files of a submission.
    pub(crate) fn begin_submission(&self, id: Id) -> Transaction<'_> {
        Transaction {
            id: Some(id),
            ..self.begin()
        }
    }

    /// Commits several transactions of this directory, which share their syncs. Each succeeds or fails by itself, with
    /// the errors of [`Transaction::commit`], and returns the value that came with it, a receipt. An error in place of
    /// a transaction stays in its place.
    pub(crate) fn commit_all<T, E: From<PickupError>>(
        &self,
        written: Vec<Result<(T, Transaction<'_>), E>>,
    ) -> Vec<Result<T, E>> {
        let mut file_sets = Vec::with_capacity(written.len());
        let values: Vec<_> = written
            .into_iter()
            .map(|written| {
                let (value, transaction) = written?;
                let id = transaction.id;
                let waits = match transaction.files {
                    Files::OnDisk(_, files) if files.is_empty() => Waits::No,
                    Files::OnDisk(_, files) => {
                        file_sets.push(files);
                        Waits::ForGroup
                    }
                    #[cfg(feature = "outbox")]
                    Files::InMemory(memory, files) => {
                        memory.commit(files).map_err(|error| error.with_id(id))?;
                        Waits::No
                    }
                    #[cfg(feature = "queue")]
                    Files::InQueue(queue, files) => Waits::ForQueue(queue.start(files, id)),
                };
                Ok((value, id, waits))
            })
            .collect();
        let mut results = match self.disk() {
            Some(disk) if !file_sets.is_empty() => disk.group_commit.commit(file_sets).into_iter(),
            _ => Vec::new().into_iter(),
        };
        values
            .into_iter()
            .map(|value: Result<_, E>| {
                let (value, id, waits) = value?;
                let result = match waits {
                    Waits::No => Ok(()),
                    Waits::ForGroup => results.next().expect(ONE_EACH),
                    #[cfg(feature = "queue")]
                    Waits::ForQueue(waiting) => waiting.wait(),
                };
                result.map_err(|error| error.with_id(id))?;
                Ok(value)
            })
            .collect()
    }
}

impl Transaction<'_> {
    /// The key under which it is submitted.
    #[cfg(feature = "idempotency")]
    pub(crate) fn claim_mut(&mut self) -> Option<&mut Claim> {
        match &mut self.files {
            Files::OnDisk(_, files) => files.claim_mut(),
            #[cfg(feature = "outbox")]
            Files::InMemory(_, files) => files.claim.as_deref_mut(),
            #[cfg(feature = "queue")]
            Files::InQueue(_, files) => files.claim.as_mut(),
        }
    }

    /// Sets the submission that the files belong to that were written since the last one of this transaction, and the
    /// identifiers of its recipients, for those who look at files in memory.
    #[cfg(feature = "outbox")]
    pub(crate) fn set_submission(&mut self, id: Id, envelope_ids: Option<&EnvelopeIds>) {
        if let Files::InMemory(_, files) = &mut self.files {
            for file in files.files.iter_mut().filter(|file| file.id.is_none()) {
                file.id = Some(id);
                file.envelope_ids = envelope_ids.cloned();
            }
        }
    }

    /// Adds the virtual MTAs of another submission of this transaction.
    #[cfg(feature = "queue")]
    pub(crate) fn add_virtual_mtas(&mut self, virtual_mtas: &VirtualMtas) {
        if let Files::InQueue(_, files) = &mut self.files {
            files.virtual_mtas.add_all(virtual_mtas);
        }
    }

    /// The files on disk.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn into_files(self) -> FileSet {
        match self.files {
            Files::OnDisk(_, files) => files,
            #[cfg(feature = "outbox")]
            Files::InMemory(..) => unreachable!("they are in memory"),
            #[cfg(feature = "queue")]
            Files::InQueue(..) => unreachable!("they are in a queue"),
        }
    }

    /// The files on disk.
    #[cfg(test)]
    pub(super) fn files(&self) -> &FileSet {
        match &self.files {
            Files::OnDisk(_, files) => files,
            #[cfg(feature = "outbox")]
            Files::InMemory(..) => unreachable!("they are in memory"),
            #[cfg(feature = "queue")]
            Files::InQueue(..) => unreachable!("they are in a queue"),
        }
    }

    /// Writes a complete file, one chunk after the other, where no reader of the directory sees it.
    ///
    /// # Errors
    /// The name is not a plain file name, the file cannot be created or written, or there is no staging folder for a
    /// second file. That file is gone then, and the transaction can go on without it. But if the files written before
    /// cannot be kept or made durable, they are gone too, and [`commit`](Self::commit) returns that error again.
    pub fn write(&mut self, name: &str, chunks: &[&[u8]]) -> Result<(), PickupError> {
        let id = self.id;
        check_name(name)
            .map_err(PickupError::from_io(Operation::NameFile, Path::new(name)))
            .and_then(|()| match &mut self.files {
                Files::OnDisk(disk, files) => {
                    files.write(&disk.staging, disk.durable, name, chunks)
                }
                #[cfg(feature = "outbox")]
                Files::InMemory(memory, files) => memory.write(files, name, chunks),
                #[cfg(feature = "queue")]
                Files::InQueue(queue, files) => queue.write(files, name, chunks),
            })
            .map_err(|error| error.with_id(id))
    }

    /// Makes all files durable and visible. Blocks until both is done; threads that commit at the same time share the
    /// work.
    ///
    /// # Errors
    /// After an error none of the transaction's files are in the directory, with one exception: if a step fails when
    /// files are already visible, PowerMTA may have taken one before it was removed again (then the others follow), or
    /// a power failure may bring it back. [`PickupError::may_be_delivered`] says so.
    ///
    /// [`AlreadyExists`](super::PickupErrorKind::AlreadyExists): one of the names is taken. That file is not changed.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn commit(self) -> Result<(), PickupError> {
        let result = match self.files {
            Files::OnDisk(_, files) if files.is_empty() => Ok(()),
            Files::OnDisk(disk, files) => {
                let results = disk.group_commit.commit(vec![files]);
                results.into_iter().next().expect(ONE_EACH)
            }
            #[cfg(feature = "outbox")]
            Files::InMemory(memory, files) => memory.commit(files),
            #[cfg(feature = "queue")]
            Files::InQueue(queue, files) => queue.start(files, self.id).wait(),
        };
        result.map_err(|error| error.with_id(self.id))
    }

    /// Like [`commit`](Self::commit) without waiting: `done` is called once with the result. It runs on a commit
    /// thread, so it should be quick.
    ///
    /// If this process has no commit threads ([`PickupDirectory::start_commit_threads`]), nothing has to be durable, the
    /// directory is in memory, or nothing was written, this calls `done` itself before it returns, and may block until
    /// then. So do not hold a lock here that `done` takes.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// directory.start_commit_threads()?;
    /// let (sender, result) = std::sync::mpsc::channel();
    /// let mut transaction = directory.begin();
    /// transaction.write("1.eml", &[b"x-sender: a@example.com\nx-receiver: b@example.org\n\nHello\n"])?;
    /// transaction.commit_with(move |result| sender.send(result).unwrap());
    /// result.recv()??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn commit_with(self, done: impl FnOnce(Result<(), PickupError>) + Send + 'static) {
        let id = self.id;
        let done = move |result: Result<_, PickupError>| {
            done(result.map_err(|error| error.with_id(id)));
        };
        match self.files {
            Files::OnDisk(_, files) if files.is_empty() => done(Ok(())),
            Files::OnDisk(disk, files) => disk.group_commit.commit_with(files, done),
            #[cfg(feature = "outbox")]
            Files::InMemory(memory, files) => done(memory.commit(files)),
            #[cfg(feature = "queue")]
            Files::InQueue(queue, files) => queue.commit_with(files, id, done),
        }
    }
}

/// A name that leads out of the directory is refused, not cleaned up.
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
