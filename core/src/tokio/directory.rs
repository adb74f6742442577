//! PowerMTA's pickup directory, without a thread that waits for it.

use super::work::{prepare, submit};
use crate::Position;
use crate::idempotency::Claim;
#[cfg(feature = "idempotency")]
use crate::idempotency::{Fingerprint, IdempotencyKey};
use crate::identity::{Id, Identity};
use crate::interruption::Interruption;
use crate::message::Message;
use crate::pickup_directory::{PickupError, PickupOptions};
use crate::submit::{
    Batch, BatchEntry, BatchError, Receipt, StreamedMessage, Submission, SubmitError,
};
#[cfg(feature = "idempotency")]
use crate::submit::{ClaimError, Claimed};
use ::tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many submissions are at work at a time unless something else is asked for. Each has a file open, and processes
/// may have 1,024 of them by default.
const AT_ONCE: usize = 256;

/// PowerMTA's pickup directory, for programs that run on tokio: see the [module](super).
///
/// Clones share one directory, and its limit. Each method panics where it is awaited outside of a runtime of tokio.
///
/// ```
/// use pmtaemail::{PickupOptions, Submission, tokio::PickupDirectory};
/// use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path();
/// // Other threads may use it without tokio.
/// let blocking = pmtaemail::PickupDirectory::open(path, PickupOptions::default())?;
/// let pickup = PickupDirectory::new(blocking)?.with_most_at_once(64).with_inline_writes(4_096);
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
/// pickup.blocking().submit(&Submission::from_json(json)?)?;
///
/// let submitting = pickup.submit(Submission::from_json(json)?);
/// if tokio::time::timeout(Duration::from_nanos(1), submitting).await.is_err() {
///     // It may have been submitted.
///     pickup.settled().await;
/// }
/// let files = std::fs::read_dir(pickup.path())?.count();
/// assert!(files == 1 || files == 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct PickupDirectory {
    directory: Arc<crate::PickupDirectory>,
    room: Arc<Semaphore>,
    at_once: usize,
    inline: usize,
}

/// What became of a message that was read.
enum Made {
    /// It was committed, or had been before.
    Receipt(Box<Receipt>),
    /// It is rendered.
    Submission(Box<Submission>, Option<Claim>),
}

impl PickupDirectory {
    /// Opens the directory, as [`open`](crate::PickupDirectory::open) does, and starts the threads that commit.
    ///
    /// # Cancel safety
    /// Dropped, it leaves nothing open.
    ///
    /// # Errors
    /// Those of [`open`](crate::PickupDirectory::open), or the system gives no thread.
    pub async fn open(
        path: impl Into<PathBuf>,
        options: PickupOptions,
    ) -> Result<Self, PickupError> {
        let path = path.into();
        let opened = path.clone();
        prepare(&path, move || {
            let directory = crate::PickupDirectory::open(opened, options)?;
            let path = directory.path().to_owned();
            Self::new(directory).map_err(PickupError::without_threads(&path))
        })
        .await?
    }

    /// Shares a directory that is open with those who use it otherwise, and starts the threads that commit, unless they
    /// run. For a test it may be [in memory](crate::PickupDirectory::in_memory).
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn new(directory: impl Into<Arc<crate::PickupDirectory>>) -> io::Result<Self> {
        let directory = directory.into();
        directory.start_commit_threads()?;
        Ok(Self {
            directory,
            room: Arc::new(Semaphore::new(AT_ONCE)),
            at_once: AT_ONCE,
            inline: 0,
        })
    }

