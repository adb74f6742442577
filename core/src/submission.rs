//! From a message to the pickup files that stand for it.

use crate::message::{Merge, Message, MessageKind, Recipients, SingleMessage};
use crate::pickup_directory::{PickupDirectory, PickupError, Transaction};
use crate::pickup_file::{Envids, Packer, PickupFile, pickup_files};
use crate::problem::Problems;
use crate::stamp::{Id, Stamp};
use serde::Serialize;
use std::convert::Infallible;

/// A message, rendered and addressed, ready for the pickup directory.
///
/// It owns all it needs and may be sent to another thread.
///
/// ```
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;
/// let submission = pmtaemail::Submission::from_json(json)?;
/// assert_eq!(submission.recipients(), 1);
/// assert_eq!(submission.files()[0].name(), format!("{}.eml", submission.id()));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone)]
pub struct Submission {
    id: Id,
    message_id: String,
    files: Vec<PickupFile>,
    recipients: usize,
    envids: Option<Envids>,
}

impl Submission {
    /// Reads, checks and renders one JSON message.
    pub fn from_json(octets: &[u8]) -> Result<Self, Problems> {
        Ok(Self::new(&Message::from_json(octets)?))
    }

    /// Renders a message; the clock is read here, and a new identifier made.
    pub fn new(message: &Message<'_>) -> Self {
        let stamp = Stamp::now();
        match message.kind() {
            MessageKind::Single(message) => Self::single(message, &stamp),
            MessageKind::Merge(merge, recipients) => {
                let Ok(submission) =
                    Self::merged(merge, recipients, stamp, |_| Ok::<(), Infallible>(()));
                submission
            }
        }
    }

    /// The same, unless this is a mail merge whose files have more octets than `most` together. They
    /// should not all be in memory: [`PickupDirectory::submit_message`] hands them over.
    pub fn within(most: u64, message: &Message<'_>) -> Option<Self> {
        let stamp = Stamp::now();
        let mut left = most;
        let fits = |file: &PickupFile| match left.checked_sub(file.octets()) {
            Some(rest) => {
                left = rest;
                Ok(())
            }
            None => Err(()),
        };
        match message.kind() {
            MessageKind::Single(message) => Some(Self::single(message, &stamp)),
            MessageKind::Merge(merge, recipients) => {
                Self::merged(merge, recipients, stamp, fits).ok()
            }
        }
    }

    fn single(message: &SingleMessage<'_>, stamp: &Stamp) -> Self {
        let envelope = message.envelope();
        Self {
            message_id: message.message_id(stamp),
            files: pickup_files(
                &stamp.id,
                &envelope,
                &message.delivery,
                message.render(stamp),
            ),
            recipients: envelope.forward_paths.len(),
            id: stamp.id,
            envids: None,
        }
    }

    /// Ends with the first file that does not pass.
    fn merged<E>(
        merge: &Merge<'_>,
        recipients: &Recipients<'_>,
        stamp: Stamp,
        mut pass: impl FnMut(&PickupFile) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut packer = Packer::new(merge, stamp);
        let mut files = Vec::new();
        let mut take = |file| {
            pass(&file)?;
            files.push(file);
            Ok(())
        };
        let mut recipients = recipients.as_slice().iter();
        let merged = recipients
            .try_for_each(|recipient| packer.add(recipient, &mut take))
            .and_then(|()| packer.finish(take));
        merged.map(|made| Self {
            id: made.id,
            message_id: String::new(),
            files,
            recipients: made.recipients,
            envids: Some(made.envids),
        })
    }

    /// The word that joins receipt, file name, log line and, where the message has no Message-ID
    /// of its own, the Message-ID.
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// The Message-ID without its angle brackets; empty for a mail merge, each message of which has
    /// its own.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The files, each with at most 5,000 recipients.
    pub fn files(&self) -> &[PickupFile] {
        &self.files
    }

    /// How many different recipients there are.
    pub fn recipients(&self) -> usize {
        self.recipients
    }

    /// The size of all files, in octets.
    pub fn octets(&self) -> u64 {
        self.files.iter().map(PickupFile::octets).sum()
    }

