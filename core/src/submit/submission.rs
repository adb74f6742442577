//! A message as the pickup files that it becomes, in memory.

use super::action::perform;
use super::files::{FileSink, MakeFiles, Summary};
use super::receipt::Receipt;
use crate::identity::{Id, Identity};
use crate::message::Message;
use crate::pickup_file::PickupFile;
use crate::problem::Problems;
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
    summary: Summary,
    files: Vec<PickupFile>,
}

/// Keeps the files of a message in memory.
#[derive(Debug, Default)]
pub(super) struct InMemory(pub Vec<PickupFile>);

impl FileSink for InMemory {
    type Output = Submission;
    type Error = Infallible;

    fn put(&mut self, file: PickupFile) -> Result<(), Infallible> {
        self.0.push(file);
        Ok(())
    }

    fn finish(self, summary: Summary) -> Submission {
        Submission {
            summary,
            files: self.0,
        }
    }
}

impl Submission {
    /// Reads, checks and renders one JSON message.
    pub fn from_json(octets: &[u8]) -> Result<Self, Problems> {
        Ok(Self::new(&Message::from_json(octets)?))
    }

    /// Renders a message; the clock is read here, and a new identifier made. All files of a mail merge
    /// are in memory then, which [`submit_message`](crate::PickupDirectory::submit_message) and
    /// [`Batch`](crate::Batch) avoid.
    pub fn new(message: &Message<'_>) -> Self {
        Self::with_identity(message, Identity::now())
    }

    /// Renders a message with a time and an identifier that are known already.
    pub fn with_identity(message: &Message<'_>, identity: Identity) -> Self {
        let sink = InMemory::default();
        let Ok(submission) = perform(MakeFiles { identity, sink }, message);
        submission
    }

    /// The word that joins receipt, file name, log line and, where the message has no Message-ID
    /// of its own, the Message-ID.
    pub fn id(&self) -> &Id {
        &self.summary.id
    }

    /// The Message-ID without its angle brackets. A mail merge has none, since each of its messages
    /// has its own; nor has a finished message without that field.
    pub fn message_id(&self) -> Option<&str> {
        self.summary.message_id.as_deref()
    }

    /// The files, each with at most 5,000 recipients.
    pub fn files(&self) -> &[PickupFile] {
        &self.files
    }

    /// How many different recipients there are.
    pub fn recipients(&self) -> usize {
        self.summary.recipients
    }

    /// The size of all files, in bytes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(PickupFile::size).sum()
    }

    /// What the caller gets back once the files are in the pickup directory.
    pub fn receipt(&self) -> Receipt {
        let names = self.files.iter().map(|file| file.name().to_owned());
        Receipt::new(self.summary.clone(), names.collect(), self.size())
    }

    pub(super) fn summary(&self) -> &Summary {
        &self.summary
    }
}
