//! The public side of a transaction: begin, write, commit.

use std::io;
use std::path::{Component, Path};

use super::PickupDirectory;
use super::error::{Operation, PickupError};
use super::file_set::FileSet;
use super::group_commit::ONE_EACH;
use crate::idempotency::Claim;
use crate::identity::Id;

/// Files that become visible and durable together. Dropped without [`commit`](Self::commit),
/// nothing of them remains.
///
/// Several files wait in the staging folder, where a record decides that all of them become visible: if
/// the process is killed before, none of them does, and if it is killed later, the next process that opens
/// the pickup directory moves on those that are still there.
///
/// There may be very many files: at most 64 of them are open at a time. Those before them are closed.
#[derive(Debug)]
#[must_use = "nothing is handed over without `commit`"]
pub struct Transaction<'a> {
    directory: &'a PickupDirectory,
    pub(super) files: FileSet,
    /// The submission whose files they are, for errors.
    id: Option<Id>,
}

impl PickupDirectory {
    /// Begins a transaction of one or more files.
    pub fn begin(&self) -> Transaction<'_> {
        Transaction {
            directory: self,
            files: FileSet::default(),
            id: None,
        }
    }

    /// Begins a transaction of the files of one submission under a key.
    pub(crate) fn begin_claimed(&self, id: Id, claim: Option<Claim>) -> Transaction<'_> {
        let mut transaction = self.begin_submission(id);
        if let Some(claim) = claim {
            transaction.files.set_claim(claim);
        }
        transaction
    }

    /// Begins a transaction of the files of one submission.
    pub(crate) fn begin_submission(&self, id: Id) -> Transaction<'_> {
        Transaction {
            id: Some(id),
            ..self.begin()
        }
    }

    /// Commits several transactions of this directory, which share their syncs. Each succeeds or
    /// fails by itself, with the errors of [`Transaction::commit`], and gives the value that came
    /// with it, a receipt, back. Where there is an error already in place of a transaction, it stays
    /// in its place.
    pub(crate) fn commit_all<T, E: From<PickupError>>(
        &self,
        written: Vec<Result<(T, Transaction<'_>), E>>,
    ) -> Vec<Result<T, E>> {
        let mut file_sets = Vec::with_capacity(written.len());
        let values: Vec<_> = written
            .into_iter()
            .map(|written| {
                written.map(|(value, transaction)| {
                    let is_empty = transaction.files.is_empty();
                    if !is_empty {
                        file_sets.push(transaction.files);
                    }
                    (value, transaction.id, is_empty)
                })
            })
            .collect();
        let mut results = if file_sets.is_empty() {
            Vec::new().into_iter()
        } else {
            self.group_commit.commit(file_sets).into_iter()
        };
        values
            .into_iter()
            .map(|value| {
                let (value, id, is_empty) = value?;
                if is_empty {
                    return Ok(value);
                }
                let result = results.next().expect(ONE_EACH);
                result.map_err(|error| error.with_id(id))?;
                Ok(value)
            })
            .collect()
    }
}

impl Transaction<'_> {
    /// The key that it is submitted under.
    #[cfg(feature = "idempotency")]
    pub(crate) fn claim_mut(&mut self) -> Option<&mut Claim> {
        self.files.claim_mut()
    }

    /// Writes a whole file, the chunks one after the other, where no reader of the directory sees
    /// it.
    ///
    /// # Errors
    /// The name is not a plain file name, or the file cannot be made or written, or there is no staging
    /// folder for a second file; the file is gone then, and the transaction can go on without it. But where the files written before cannot be kept or made durable,
    /// they are gone too, and [`commit`](Self::commit) gives that error again.
    pub fn write(&mut self, name: &str, chunks: &[&[u8]]) -> Result<(), PickupError> {
        let PickupDirectory {
            staging, durable, ..
        } = self.directory;
        check_name(name)
            .map_err(PickupError::from_io(Operation::NameFile, Path::new(name)))
            .and_then(|()| self.files.write(staging, *durable, name, chunks))
            .map_err(|error| error.with_id(self.id))
    }

    /// Makes all files durable and visible. Blocks until both is done; threads that commit at the
    /// same time share the work.
    ///
    /// # Errors
    /// Nothing of the transaction is in the directory after an error, with one exception: where a
    /// step fails when files are visible, PowerMTA may have been quick enough to take one before it
    /// was taken back (then the others follow), or a power cut may bring it back.
    /// [`PickupError::may_be_delivered`] tells.
    ///
    /// [`AlreadyExists`](super::PickupErrorKind::AlreadyExists): one of the names is taken. That
    /// file is left as it is.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn commit(self) -> Result<(), PickupError> {
        if self.files.is_empty() {
            return Ok(());
        }
        let Self {
            directory,
            files,
            id,
        } = self;
        let results = directory.group_commit.commit(vec![files]);
        let result = results.into_iter().next().expect(ONE_EACH);
        result.map_err(|error| error.with_id(id))
    }

    /// Commits as [`commit`](Self::commit) does, without waiting for it: `done` is called once with the result, by a
    /// thread that commits, so it should be quick.
    ///
    /// Where this process has no such threads ([`PickupDirectory::start_commit_threads`]), or nothing is to be
    /// durable, this blocks and calls `done` itself.
    pub fn commit_with(self, done: impl FnOnce(Result<(), PickupError>) + Send + 'static) {
        if self.files.is_empty() {
            return done(Ok(()));
        }
        let Self {
            directory,
            files,
            id,
        } = self;
        directory.group_commit.commit_with(files, move |result| {
            done(result.map_err(|error| error.with_id(id)));
        });
    }
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
