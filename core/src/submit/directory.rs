//! What a pickup directory does with messages.

use super::action::perform_unless;
use super::batch::Batch;
use super::files::MakeFiles;
use super::receipt::Receipt;
use super::remember::remember;
use super::submission::Submission;
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::interruption::{Interruption, uninterrupted};
use crate::message::Message;
use crate::pickup_directory::{PickupDirectory, PickupError};
use crate::pickup_file::PickupFile;

impl PickupDirectory {
    /// Submits all files of a submission, or none. When this returns they are visible and, unless that was switched
    /// off, durable. Blocks; threads that submit at the same time share their syncs.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions, Submission};
    ///
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let path = temporary.path();
    /// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let receipt = directory.submit(&Submission::from_json(json).unwrap()).unwrap();
    /// assert!(path.join(&receipt.files[0]).exists());
    /// ```
    pub fn submit(&self, submission: &Submission) -> Result<Receipt, PickupError> {
        let mut transaction = self.begin_submission(*submission.id());
        for file in submission.files() {
            transaction.write(file.name(), &file.chunks())?;
        }
        let receipt = submission.receipt();
        remember(&mut transaction, &receipt);
        transaction.commit()?;
        Ok(receipt)
    }

    /// Like [`submit`](Self::submit) without waiting: this writes the files and returns, and `done` is called once with
    /// the receipt or the error. It runs on a commit thread, so it should be quick. [The commit
    /// threads](Self::start_commit_threads) must be running; otherwise this blocks.
    ///
    /// `done` runs on this thread, before this returns, if a file cannot be written, nothing has to be durable, the
    /// directory is in memory, or there are no commit threads. So do not hold a lock here that it takes.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions, Submission};
    ///
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let path = temporary.path();
    /// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
    /// directory.start_commit_threads().unwrap();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let (sender, results) = std::sync::mpsc::channel();
    /// for _ in 0..10 {
    ///     let sender = sender.clone();
    ///     let submission = Submission::from_json(json).unwrap();
    ///     directory.submit_with(submission, move |result| sender.send(result).unwrap());
    /// }
    /// let receipts = results.iter().take(10);
    /// assert!(receipts.map(Result::unwrap).all(|receipt| path.join(&receipt.files[0]).exists()));
    /// ```
    pub fn submit_with(
        &self,
        submission: Submission,
        done: impl FnOnce(Result<Receipt, PickupError>) + Send + 'static,
    ) {
        let transaction = self.begin_submission(*submission.id());
        submission.commit_with(transaction, done);
    }

    /// Like [`submit`](Self::submit) for a message that is not rendered yet. Each file of a mail merge is written as
    /// soon as it is made, so they are never all in memory.
    ///
    /// ```
    /// use pmtaemail::{Message, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
    /// let receipt = directory.submit_message(&message)?;
    /// assert_eq!(receipt.recipients, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_message(&self, message: &Message<'_>) -> Result<Receipt, PickupError> {
        self.submit_message_with(message, Identity::now())
    }

    /// Like [`submit_message`](Self::submit_message), with a time and an identifier that you already have. If files
    /// with this identifier exist, nothing is submitted: [`PickupErrorKind::AlreadyExists`].
    ///
    /// ```
    /// use pmtaemail::{Identity, Message, PickupDirectory, PickupErrorKind, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
    /// let identity = Identity::now();
    /// assert_eq!(directory.submit_message_with(&message, identity)?.id, identity.id());
    /// let error = directory.submit_message_with(&message, identity).unwrap_err();
    /// assert_eq!(error.kind(), PickupErrorKind::AlreadyExists);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// [`PickupErrorKind::AlreadyExists`]: crate::PickupErrorKind::AlreadyExists
    pub fn submit_message_with(
        &self,
        message: &Message<'_>,
        identity: Identity,
    ) -> Result<Receipt, PickupError> {
        let receipt = self.submit_unless(message, identity, None, Interruption::NEVER)?;
        Ok(uninterrupted(receipt))
    }

    /// Like [`submit_message`](Self::submit_message); if it is interrupted, nothing is submitted and this returns
    /// `None`. The final sync cannot be interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "recipients": ["ann@example.org"], "text": "Hello"}"#)?;
    /// let has_been_cancelled = || true;
    /// assert!(directory.submit_message_unless(&message, Interruption::new(&has_been_cancelled))?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_message_unless(
        &self,
        message: &Message<'_>,
        interruption: Interruption<'_>,
    ) -> Result<Option<Receipt>, PickupError> {
        self.submit_unless(message, Identity::now(), None, interruption)
    }

    pub(crate) fn submit_unless(
        &self,
        message: &Message<'_>,
        identity: Identity,
        claim: Option<Claim>,
        interruption: Interruption<'_>,
    ) -> Result<Option<Receipt>, PickupError> {
        let mut transaction = self.begin_claimed(identity.id(), claim);
        let put = |file: PickupFile| transaction.write(file.name(), &file.chunks());
        let receipt = perform_unless(MakeFiles::new(identity, put), message, interruption)?;
        if let Some(receipt) = &receipt {
            remember(&mut transaction, receipt);
            transaction.commit()?;
        }
        Ok(receipt)
    }

    /// Submits many messages that share their syncs and returns one result for each, in order. Each succeeds or fails
    /// by itself. Use [`Batch`] for messages that are not rendered yet.
    ///
    /// ```
    /// # use pmtaemail::{PickupDirectory, PickupOptions, Submission};
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submissions = [Submission::from_json(json).unwrap(), Submission::from_json(json).unwrap()];
    /// let receipts = directory.submit_many(submissions);
    /// assert!(receipts.iter().all(Result::is_ok));
    /// ```
    pub fn submit_many(
        &self,
        submissions: impl IntoIterator<Item = Submission>,
    ) -> Vec<Result<Receipt, PickupError>> {
        let mut batch = Batch::new(self);
        let mut results = Vec::new();
        for submission in submissions {
            batch.push_submission(submission);
            if batch.is_full() {
                results.extend(batch.commit());
            }
        }
        results.extend(batch.commit());
        results
    }
}