    /// What the caller gets back once the files are in the pickup directory.
    pub fn receipt(&self) -> Receipt {
        Receipt {
            id: self.id,
            message_id: self.message_id.clone(),
            files: self
                .files
                .iter()
                .map(|file| file.name().to_owned())
                .collect(),
            recipients: self.recipients,
            octets: self.octets(),
            envids: self.envids.clone(),
        }
    }
}

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
        self.write(submission)?.commit()?;
        Ok(submission.receipt())
    }

    /// Hands many submissions over, which share their syncs: one result for each, in order. Each of
    /// them succeeds or fails by itself.
    ///
    /// ```
    /// # use pmtaemail::{PickupDirectory, PickupOptions, Submission};
    /// # let temporary = tempfile::tempdir().unwrap();
    /// # let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submissions = [Submission::from_json(json).unwrap(), Submission::from_json(json).unwrap()];
    /// let receipts = directory.submit_many(&submissions);
    /// assert!(receipts.iter().all(Result::is_ok));
    /// ```
    pub fn submit_many(&self, submissions: &[Submission]) -> Vec<Result<Receipt, PickupError>> {
        let mut results = Vec::with_capacity(submissions.len());
        let mut rest = submissions;
        while let Some(first) = rest.first() {
            let mut files = first.files.len();
            let more = rest[1..].iter().take_while(|next| {
                files += next.files.len();
                files <= FILES_AT_A_TIME
            });
            let (group, after) = rest.split_at(1 + more.count());
            results.extend(self.submit_group(group));
            rest = after;
        }
        results
    }

    fn submit_group(&self, group: &[Submission]) -> Vec<Result<Receipt, PickupError>> {
        let written = group
            .iter()
            .map(|submission| Ok((submission.receipt(), self.write(submission)?)))
            .collect();
        self.commit_all(written)
    }

    fn write(&self, submission: &Submission) -> Result<Transaction<'_>, PickupError> {
        let mut transaction = self.begin();
        for file in &submission.files {
            transaction.write(file.name(), &file.chunks())?;
        }
        Ok(transaction)
    }
}

/// Each file that is not committed may hold a descriptor, of which a process often has 1,024.
const FILES_AT_A_TIME: usize = 256;

/// What a submission became. Serializes as `{id, messageId, files, recipients, octets}`, and with
/// `envids` for a mail merge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Receipt {
    /// Unique, and sorts by time.
    pub id: Id,
    /// The Message-ID without angle brackets; empty for a mail merge.
    pub message_id: String,
    /// The names of the files in the pickup directory.
    pub files: Vec<String>,
    /// How many different recipients.
    pub recipients: usize,
    /// The size of all files, in octets.
    pub octets: u64,
    /// The envelope ids of a mail merge's recipients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envids: Option<Envids>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PickupOptions;

    #[test]
    fn a_merge_is_held_in_memory_up_to_a_limit() {
        let merge = |form: &str| {
            let recipients = vec![r#""ann@example.org""#; 100].join(",");
            format!(
                r#"{{"from": "shop@example.com", "text": "Hello", "merge": "{form}",
                     "recipients": [{recipients}]}}"#
            )
        };
        for form in ["native", "expanded"] {
            let json = merge(form);
            let message = Message::from_json(json.as_bytes()).unwrap();
            let octets = Submission::new(&message).octets();
            let within = Submission::within(octets, &message).unwrap();
            assert_eq!((within.recipients(), within.octets()), (100, octets));
            assert!(Submission::within(octets - 1, &message).is_none());
        }
        let json = br#"{"from": "shop@example.com", "to": "ann@example.org"}"#;
        assert!(Submission::within(0, &Message::from_json(json).unwrap()).is_some());
    }

    #[test]
    fn many_submissions_are_handed_over_each_by_itself() {
        let temporary = tempfile::tempdir().unwrap();
        let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
        let json = br#"{"from": "shop@example.com", "to": "ann@example.org"}"#;
        let mut submissions: Vec<_> = (0..2 * FILES_AT_A_TIME + 3)
            .map(|_| Submission::from_json(json).unwrap())
            .collect();
        // A name that is taken is the error of this one alone.
        submissions[300] = submissions[7].clone();
        let results = directory.submit_many(&submissions);
        for (index, (submission, result)) in submissions.iter().zip(&results).enumerate() {
            match result {
                Ok(receipt) => assert_eq!(receipt.id, submission.id),
                Err(_) => assert_eq!(index, 300),
            }
        }
        let files = std::fs::read_dir(temporary.path()).unwrap().count();
        assert_eq!(
            (results.len(), files),
            (submissions.len(), submissions.len() - 1)
        );
        assert!(directory.submit_many(&[]).is_empty());
    }
}
