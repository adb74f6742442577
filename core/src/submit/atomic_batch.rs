//! A batch of which all messages are submitted, or none.

use super::action::perform;
use super::batch_reader::{BatchEntry, BatchError, BatchFormat, BatchReader, Position};
use super::error::SubmitError;
use super::files::MakeFiles;
use super::receipt::Receipt;
use super::submitter::{Reservation, Submitter};
#[cfg(feature = "idempotency")]
use super::whole_receipt::WholeReceipt;
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::message::Message;
use crate::pickup_directory::{PickupDirectory, Transaction};
use crate::pickup_file::PickupFile;
#[cfg(feature = "idempotency")]
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::spool::{Spool, SpoolReader};
use std::io::{self, Read, Write};
use std::mem;

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
/// let outcome = batch.submit(&directory, |position, result, lines| match result {
///     Ok(receipt) => writeln!(lines, "{}", receipt.id),
///     Err(_) => writeln!(lines, "{position:?}"),
/// })?;
/// assert!(!outcome.is_submitted);
/// let lines: Vec<Vec<u8>> = outcome.results.collect::<Result<_, _>>()?;
/// assert_eq!(lines.concat(), b"Index(1)\n");
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug)]
pub struct AtomicBatch {
    format: BatchFormat,
    limit: usize,
    spool: Spool,
    submitter: Submitter,
    claim: Option<Claim>,
    #[cfg(feature = "idempotency")]
    names_receipts: bool,
    warns: bool,
}

impl AtomicBatch {
    /// Begins a batch whose messages have at most `limit` bytes each.
    pub fn new(format: BatchFormat, limit: usize) -> Self {
        Self {
            format,
            limit,
            spool: Spool::default(),
            submitter: Submitter::default(),
            claim: None,
            #[cfg(feature = "idempotency")]
            names_receipts: false,
            warns: false,
        }
    }

    /// Has receipts tell the [`warnings`](crate::warnings) of their messages.
    #[must_use]
    pub fn with_warnings(mut self, warns: bool) -> Self {
        self.warns = warns;
        self
    }

    /// Submits it under a key of the whole batch, if there is one. The receipt that is given again for it stands
    /// for all: it has their files in order and the number of all recipients, and the identifier of the first.
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_claim(mut self, claim: impl Into<Option<Claim>>) -> Self {
        self.claim = claim.into();
        self
    }

    /// Has each receipt found by its identifier, where there is a claim: see [`IdempotencyKey::of_receipt`](crate::IdempotencyKey::of_receipt).
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn naming_receipts(mut self) -> Self {
        self.names_receipts = true;
        self
    }

    /// Submits it on somebody's behalf. If they are over a limit of theirs, nothing of it is submitted.
    #[must_use]
    pub fn with_submitter(mut self, submitter: Submitter) -> Self {
        self.submitter = submitter;
        self
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

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        self.spool.len()
    }

    /// Submits all messages if none of them breaks a rule. `write` writes down the result of one message after the
    /// other: receipts up to the first error, which hold only if all is submitted, and from there on errors alone.
    /// What it writes of receipts is forgotten if there is an error.
    ///
    /// # Errors
    /// Nothing of the batch is submitted, unless [`may_be_delivered`](crate::PickupError::may_be_delivered) says
    /// that it may be: then all of it, and the error names one of its submissions.
    pub fn submit(
        self,
        directory: &PickupDirectory,
        write: impl FnMut(Position, Result<Receipt, BatchError>, &mut dyn Write) -> io::Result<()>,
    ) -> Result<BatchOutcome, SubmitError> {
        self.submit_while(directory, |_| true, write)
    }

    /// The same for a program that has to find memory for each message before it is read: where `admit` says no,
    /// the batch ends, and nothing of it is submitted.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit).
    pub fn submit_while(
        mut self,
        directory: &PickupDirectory,
        mut admit: impl FnMut(&BatchEntry) -> bool,
        mut write: impl FnMut(Position, Result<Receipt, BatchError>, &mut dyn Write) -> io::Result<()>,
    ) -> Result<BatchOutcome, SubmitError> {
        let mut reader = BatchReader::new(self.format, self.limit).with_warnings(self.warns);
        let mut source = SpoolReader::new(&self.spool);
        let mut piece = vec![0; PIECE];
        let mut results = Results {
            spool: Spool::default(),
            directory,
        };
        let mut work = Work::Submit {
            directory,
            transaction: None,
            reserved: Reservation::default(),
            claim: self.claim.take().map(Box::new),
            #[cfg(feature = "idempotency")]
            whole: WholeReceipt::new(self.names_receipts.then(|| self.submitter.clone())),
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
                    if !admit(&entry) {
                        return Ok(BatchOutcome {
                            is_submitted: false,
                            results: BatchResults(SpoolReader::new(Box::default())),
                        });
                    }
                    let position = entry.position();
                    self.submitter.count_message()?;
                    let submitter = &self.submitter;
                    let warnings = entry.warnings();
                    let read = without_key(entry).and_then(|entry| {
                        entry.read(submitter.senders(), |message| {
                            work.go_on(message, submitter)
                        })
                    });
                    let result = match read {
                        Ok(receipt) => match receipt? {
                            Some(receipt) => Ok(Receipt {
                                warnings,
                                ..receipt
                            }),
                            None => continue,
                        },
                        Err(error) => {
                            if work.give_up() {
                                results.spool = Spool::default();
                            }
                            Err(error)
                        }
                    };
                    write(position, result, &mut results)?;
                }
            }
        }
        Ok(BatchOutcome {
            is_submitted: work.finish()?,
            results: BatchResults(SpoolReader::new(Box::new(results.spool))),
        })
    }
}

