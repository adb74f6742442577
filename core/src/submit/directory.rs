//! What a pickup directory does with messages.

use super::action::perform_unless;
use super::batch::Batch;
use super::files::MakeFiles;
use super::receipt::Receipt;
use super::remember::remember;
use super::submission::Submission;
use crate::identity::Identity;
use crate::interruption::{Interruption, uninterrupted};
use crate::message::Message;
use crate::pickup_directory::{PickupDirectory, PickupError};
use crate::pickup_file::PickupFile;

impl PickupDirectory {
    /// Hands a submission over: all of its files, or none. When this returns they are visible and,
    /// unless that was switched off, durable. Blocks; threads that submit at the same time share
    /// their syncs.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions, Submission};
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

    /// Hands a submission over as [`submit`](Self::submit) does, without waiting for it: `done` is called once with
    /// the receipt or the error, by a thread that commits, so it should be quick. This writes the files and blocks no
    /// longer; for that [the threads](Self::start_commit_threads) have to run.
    ///
    /// ```
    /// use pmtaemail::{PickupDirectory, PickupOptions, Submission};
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

    /// Submits a message as [`submit`](Self::submit) does, but writes each file of a mail merge as soon
    /// as it is made: they are never all in memory.
    pub fn submit_message(&self, message: &Message<'_>) -> Result<Receipt, PickupError> {
        self.submit_message_with(message, Identity::now())
    }

    /// The same with a time and an identifier that are known already. Where files of that identifier
    /// are there, nothing is submitted: [`PickupErrorKind::AlreadyExists`].
    ///
    /// [`PickupErrorKind::AlreadyExists`]: crate::PickupErrorKind::AlreadyExists
    pub fn submit_message_with(
        &self,
        message: &Message<'_>,
        identity: Identity,
    ) -> Result<Receipt, PickupError> {
        let receipt = self.submit_unless(message, identity, Interruption::NEVER)?;
        Ok(uninterrupted(receipt))
    }

    /// Submits a message as [`submit_message`](Self::submit_message) does, unless it is interrupted:
    /// `None` then, and nothing is submitted. What is being made durable already is not interrupted.
    pub fn submit_message_unless(
        &self,
        message: &Message<'_>,
        interruption: Interruption<'_>,
    ) -> Result<Option<Receipt>, PickupError> {
        self.submit_unless(message, Identity::now(), interruption)
    }

    fn submit_unless(
        &self,
        message: &Message<'_>,
        identity: Identity,
        interruption: Interruption<'_>,
    ) -> Result<Option<Receipt>, PickupError> {
        let mut transaction = self.begin_submission(identity.id());
        let put = |file: PickupFile| transaction.write(file.name(), &file.chunks());
        let receipt = perform_unless(MakeFiles::new(identity, put), message, interruption)?;
        if let Some(receipt) = &receipt {
            remember(&mut transaction, receipt);
            transaction.commit()?;
        }
        Ok(receipt)
    }

    /// Submits many messages, which share their syncs: one result for each, in order. Each of them
    /// succeeds or fails by itself. See [`Batch`] for messages that are not rendered yet.
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