    /// Lets so many submissions be at work at a time, 256 by default, while others wait. Each has a file open; a mail
    /// merge, up to 64. Those of the clones made before are not counted.
    #[must_use]
    pub fn with_most_at_once(self, most: usize) -> Self {
        let at_once = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            room: Arc::new(Semaphore::new(at_once)),
            at_once,
            ..self
        }
    }

    /// Has what is rendered already, and has up to so many bytes, written by the thread that polls, without waiting for it
    /// to be synced. By default there is none such: to make a file takes some ten microseconds, but where the file system
    /// is about to write its journal it waits for that, with all that the runtime has to do. For a program that bounds
    /// what comes in, and whose threads have little else to do.
    #[must_use]
    pub fn with_inline_writes(self, bytes: usize) -> Self {
        Self {
            inline: bytes,
            ..self
        }
    }

    /// The directory, for all that has no method here. What it does blocks: use `tokio::task::spawn_blocking`.
    pub fn blocking(&self) -> &Arc<crate::PickupDirectory> {
        &self.directory
    }

    /// The absolute path of the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Submits what is rendered already; see [`submit`](crate::PickupDirectory::submit).
    ///
    /// ```
    /// use pmtaemail::{PickupOptions, Submission, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let mut tasks = tokio::task::JoinSet::new();
    /// for _ in 0..100 {
    ///     let (pickup, submission) = (pickup.clone(), Submission::from_json(json)?);
    ///     tasks.spawn(async move { pickup.submit(submission).await });
    /// }
    /// for result in tasks.join_all().await {
    ///     assert!(path.join(&result?.files[0]).exists());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped while it waits for its turn, nothing is submitted. Dropped later, it may be.
    pub async fn submit(&self, submission: Submission) -> Result<Receipt, PickupError> {
        self.hand_over(submission, None, |_| ()).await
    }

    /// Reads, checks and submits one JSON message, which may be a mail merge.
    ///
    /// ```
    /// use pmtaemail::{PickupOptions, SubmitError, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let json = r#"{"from": "shop@example.com", "to": "ann", "text": "Hello"}"#;
    /// match pickup.submit_json(json).await {
    ///     Err(SubmitError::Problems(problems)) => {
    ///         assert_eq!(problems.iter().next().map(|problem| problem.pointer()), Some("/to"));
    ///     }
    ///     other => panic!("{other:?}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// As that of [`submit_message`](Self::submit_message).
    pub async fn submit_json(&self, json: impl Into<Vec<u8>>) -> Result<Receipt, SubmitError> {
        let json = json.into();
        self.make_and_submit(move |directory, interruption| {
            match Message::from_json_unless(&json, interruption)? {
                Some(message) => Ok(made(directory, &message, None, interruption)?),
                None => Ok(None),
            }
        })
        .await
    }

    /// Submits a message, which may be a mail merge; see [`submit_message`](crate::PickupDirectory::submit_message). An
    /// `Arc` of one does as well, for who wants to try it again.
    ///
    /// # Cancel safety
    /// Dropped while it waits for its turn, is rendered or, of a mail merge, written, nothing is submitted. Dropped
    /// later, it may be.
    pub async fn submit_message(
        &self,
        message: impl Into<Arc<Message<'static>>>,
    ) -> Result<Receipt, PickupError> {
        let message = message.into();
        self.make_and_submit(move |directory, interruption| {
            made(directory, &message, None, interruption)
        })
        .await
    }

    /// Submits a message unless it was submitted under the key in the last 24 hours; see
    /// [`submit_message_once`](crate::PickupDirectory::submit_message_once).
    ///
    /// ```
    /// use pmtaemail::{Message, PickupOptions, tokio::PickupDirectory};
    /// use std::sync::Arc;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let pickup = PickupDirectory::open(&path, PickupOptions::default()).await?;
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").build()?;
    /// let message = Arc::new(message);
    /// let key = "order-4711".parse()?;
    /// let first = pickup.submit_message_once(Arc::clone(&message), key).await?;
    /// let again = pickup.submit_message_once(message, key).await?;
    /// assert!(again.replayed && again.id == first.id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// As that of [`submit_message`](Self::submit_message). Where nothing is submitted, the key is free again; where the
    /// message may be, asking again under the key tells.
    #[cfg(feature = "idempotency")]
    pub async fn submit_message_once(
        &self,
        message: impl Into<Arc<Message<'static>>>,
        key: IdempotencyKey,
    ) -> Result<Receipt, ClaimError> {
        let message = message.into();
        self.make_and_submit(move |directory, interruption| {
            match directory.claim(key, message.fingerprint())? {
                Claimed::First(claim) => Ok(made(directory, &message, Some(claim), interruption)?),
                Claimed::Again(receipt) => Ok(Some(Made::Receipt(receipt))),
            }
        })
        .await
    }

    /// Claims a key; see [`claim`](crate::PickupDirectory::claim). For messages that are known by something else than
    /// their mail, such as the body of a request.
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, PickupOptions, Submission, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let pickup = PickupDirectory::open(&path, PickupOptions::default()).await?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let fingerprint = Fingerprinter::new(&[]).with(json).finish();
    /// let receipt = match pickup.claim("order-4711".parse()?, fingerprint).await? {
    ///     Claimed::First(claim) => pickup.submit_claimed(Submission::from_json(json)?, claim).await?,
    ///     Claimed::Again(receipt) => *receipt,
    /// };
    /// assert!(!receipt.replayed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped, the key is free again, as soon as a thread that looks for it is done.
    #[cfg(feature = "idempotency")]
    pub async fn claim(
        &self,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Claimed, ClaimError> {
        if let Some(claim) = self.directory.claim_at_once(key, fingerprint) {
            return Ok(Claimed::First(claim));
        }
        let directory = Arc::clone(&self.directory);
        let permit = self.take_room().await;
        let claim = move || (directory.claim(key, fingerprint), permit);
        let (claimed, _permit) = prepare(self.path(), claim).await?;
        claimed
    }

    /// Submits what is rendered already under a key, without a claim just so; see
    /// [`submit_claimed`](crate::PickupDirectory::submit_claimed).
    ///
    /// # Cancel safety
    /// As that of [`submit`](Self::submit). Where nothing is submitted, the key is free again.
    #[cfg(feature = "idempotency")]
    pub async fn submit_claimed(
        &self,
        submission: Submission,
        claim: impl Into<Option<Claim>>,
    ) -> Result<Receipt, PickupError> {
        self.hand_over(submission, claim.into(), |_| ()).await
    }

    /// The same with something that is told the outcome also where the future has been dropped: for quotas, and for the
    /// log. It is called by a thread that commits, so it should be quick, and not at all if nothing was begun.
    ///
    /// ```
    /// use pmtaemail::{PickupOptions, Submission, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let (sender, outcomes) = std::sync::mpsc::channel();
    /// let told = move |result: &Result<_, _>| sender.send(result.is_ok()).unwrap();
    /// pickup.submit_claimed_then(Submission::from_json(json)?, None, told).await?;
    /// assert!(outcomes.recv()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// As that of [`submit_claimed`](Self::submit_claimed).
    #[cfg(feature = "idempotency")]
    pub async fn submit_claimed_then(
        &self,
        submission: Submission,
        claim: impl Into<Option<Claim>>,
        then: impl FnOnce(&Result<Receipt, PickupError>) + Send + 'static,
    ) -> Result<Receipt, PickupError> {
        self.hand_over(submission, claim.into(), then).await
    }

    /// Submits many, which share their syncs: one result for each, in order. Each succeeds or fails by itself; see
    /// [`submit_many`](crate::PickupDirectory::submit_many).
    ///
    /// ```
    /// use pmtaemail::{PickupOptions, Submission, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submissions: Result<Vec<_>, _> = (0..1_000).map(|_| Submission::from_json(json)).collect();
    /// let results = pickup.submit_many(submissions?).await;
    /// assert!(results.len() == 1_000 && results.iter().all(Result::is_ok));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// They are submitted in groups. Dropped, no further group is begun; those before may be submitted.
    pub async fn submit_many(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
    ) -> Vec<Result<Receipt, PickupError>> {
        let submissions: Vec<_> = submissions.into_iter().collect();
        let ids: Vec<_> = submissions
            .iter()
            .map(|submission| *submission.id())
            .collect();
        let directory = Arc::clone(&self.directory);
        let permit = self.take_room().await;
        let submitted = submit(self.path(), move |interruption| {
            let _permit = permit;
            submit_groups(&directory, submissions, interruption)
        });
        submitted.await.unwrap_or_else(|error| {
            let failed = |id: Id| Err(error.clone().with_id(Some(id)));
            ids.into_iter().map(failed).collect()
        })
    }

    /// Submits messages of a batch, which share their syncs: one result for each, in order; see
    /// [`BatchReader`](crate::BatchReader).
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader, PickupOptions, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let mut reader = BatchReader::new(BatchFormat::Lines, 1 << 20);
    /// reader.feed(b"{\"from\": \"a@example.com\", \"to\": \"b@example.org\"}\n{\"from\": 1}\n");
    /// let results = pickup.submit_batch(reader.take()).await;
    /// assert!(results[0].1.is_ok() && results[1].1.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped while it waits for its turn, nothing is submitted. Dropped later, all of them may be.
    pub async fn submit_batch(
        &self,
        entries: Vec<BatchEntry>,
    ) -> Vec<(Position, Result<Receipt, BatchError>)> {
        let positions: Vec<_> = entries.iter().map(BatchEntry::position).collect();
        let directory = Arc::clone(&self.directory);
        let permit = self.take_room().await;
        let submitted = submit(self.path(), move |_| {
            let _permit = permit;
            directory.submit_batch(entries)
        });
        submitted.await.unwrap_or_else(|error| {
            let failed = |position| (position, Err(error.clone().into()));
            positions.into_iter().map(failed).collect()
        })
    }

    /// Submits a message whose recipients came piece by piece: see [`MessageStream`](crate::MessageStream) and
    /// `TableStream`. To feed these may block for as long as it takes to write the bytes to a file.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, PickupOptions, StreamFormat, tokio::PickupDirectory};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path();
    /// let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
    /// let mut stream = MessageStream::new(StreamFormat::Ndjson);
    /// for line in ["{\"from\": \"a@example.com\", \"text\": \"Hello\"}\n", "\"b@example.org\"\n"] {
    ///     stream.feed(line.as_bytes(), Some(pickup.blocking()))?;
    /// }
    /// assert_eq!(pickup.submit_stream(stream.finish()).await?.recipients, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped while it waits for its turn, nothing is submitted. Dropped later, it may be.
    pub async fn submit_stream(&self, message: StreamedMessage) -> Result<Receipt, SubmitError> {
        let directory = Arc::clone(&self.directory);
        let permit = self.take_room().await;
        submit(self.path(), move |_| {
            let _permit = permit;
            message.submit(&directory)
        })
        .await?
    }

    /// Waits until all is done that was begun before, also by futures that were dropped: for a program that is about to
    /// end.
    ///
    /// # Cancel safety
    /// Dropped, it changes nothing.
    pub async fn settled(&self) {
        let all = u32::try_from(self.at_once).unwrap_or(u32::MAX);
        // It is never closed.
        drop(self.room.acquire_many(all).await);
    }

    /// Renders, or finds, in a blocking thread, and leaves what is rendered to the threads that commit.
    async fn make_and_submit<E: From<PickupError> + Send + 'static>(
        &self,
        make: impl FnOnce(&crate::PickupDirectory, Interruption<'_>) -> Result<Option<Made>, E>
        + Send
        + 'static,
    ) -> Result<Receipt, E> {
        let directory = Arc::clone(&self.directory);
        let permit = self.take_room().await;
        let (sender, result) = oneshot::channel();
        submit(self.path(), move |interruption| {
            let done = move |result| {
                drop(permit);
                // There is nobody to tell if the future was dropped.
                let _ = sender.send(result);
            };
            match make(&directory, interruption) {
                Ok(Some(Made::Receipt(receipt))) => done(Ok(*receipt)),
                Ok(Some(Made::Submission(submission, claim))) if !interruption.is_wanted() => {
                    let transaction = directory.begin_claimed(*submission.id(), claim);
                    submission.commit_with(transaction, |result| done(result.map_err(E::from)));
                }
                // It was interrupted.
                Ok(_) => {}
                Err(error) => done(Err(error)),
            }
        })
        .await?;
        match result.await {
            Ok(result) => result,
            Err(_) => Err(PickupError::ended_early(self.path()).into()),
        }
    }

    /// Writes what is rendered and leaves it to the threads that commit.
    async fn hand_over(
        &self,
        submission: Submission,
        claim: Option<Claim>,
        then: impl FnOnce(&Result<Receipt, PickupError>) + Send + 'static,
    ) -> Result<Receipt, PickupError> {
        let id = *submission.id();
        let permit = self.take_room().await;
        let is_quick = submission.size() <= self.inline as u64 && !self.directory.has_leftovers();
        let (sender, result) = oneshot::channel();
        let directory = Arc::clone(&self.directory);
        let write = move || {
            let transaction = directory.begin_claimed(id, claim);
            submission.commit_with(transaction, move |result| {
                drop(permit);
                then(&result);
                // There is nobody to tell if the future was dropped.
                let _ = sender.send(result);
            });
        };
        let unknown = |error: PickupError| error.with_id(Some(id));
        if is_quick {
            write();
        } else {
            submit(self.path(), |_| write()).await.map_err(unknown)?;
        }
        let result = result.await;
        result.unwrap_or_else(|_| Err(unknown(PickupError::ended_early(self.path()))))
    }

    async fn take_room(&self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        Arc::clone(&self.room).acquire_owned().await.ok()
    }
}

/// A mail merge is written as it is made, and committed; another message is rendered alone. `None`: it was interrupted.
fn made(
    directory: &crate::PickupDirectory,
    message: &Message<'_>,
    claim: Option<Claim>,
    interruption: Interruption<'_>,
) -> Result<Option<Made>, PickupError> {
    if message.is_merge() {
        let receipt = directory.submit_unless(message, Identity::now(), claim, interruption)?;
        return Ok(receipt.map(|receipt| Made::Receipt(Box::new(receipt))));
    }
    let submission = Box::new(Submission::new(message));
    Ok(Some(Made::Submission(submission, claim)))
}

/// Submits group by group until it is interrupted.
fn submit_groups(
    directory: &crate::PickupDirectory,
    submissions: Vec<Submission>,
    interruption: Interruption<'_>,
) -> Vec<Result<Receipt, PickupError>> {
    let mut batch = Batch::new(directory);
    let mut results = Vec::with_capacity(submissions.len());
    for submission in submissions {
        batch.push_submission(submission);
        if batch.is_full() {
            results.extend(batch.commit());
        }
        if interruption.is_wanted() {
            return results;
        }
    }
    results.extend(batch.commit());
    results
}
