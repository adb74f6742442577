//! A batch of which all messages are submitted, or none.

use super::action::perform;
use super::batch_reader::{BatchError, BatchFormat, BatchReader, Position};
use super::error::SubmitError;
use super::files::MakeFiles;
use super::receipt::Receipt;
use crate::identity::Identity;
use crate::message::Message;
use crate::pickup_directory::{PickupDirectory, Transaction};
use crate::pickup_file::PickupFile;
use crate::spool::{Spool, SpoolReader};
use std::io::{self, Read};

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// A batch of which all messages are submitted, or none. It waits on the file system of the pickup directory
/// until all of it is there.
///
/// ```
/// use pmtaemail::{AtomicBatch, BatchFormat, PickupDirectory, PickupOptions, Position};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut batch = AtomicBatch::new(BatchFormat::Array, 32 << 20);
/// let messages = br#"[{"from": "a@example.com", "to": "b@example.org"}, {"from": 1}]"#;
/// batch.feed(messages, Some(&directory))?;
/// let mut bad = Vec::new();
/// let is_submitted = batch.submit(&directory, |position, result| {
///     bad.extend(result.is_err().then_some(position));
///     Ok(())
/// })?;
/// assert!(!is_submitted);
/// assert_eq!(bad, [Position::Index(1)]);
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug)]
pub struct AtomicBatch {
    format: BatchFormat,
    limit: usize,
    spool: Spool,
}

impl AtomicBatch {
    /// Begins a batch whose messages have at most `limit` bytes each.
    pub fn new(format: BatchFormat, limit: usize) -> Self {
        Self {
            format,
            limit,
            spool: Spool::default(),
        }
    }

    /// Takes the next bytes. They may wait on the file system of `directory` where they are many; without
    /// it they are all kept in memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.spool.push(bytes);
        match directory {
            Some(directory) => self.spool.flush(|| Ok(directory.scratch_file()?)),
            None => Ok(()),
        }
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.spool.buffered()
    }

    /// Submits all messages if none of them breaks a rule, and says whether it did. `tell` gets the result of one
    /// message after the other: receipts, which hold only if all is submitted, up to the first error; from there
    /// on errors alone.
    ///
    /// # Errors
    /// Nothing of the batch is submitted, unless [`may_be_delivered`](crate::PickupError::may_be_delivered) says
    /// that it may be: then all of it, and the error names one of its submissions.
    pub fn submit(
        self,
        directory: &PickupDirectory,
        mut tell: impl FnMut(Position, Result<Receipt, BatchError>) -> io::Result<()>,
    ) -> Result<bool, SubmitError> {
        let mut reader = BatchReader::new(self.format, self.limit);
        let mut source = SpoolReader::new(&self.spool);
        let mut piece = vec![0; PIECE];
        let mut work = Work::Submit {
            directory,
            transaction: None,
        };
        while !reader.has_ended() {
            match source.read(&mut piece) {
                Ok(0) => reader.finish(),
                Ok(count) => reader.feed(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            while !reader.is_empty() {
                for entry in reader.take() {
                    let position = entry.position();
                    match entry.read(|message| work.go_on(message)) {
                        Ok(receipt) => {
                            if let Some(receipt) = receipt? {
                                tell(position, Ok(receipt))?;
                            }
                        }
                        Err(error) => {
                            work = Work::Check;
                            tell(position, Err(error))?;
                        }
                    }
                }
            }
        }
        work.finish()
    }
}

/// What is done with a message.
enum Work<'d> {
    /// Its files are written.
    Submit {
        directory: &'d PickupDirectory,
        /// Begun with the first message, whose identifier stands for all in errors.
        transaction: Option<Transaction<'d>>,
    },
    /// Nothing, since another one has problems.
    Check,
}

impl Work<'_> {
    fn go_on(&mut self, message: &Message<'_>) -> Result<Option<Receipt>, SubmitError> {
        let Self::Submit {
            directory,
            transaction,
        } = self
        else {
            return Ok(None);
        };
        let identity = Identity::now();
        let transaction =
            transaction.get_or_insert_with(|| directory.begin_submission(identity.id()));
        let put = |file: PickupFile| transaction.write(file.name(), &file.chunks());
        Ok(Some(perform(MakeFiles::new(identity, put), message)?))
    }

    fn finish(self) -> Result<bool, SubmitError> {
        match self {
            Self::Submit { transaction, .. } => {
                transaction.map_or(Ok(()), Transaction::commit)?;
                Ok(true)
            }
            Self::Check => Ok(false),
        }
    }
}
