//! A message as pickup files in memory.

use super::action::{perform, perform_unless};
use super::files::{MakeFiles, Sink};
use super::receipt::Receipt;
use super::remember::remember;
use crate::identity::{Id, Identity};
use crate::interruption::{Interruption, uninterrupted};
use crate::message::{Message, Warning};
use crate::pickup_directory::{PickupError, Transaction};
use crate::pickup_file::{Identifiers, PickupFile};
use crate::problem::Problems;
use crate::spool::Spool;
use std::convert::Infallible;

/// A message, rendered and addressed, ready for the pickup directory.
///
/// It owns its data and can be sent to another thread.
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
    pub(super) receipt: Receipt,
    pub(super) files: Vec<PickupFile>,
}

impl Submission {
    /// Parses, checks and renders a JSON message.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Problems> {
        Ok(Self::new(&Message::from_json(bytes)?))
    }

    /// Renders a message with the current time and a new identifier. All files of a mail merge are in memory then,
    /// which [`submit_message`](crate::PickupDirectory::submit_message) and [`Batch`](crate::Batch) avoid.
    ///
    /// ```
    /// use pmtaemail::{Message, Submission};
    ///
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
    /// let submission = Submission::new(&message);
    /// assert!(submission.message_id().unwrap().ends_with("@example.com"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn new(message: &Message<'_>) -> Self {
        Self::with_identity(message, Identity::now())
    }

    /// Renders a message with a time and an identifier that you already have.
    ///
    /// ```
    /// use pmtaemail::{Identity, Message, Submission};
    ///
    /// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
    /// let identity = Identity::now();
    /// assert_eq!(*Submission::with_identity(&message, identity).id(), identity.id());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn with_identity(message: &Message<'_>, identity: Identity) -> Self {
        uninterrupted(Self::make(message, identity, Interruption::NEVER))
    }

    /// Like [`new`](Self::new); returns `None` if it is interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message, Submission};
    ///
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "recipients": ["ann@example.org"]}"#)?;
    /// assert!(Submission::new_unless(&message, Interruption::NEVER).is_some());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn new_unless(message: &Message<'_>, interruption: Interruption<'_>) -> Option<Self> {
        Self::make(message, Identity::now(), interruption)
    }

    /// Renders a message whose files may be too large for memory: if they exceed `most` bytes, none are kept, and only
    /// the receipt is returned, as an error. Such a receipt contains no envelope IDs.
    ///
    /// ```
    /// # use pmtaemail::{Identity, Message, Submission};
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello"}"#;
    /// let message = Message::from_json(json)?;
    /// assert!(Submission::within(&message, Identity::now(), 10_000).is_ok());
    /// let receipt = Submission::within(&message, Identity::now(), 10).unwrap_err();
    /// assert!(receipt.size > 10);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn within(
        message: &Message<'_>,
        identity: Identity,
        most: u64,
    ) -> Result<Self, Box<Receipt>> {
        let mut files = FilesWithin::new(most);
        let Ok(receipt) = perform(MakeFiles::new(identity, &mut files), message);
        files.submission(receipt)
    }

    fn make(
        message: &Message<'_>,
        identity: Identity,
        interruption: Interruption<'_>,
    ) -> Option<Self> {
        let mut files = Vec::new();
        let put = |file| {
            files.push(file);
            Ok::<_, Infallible>(())
        };
        let Ok(receipt) = perform_unless(MakeFiles::new(identity, put), message, interruption);
        let receipt = receipt?;
        Some(Self { receipt, files })
    }

    /// Includes these [`warnings`](crate::warnings) in the receipt.
    ///
    /// ```
    /// use pmtaemail::Submission;
    ///
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "html": "<p>Hello</p>"}"#;
    /// let submission = Submission::from_json(json)?.with_warnings(pmtaemail::warnings(json));
    /// assert_eq!(submission.receipt().warnings.unwrap().len(), 1);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn with_warnings(mut self, warnings: Vec<Warning>) -> Self {
        self.receipt.warnings = Some(warnings);
        self
    }

    /// Writes the files and leaves the commit to others.
    pub(crate) fn commit_with(
        self,
        mut transaction: Transaction<'_>,
        done: impl FnOnce(Result<Receipt, PickupError>) + Send + 'static,
    ) {
        let Self { receipt, files } = self;
        for file in files {
            if let Err(error) = transaction.write(file.name(), &file.chunks()) {
                // What is written vanishes before anybody is told.
                drop(transaction);
                return done(Err(error));
            }
        }
        remember(&mut transaction, &receipt);
        transaction.commit_with(|result| done(result.map(|()| receipt)));
    }

    /// The identifier that connects receipt, file name, log line and, unless the message gives one, the Message-ID.
    pub fn id(&self) -> &Id {
        &self.receipt.id
    }

    /// The Message-ID without angle brackets. `None` for a mail merge, in which each message has its own.
    pub fn message_id(&self) -> Option<&str> {
        self.receipt.message_id.as_deref()
    }

    /// The files, each with at most 5,000 recipients.
    pub fn files(&self) -> &[PickupFile] {
        &self.files
    }

    /// The number of different recipients.
    pub fn recipients(&self) -> usize {
        self.receipt.recipients
    }

    /// The size of all files, in bytes.
    pub fn size(&self) -> u64 {
        self.receipt.size
    }

    /// The message's job.
    pub fn job(&self) -> Option<&str> {
        self.receipt.job.as_deref()
    }

    /// The message's virtual MTA or pool.
    pub fn vmta(&self) -> Option<&str> {
        self.receipt.vmta.as_deref()
    }

    /// The receipt that the caller gets once the files are in the pickup directory.
    pub fn receipt(&self) -> Receipt {
        self.receipt.clone()
    }
}

/// Keeps files up to a limit.
pub(super) struct FilesWithin {
    most: u64,
    size: u64,
    kept: Vec<PickupFile>,
}

impl FilesWithin {
    /// Keeps at most this many bytes.
    pub fn new(most: u64) -> Self {
        Self {
            most,
            size: 0,
            kept: Vec::new(),
        }
    }

    /// The files with their receipt, if they did not exceed the limit.
    pub fn submission(self, mut receipt: Receipt) -> Result<Submission, Box<Receipt>> {
        if self.is_too_much() {
            receipt.envelope_ids = None;
            return Err(Box::new(receipt));
        }
        let files = self.kept;
        Ok(Submission { receipt, files })
    }

    fn is_too_much(&self) -> bool {
        self.size > self.most
    }
}

impl Sink for &mut FilesWithin {
    type Error = Infallible;

    fn put(&mut self, file: PickupFile) -> Result<(), Infallible> {
        self.size = self.size.saturating_add(file.size());
        if self.is_too_much() {
            self.kept = Vec::new();
        } else {
            self.kept.push(file);
        }
        Ok(())
    }

    fn spool(&mut self, identifiers: &mut Identifiers) -> Result<(), Infallible> {
        if self.is_too_much() {
            identifiers.spools_mut().into_iter().for_each(Spool::clear);
        }
        Ok(())
    }
}
