//! Many messages, with one result for each.
//!
//! ```text
//! submit_batch         the messages of a batch in JSON, read, counted and claimed
//!   mod                any messages, in groups
//!     waiting_files    the files of a message that waits for its group
//! ```

mod submit_batch;
#[cfg(test)]
mod tests;
mod waiting_files;

use super::action::perform_unless;
use super::files::MakeFiles;
use super::limits::{GroupSize, MERGE_SIZE};
use super::receipt::Receipt;
use super::remember::remember;
use super::submission::Submission;
use super::submitter::Reservation;
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::interruption::Interruption;
use crate::message::{Message, Warning};
use crate::pickup_directory::{PickupDirectory, PickupError};
use crate::pickup_file::PickupFile;
use std::mem;
use waiting_files::WaitingFiles;

/// Submits many messages in groups that share their syncs. There is one result for each message, in the order in which
/// they were pushed; each succeeds or fails by itself.
///
/// Push messages until the group is full or there are no more for the moment, then commit it. You may stop between two
/// groups: what is not committed leaves nothing behind. Only [`commit`](Self::commit) blocks, and [`push`](Self::push)
/// for a large mail merge, whose files do not stay in memory.
///
/// `E` is the caller's error type: [`SubmitError`](super::SubmitError), or your own for messages that cannot even be
/// parsed.
///
/// ```
/// use pmtaemail::{Batch, Message, PickupDirectory, PickupOptions, SubmitError};
///
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let lines = [r#"{"from": "a@example.com", "to": "b@example.org"}"#, r#"{"from": 1}"#];
/// let mut batch = Batch::<SubmitError>::new(&directory);
/// let mut results = Vec::new();
/// for line in lines {
///     match Message::from_json(line.as_bytes()) {
///         Ok(message) => batch.push(&message),
///         Err(problems) => batch.push_error(problems.into()),
///     }
///     if batch.is_full() {
///         results.extend(batch.commit());
///     }
/// }
/// results.extend(batch.commit());
/// assert!(results[0].is_ok() && results[1].is_err());
/// ```
#[derive(Debug)]
pub struct Batch<'d, E = PickupError> {
    directory: &'d PickupDirectory,
    /// Messages that wait, and errors in their places.
    group: Vec<Result<(Receipt, WaitingFiles<'d>), E>>,
    size: GroupSize,
}

impl<'d, E: From<PickupError>> Batch<'d, E> {
    /// An empty batch.
    pub fn new(directory: &'d PickupDirectory) -> Self {
        Self {
            directory,
            group: Vec::new(),
            size: GroupSize::default(),
        }
    }

    /// Renders a message and adds it to the group.
    pub fn push(&mut self, message: &Message<'_>) {
        self.push_with(message, Identity::now());
    }

    /// Like [`push`](Self::push), with a time and an identifier that you already have.
    ///
    /// ```
    /// use pmtaemail::{Batch, Identity, Message, PickupDirectory, PickupOptions, SubmitError};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org"}"#)?;
    /// let identity = Identity::now();
    /// let mut batch = Batch::<SubmitError>::new(&directory);
    /// batch.push_with(&message, identity);
    /// assert_eq!(batch.commit().remove(0)?.id, identity.id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn push_with(&mut self, message: &Message<'_>, identity: Identity) {
        let is_pushed = self.push_or_stop(message, identity, Interruption::NEVER);
        debug_assert!(is_pushed, "nothing interrupts it");
    }

    /// Like [`push`](Self::push); if it is interrupted, the message is not added and this returns `false`.
    ///
    /// ```
    /// use pmtaemail::{Batch, Interruption, Message, PickupDirectory, PickupOptions, SubmitError};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "recipients": ["ann@example.org"]}"#)?;
    /// let has_been_cancelled = || true;
    /// let mut batch = Batch::<SubmitError>::new(&directory);
    /// assert!(!batch.push_unless(&message, Interruption::new(&has_been_cancelled)));
    /// assert!(batch.commit().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn push_unless(&mut self, message: &Message<'_>, interruption: Interruption<'_>) -> bool {
        self.push_or_stop(message, Identity::now(), interruption)
    }

    fn push_or_stop(
        &mut self,
        message: &Message<'_>,
        identity: Identity,
        interruption: Interruption<'_>,
    ) -> bool {
        self.push_files(message, identity, None, interruption)
    }

    fn push_files(
        &mut self,
        message: &Message<'_>,
        identity: Identity,
        claim: Option<Claim>,
        interruption: Interruption<'_>,
    ) -> bool {
        // A message that is the same for all is in memory in any case.
        let most = if message.is_merge() {
            MERGE_SIZE
        } else {
            u64::MAX
        };
        let counts = |_: &Receipt| Ok(Reservation::default());
        self.push_unless_over(most, message, (identity, claim), interruption, counts)
    }

    /// Renders a message. Its files stay in memory up to this size; larger ones are written.
    fn push_unless_over(
        &mut self,
        most: u64,
        message: &Message<'_>,
        (identity, claim): (Identity, Option<Claim>),
        interruption: Interruption<'_>,
        reserve: impl FnOnce(&Receipt) -> Result<Reservation, E>,
    ) -> bool {
        let mut files = WaitingFiles {
            transaction: self.directory.begin_claimed(identity.id(), claim),
            in_memory: Vec::new(),
            size: 0,
            reserved: Reservation::default(),
        };
        let put = |file| files.put(file, most);
        match perform_unless(MakeFiles::new(identity, put), message, interruption) {
            Ok(Some(receipt)) => match reserve(&receipt) {
                Ok(reserved) => {
                    files.reserved = reserved;
                    self.add(receipt, files);
                }
                Err(error) => self.push_error(error),
            },
            Ok(None) => return false,
            Err(error) => self.push_error(error.into()),
        }
        true
    }

    /// Adds [`warnings`](crate::warnings) to the receipt of the message that was pushed last.
    ///
    /// ```
    /// use pmtaemail::{Batch, Message, PickupDirectory, PickupOptions, SubmitError};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "html": "<p>Hello</p>"}"#;
    /// let mut batch = Batch::<SubmitError>::new(&directory);
    /// batch.push(&Message::from_json(json)?);
    /// batch.add_warnings(pmtaemail::warnings(json));
    /// assert_eq!(batch.commit().remove(0)?.warnings.unwrap().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_warnings(&mut self, warnings: Vec<Warning>) {
        // An error has none.
        if let Some(Ok((receipt, _))) = self.group.last_mut() {
            receipt.warnings = Some(warnings);
        }
    }

    /// Like [`push_with`](Self::push_with), under a key; see [`PickupDirectory::claim`]. If the key was used before,
    /// give its place in the results with [`push_again`](Self::push_again).
    ///
    /// ```
    /// use pmtaemail::{Batch, Claimed, Identity, Message, PickupDirectory, PickupOptions, SubmitError};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org"}"#)?;
    /// for is_retry in [false, true] {
    ///     let mut batch = Batch::<SubmitError>::new(&directory);
    ///     match directory.claim("order-4711".parse()?, message.fingerprint())? {
    ///         Claimed::First(claim) => batch.push_claimed(&message, Identity::now(), claim),
    ///         Claimed::Again(receipt) => batch.push_again(*receipt),
    ///     }
    ///     assert_eq!(batch.commit().remove(0)?.replayed, is_retry);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "idempotency")]
    pub fn push_claimed(&mut self, message: &Message<'_>, identity: Identity, claim: Claim) {
        let is_pushed = self.push_files(message, identity, Some(claim), Interruption::NEVER);
        debug_assert!(is_pushed, "nothing interrupts it");
    }

    /// Adds a message that is already rendered.
    ///
    /// ```
    /// use pmtaemail::{Batch, PickupDirectory, PickupOptions, Submission, SubmitError};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org"}"#;
    /// let mut batch = Batch::<SubmitError>::new(&directory);
    /// batch.push_submission(Submission::from_json(json)?);
    /// assert_eq!(batch.commit().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn push_submission(&mut self, submission: Submission) {
        let Submission { receipt, files } = submission;
        let waiting = WaitingFiles {
            transaction: self.directory.begin_submission(receipt.id),
            size: receipt.size,
            in_memory: files,
            reserved: Reservation::default(),
        };
        self.add(receipt, waiting);
    }

    /// Adds the receipt of a message that was submitted before; see [`push_claimed`](Self::push_claimed).
    #[cfg(feature = "idempotency")]
    pub fn push_again(&mut self, receipt: Receipt) {
        let files = WaitingFiles {
            transaction: self.directory.begin_submission(receipt.id),
            in_memory: Vec::new(),
            size: 0,
            reserved: Reservation::default(),
        };
        self.size.messages += 1;
        self.group.push(Ok((receipt, files)));
    }

    /// Adds the error of a message that cannot be submitted.
    pub fn push_error(&mut self, error: E) {
        self.size.messages += 1;
        self.group.push(Err(error));
    }

    /// Whether the group should be committed before more is pushed: that keeps memory bounded.
    pub fn is_full(&self) -> bool {
        self.size.is_full()
    }

    /// Makes the group durable and visible, and starts the next one. Returns the results of everything pushed since the
    /// last call.
    pub fn commit(&mut self) -> Vec<Result<Receipt, E>> {
        self.size = GroupSize::default();
        let group = mem::take(&mut self.group).into_iter();
        let written = group.map(|waiting| {
            let (receipt, mut files) = waiting?;
            files.write()?;
            remember(&mut files.transaction, &receipt);
            // From here on it may be submitted in spite of an error.
            files.reserved.keep();
            Ok((receipt, files.transaction))
        });
        self.directory.commit_all(written.collect())
    }

    fn add(&mut self, receipt: Receipt, files: WaitingFiles<'d>) {
        self.size.messages += 1;
        self.size.files += receipt.files.len();
        self.size.bytes += files.in_memory.iter().map(PickupFile::size).sum::<u64>();
        self.group.push(Ok((receipt, files)));
    }
}
