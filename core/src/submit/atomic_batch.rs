//! A batch whose messages are submitted together or not at all.

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

/// A batch whose messages are submitted together or not at all. It is kept on the file system of the pickup directory
/// until all of it has arrived.
///
/// ```
/// use pmtaemail::{AtomicBatch, BatchFormat, PickupDirectory, PickupOptions, Position};
///
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
    /// Starts a batch. `limit` is the maximum size of a message, in bytes.
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

    /// Includes the [`warnings`](crate::warnings) of each message in its receipt.
    #[must_use]
    pub fn with_warnings(mut self, warns: bool) -> Self {
        self.warns = warns;
        self
    }

    /// Submits the whole batch under one key. When the batch is sent again, a single receipt stands for all of it: it
    /// has all files in order, the number of all recipients, and the identifier of the first message.
    ///
    /// ```
    /// use pmtaemail::{AtomicBatch, BatchFormat, Claimed, Fingerprinter, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let lines = b"{\"from\": \"shop@example.com\", \"to\": \"ann@example.org\"}\n\
    ///               {\"from\": \"shop@example.com\", \"to\": \"bo@example.org\"}\n";
    /// let fingerprint = Fingerprinter::new(&["ndjson"]).with(lines).finish();
    /// let key = "night-2026-11-28".parse()?;
    /// if let Claimed::First(claim) = directory.claim(key, fingerprint)? {
    ///     let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20).with_claim(claim);
    ///     batch.feed(lines, Some(&directory))?;
    ///     assert!(batch.submit(&directory, |_, _, _| Ok(()))?.is_submitted);
    /// }
    /// let Claimed::Again(receipt) = directory.claim(key, fingerprint)? else { unreachable!("it was submitted") };
    /// assert_eq!((receipt.recipients, receipt.files.len()), (2, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn with_claim(mut self, claim: impl Into<Option<Claim>>) -> Self {
        self.claim = claim.into();
        self
    }

    /// Lets each receipt be found by its identifier, if there is a claim: see
    /// [`IdempotencyKey::of_receipt`](crate::IdempotencyKey::of_receipt).
    ///
    /// ```
    /// use pmtaemail::{AtomicBatch, BatchFormat, Claimed, Fingerprinter, IdempotencyKey, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let fingerprint = Fingerprinter::new(&["night run"]).finish();
    /// let Claimed::First(claim) = directory.claim("night-2026-11-28".parse()?, fingerprint)? else { return Ok(()) };
    /// let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20).with_claim(claim).naming_receipts();
    /// batch.feed(b"{\"from\": \"shop@example.com\", \"to\": \"ann@example.org\"}\n", Some(&directory))?;
    /// let mut id = None;
    /// batch.submit(&directory, |_, result, _| {
    ///     id = result.ok().map(|receipt| receipt.id);
    ///     Ok(())
    /// })?;
    /// assert!(directory.find_receipt(IdempotencyKey::of_receipt(id.unwrap()))?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "idempotency")]
    #[must_use]
    pub fn naming_receipts(mut self) -> Self {
        self.names_receipts = true;
        self
    }

    /// Submits the batch for this submitter. If they exceed a limit, nothing is submitted.
    ///
    /// ```
    /// use pmtaemail::{AtomicBatch, BatchFormat, PickupDirectory, PickupOptions, SenderDomains, Submitter};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let shop = Submitter::named("shop").with_senders(SenderDomains::from_iter(["example.com".parse()?]));
    /// let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20).with_submitter(shop);
    /// batch.feed(b"{\"from\": \"ann@example.org\", \"to\": \"bo@example.org\"}\n", Some(&directory))?;
    /// assert!(!batch.submit(&directory, |_, _, _| Ok(()))?.is_submitted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_submitter(mut self, submitter: Submitter) -> Self {
        self.submitter = submitter;
        self
    }

    /// Takes the next bytes. Large batches are kept on the file system of `directory`; with `None`, everything stays in
    /// memory.
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

    /// How many bytes are in memory; the others are on the file system of the directory.
    ///
    /// ```
    /// use pmtaemail::{AtomicBatch, BatchFormat, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20);
    /// let line = "{\"from\": \"shop@example.com\", \"to\": \"ann@example.org\"}\n";
    /// for _ in 0..100_000 {
    ///     batch.feed(line.as_bytes(), Some(&directory))?;
    /// }
    /// assert_eq!(batch.size(), 100_000 * line.len() as u64);
    /// assert!(batch.buffered() < 1 << 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn buffered(&self) -> usize {
        self.spool.buffered()
    }

    /// The size of the batch so far, in bytes.
    pub fn size(&self) -> u64 {
        self.spool.len()
    }

    /// Submits all messages if none of them breaks a rule. `write` is called for one message after the other and writes
    /// its result: receipts up to the first error, which are valid only if everything is submitted, and only errors
    /// after that. What it writes about receipts is discarded if there is an error.
    ///
    /// # Errors
    /// Nothing is submitted, unless [`may_be_delivered`](crate::PickupError::may_be_delivered) says that it may be:
    /// then that holds for the whole batch, and the error names one of its submissions.
    pub fn submit(
        self,
        directory: &PickupDirectory,
        write: impl FnMut(Position, Result<Receipt, BatchError>, &mut dyn Write) -> io::Result<()>,
    ) -> Result<BatchOutcome, SubmitError> {
        self.submit_while(directory, |_| true, write)
    }

    /// Like [`submit`](Self::submit), for a program that has to reserve memory for each message before it is parsed: if
    /// `admit` returns `false`, the batch ends and nothing is submitted.
    ///
    /// ```
    /// use pmtaemail::{AtomicBatch, BatchEntry, BatchFormat, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20);
    /// batch.feed(b"{\"from\": \"shop@example.com\", \"to\": \"ann@example.org\"}\n", Some(&directory))?;
    /// let mut memory = 10;
    /// let has_room = |entry: &BatchEntry| {
    ///     memory -= entry.size().min(memory);
    ///     memory > 0
    /// };
    /// let outcome = batch.submit_while(&directory, has_room, |_, _, _| Ok(()))?;
    /// assert!(!outcome.is_submitted);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`submit`](Self::submit).
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