/// Refuses a key: all messages are one submission, and each key would be one's own.
#[cfg(feature = "idempotency")]
fn without_key(mut entry: BatchEntry) -> Result<BatchEntry, BatchError> {
    if entry.take_key()?.is_none() {
        return Ok(entry);
    }
    let detail = "The messages of an all-or-nothing batch cannot have keys: leave out `atomic` or \
                  `idempotencyKey`.";
    let problem = Problem::new(
        "/idempotencyKey".to_owned(),
        Refusal::new(Code::Conflict, detail),
    );
    Err(Problems::one(problem).into())
}

#[cfg(not(feature = "idempotency"))]
#[expect(clippy::unnecessary_wraps, reason = "there are no keys")]
fn without_key(entry: BatchEntry) -> Result<BatchEntry, BatchError> {
    Ok(entry)
}

/// What became of a batch of which all messages are submitted, or none.
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// Whether all are. Otherwise none is, since some break rules.
    pub is_submitted: bool,
    /// What was written down: the receipts of all messages, or the errors of the bad ones.
    pub results: BatchResults,
}

/// What was written down, in pieces.
#[derive(Debug)]
pub struct BatchResults(SpoolReader<Box<Spool>>);

impl Iterator for BatchResults {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut piece = vec![0; PIECE];
        match self.0.read(&mut piece) {
            Ok(0) => None,
            Ok(count) => {
                piece.truncate(count);
                Some(Ok(piece))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Where results are written down, on the file system of the pickup directory if they are many.
struct Results<'d> {
    spool: Spool,
    directory: &'d PickupDirectory,
}

impl Write for Results<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.spool.push(bytes);
        self.spool
            .flush(|| self.directory.scratch_file().map_err(io::Error::other))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is done with a message.
enum Work<'d> {
    /// Its files are written.
    Submit {
        directory: &'d PickupDirectory,
        /// Begun with the first message, whose identifier stands for all in errors.
        transaction: Option<Box<Transaction<'d>>>,
        /// All recipients.
        reserved: Reservation,
        /// Until it is begun.
        claim: Option<Box<Claim>>,
        #[cfg(feature = "idempotency")]
        whole: WholeReceipt,
    },
    /// Nothing, since another one has problems.
    Check,
}

impl Work<'_> {
    fn go_on(
        &mut self,
        message: &Message<'_>,
        submitter: &Submitter,
    ) -> Result<Option<Receipt>, SubmitError> {
        let Self::Submit {
            directory,
            transaction,
            reserved,
            claim,
            #[cfg(feature = "idempotency")]
            whole,
        } = self
        else {
            return Ok(None);
        };
        let identity = Identity::now();
        let transaction = transaction.get_or_insert_with(|| {
            Box::new(directory.begin_claimed(identity.id(), claim.take().map(|claim| *claim)))
        });
        let put = |file: PickupFile| transaction.write(file.name(), &file.chunks());
        let receipt = perform(MakeFiles::new(identity, put), message)?;
        #[cfg(feature = "idempotency")]
        if let Some(claim) = transaction.claim_mut() {
            whole.add(&receipt, claim);
        }
        #[cfg(feature = "outbox")]
        transaction.set_submission(receipt.id, receipt.envelope_ids.as_ref());
        #[cfg(feature = "queue")]
        transaction.add_virtual_mtas(&receipt.virtual_mtas.0);
        reserved.add(submitter.reserve_for(&receipt)?);
        Ok(Some(receipt))
    }

    /// Nothing is submitted any more. Whether it was up to now.
    fn give_up(&mut self) -> bool {
        matches!(mem::replace(self, Self::Check), Self::Submit { .. })
    }

    fn finish(self) -> Result<bool, SubmitError> {
        match self {
            Self::Submit {
                #[cfg_attr(
                    not(feature = "idempotency"),
                    expect(unused_mut, reason = "nothing is remembered")
                )]
                mut transaction,
                reserved,
                #[cfg(feature = "idempotency")]
                whole,
                ..
            } => {
                #[cfg(feature = "idempotency")]
                if let Some(claim) = transaction.as_mut().and_then(|it| it.claim_mut()) {
                    whole.remember(claim);
                }
                let committed = transaction.map_or(Ok(()), |transaction| transaction.commit());
                reserved.settle(&committed);
                committed?;
                Ok(true)
            }
            Self::Check => Ok(false),
        }
    }
}
