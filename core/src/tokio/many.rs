//! Many messages, and one with many recipients.

use super::directory::PickupDirectory;
use super::room::{OF_TRANSACTION, of_entries, of_submissions};
use super::work::submit;
use crate::identity::Id;
use crate::interruption::Interruption;
use crate::pickup_directory::PickupError;
use crate::submit::{
    Batch, BatchEntry, BatchError, Position, Receipt, StreamedMessage, Submission, SubmitError,
};
use std::sync::Arc;

/// Many messages, and one with many recipients.
impl PickupDirectory {
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
        let place = self.take_room(of_submissions(&submissions)).await;
        let submitted = submit(self.path(), move |interruption| {
            let _place = place;
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
        let place = self.take_room(of_entries(&entries)).await;
        let submitted = submit(self.path(), move |_| {
            let _place = place;
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
        let place = self.take_room(OF_TRANSACTION).await;
        submit(self.path(), move |_| {
            let _place = place;
            message.submit(&directory)
        })
        .await?
    }
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