/// Refuses a key: all messages are one submission, so there are no keys of single ones.
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

/// Outcome of an [`AtomicBatch`].
///
/// ```
/// use pmtaemail::{AtomicBatch, BatchFormat, BatchOutcome, PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
/// let mut batch = AtomicBatch::new(BatchFormat::Lines, 32 << 20);
/// batch.feed(b"{\"from\": \"shop@example.com\", \"to\": \"ann@example.org\"}\n", Some(&directory))?;
/// let BatchOutcome { is_submitted, results, .. } = batch.submit(&directory, |_, result, out| match result {
///     Ok(receipt) => writeln!(out, "submitted as {}", receipt.id),
///     Err(error) => writeln!(out, "{error}"),
/// })?;
/// assert!(is_submitted);
/// for piece in results {
///     print!("{}", String::from_utf8_lossy(&piece?));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BatchOutcome {
    /// Whether all messages are submitted. Otherwise none are, because some break a rule.
    pub is_submitted: bool,
    /// What was written: about the receipts of all messages, or about the errors of the invalid ones.
    pub results: BatchResults,
}

/// What was written about the messages of an [`AtomicBatch`], in pieces; see [`BatchOutcome`].
///
/// ```
/// use pmtaemail::BatchResults;
/// use std::io::{self, Write};
///
/// fn copy(results: BatchResults, mut out: impl Write) -> io::Result<()> {
///     for piece in results {
///         out.write_all(&piece?)?;
///     }
///     Ok(())
/// }
/// ```
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

/// Where results are written: on the file system of the pickup directory if there are many.
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
        /// Begun with the first message, whose identifier is used in errors.
        transaction: Option<Box<Transaction<'d>>>,
        /// All recipients.
        reserved: Reservation,
        /// Until it is begun.
        claim: Option<Box<Claim>>,
        #[cfg(feature = "idempotency")]
        whole: WholeReceipt,
    },
    /// Only checked, because another message has problems.
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

    /// Stops submitting. Returns whether that was still going on.
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
