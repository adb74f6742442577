//! One message.

use super::directory::PickupDirectory;
use super::room::{of_json, of_message, of_submission};
#[cfg(feature = "idempotency")]
use super::work::prepare;
use super::work::submit;
use crate::idempotency::Claim;
#[cfg(feature = "idempotency")]
use crate::idempotency::{Fingerprint, IdempotencyKey};
use crate::identity::Identity;
use crate::interruption::Interruption;
use crate::message::Message;
#[cfg(feature = "idempotency")]
use crate::pickup_directory::ClaimError;
use crate::pickup_directory::PickupError;
#[cfg(feature = "idempotency")]
use crate::submit::Claimed;
use crate::submit::{Receipt, Submission, SubmitError};
use ::tokio::sync::oneshot;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What became of a message that was read.
enum Made {
    /// It was committed, or had been before.
    Receipt(Box<Receipt>),
    /// It is rendered.
    Submission(Box<Submission>, Option<Claim>),
}

/// One message.
impl PickupDirectory {
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
        let files = of_json(&json);
        self.make_and_submit(
            files,
            move |directory, interruption| match Message::from_json_unless(&json, interruption)? {
                Some(message) => Ok(made(directory, &message, None, interruption)?),
                None => Ok(None),
            },
        )
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
        let files = of_message(&message);
        self.make_and_submit(files, move |directory, interruption| {
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
        let files = of_message(&message);
        self.make_and_submit(files, move |directory, interruption| {
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
        let place = self.take_room(1).await;
        let claim = move || (directory.claim(key, fingerprint), place);
        let (claimed, _place) = prepare(self.path(), claim).await?;
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
    /// log. It is called once, or not at all if nothing was begun, before [`settled`](Self::settled) returns. Its panic is
    /// reported by the panic hook alone.
    ///
    /// It should be quick, and take no lock that is held while this is awaited: it is called by a thread that commits, or
    /// where no thread has to (nothing is durable, the directory is in memory, a file could not be written) by the one
    /// that writes, which is a blocking thread of tokio's or, with [inline writes](Self::with_inline_writes), the one that
    /// polls.
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

    /// Renders, or finds, in a blocking thread, and leaves what is rendered to the threads that commit.
    async fn make_and_submit<E: From<PickupError> + Send + 'static>(
        &self,
        files: usize,
        make: impl FnOnce(&crate::PickupDirectory, Interruption<'_>) -> Result<Option<Made>, E>
        + Send
        + 'static,
    ) -> Result<Receipt, E> {
        let directory = Arc::clone(&self.directory);
        let place = self.take_room(files).await;
        let (sender, result) = oneshot::channel();
        submit(self.path(), move |interruption| {
            let done = move |result| {
                drop(place);
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
        let place = self.take_room(of_submission(&submission)).await;
        // What is slow is to make a file, however small.
        let is_small = submission.files().len() == 1 && submission.size() <= self.inline as u64;
        let is_quick = is_small && !self.directory.has_leftovers();
        let (sender, result) = oneshot::channel();
        let directory = Arc::clone(&self.directory);
        let write = move || {
            let transaction = directory.begin_claimed(id, claim);
            submission.commit_with(transaction, move |result| {
                // The mail is what it is, even if that panics.
                let _ = catch_unwind(AssertUnwindSafe(|| then(&result)));
                drop(place);
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
