//! Many messages, with one result for each.

use super::action::perform_unless;
use super::batch_reader::{BatchEntry, BatchError, Position};
#[cfg(feature = "idempotency")]
use super::claimed::Claimed;
use super::files::MakeFiles;
use super::limits::{FILES, GroupSize, MERGE_SIZE};
use super::receipt::Receipt;
use super::remember::remember;
use super::submission::Submission;
use super::submitter::{Reservation, Submitter};
use crate::idempotency::Claim;
use crate::identity::Identity;
use crate::interruption::Interruption;
use crate::message::{Message, Warning};
#[cfg(feature = "idempotency")]
use crate::pickup_directory::ClaimError;
use crate::pickup_directory::{PickupDirectory, PickupError, Transaction};
use crate::pickup_file::PickupFile;
use std::mem;

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

impl PickupDirectory {
    /// Submits messages of a batch that share their syncs: one result for each, in order. Each succeeds or fails by
    /// itself. See [`BatchReader`](crate::BatchReader) for an example.
    pub fn submit_batch(
        &self,
        entries: Vec<BatchEntry>,
    ) -> Vec<(Position, Result<Receipt, BatchError>)> {
        self.submit_batch_for(&Submitter::default(), entries)
    }

    /// Like [`submit_batch`](Self::submit_batch), for a submitter. See [`Submitter`] for an example.
    pub fn submit_batch_for(
        &self,
        submitter: &Submitter,
        entries: Vec<BatchEntry>,
    ) -> Vec<(Position, Result<Receipt, BatchError>)> {
        let told = entries
            .iter()
            .map(|entry| (entry.position(), entry.warnings()));
        let told: Vec<_> = told.collect();
        let mut batch = Batch::<BatchError>::new(self);
        let mut results = Vec::with_capacity(entries.len());
        // Each has a file at least, and who took so many has room for so many open files.
        let most_files = entries.len().max(FILES);
        for entry in entries {
            if let Err(over) = submitter.count_message() {
                batch.push_error(over.into());
                continue;
            }
            #[cfg(feature = "idempotency")]
            let (entry, claim) = {
                let mut entry = entry;
                match self.claim_entry(submitter, &mut entry, &mut batch, &mut results) {
                    Ok(None) => (entry, None),
                    Ok(Some(Claimed::First(claim))) => (entry, Some(claim)),
                    Ok(Some(Claimed::Again(receipt))) => {
                        batch.push_again(*receipt);
                        continue;
                    }
                    Err(error) => {
                        batch.push_error(error);
                        continue;
                    }
                }
            };
            #[cfg(not(feature = "idempotency"))]
            let claim = None;
            // Written as it is rendered, none of it stays in memory.
            let reserve = |receipt: &Receipt| Ok(submitter.reserve_for(receipt)?);
            let pushed = entry.read(submitter.senders(), |message| {
                let submission = (Identity::now(), claim);
                batch.push_unless_over(0, message, submission, Interruption::NEVER, reserve)
            });
            if let Err(error) = pushed {
                batch.push_error(error);
            }
            if batch.size.files >= most_files {
                results.extend(batch.commit());
            }
        }
        results.extend(batch.commit());
        let results = told.into_iter().zip(results);
        let results = results.map(|((position, warnings), mut result)| {
            if let Ok(receipt) = &mut result {
                receipt.warnings = warnings;
            }
            (position, result)
        });
        results.collect()
    }

    /// Claims the key of an entry, if it has one. If an earlier message of the group has the same key, that one is
    /// committed first.
    #[cfg(feature = "idempotency")]
    fn claim_entry(
        &self,
        submitter: &Submitter,
        entry: &mut BatchEntry,
        batch: &mut Batch<'_, BatchError>,
        results: &mut Vec<Result<Receipt, BatchError>>,
    ) -> Result<Option<Claimed>, BatchError> {
        let Some((key, fingerprint)) = entry.take_key()? else {
            return Ok(None);
        };
        let key = submitter.idempotency_key(key);
        let claimed = match self.claim(key, fingerprint) {
            Err(ClaimError::InWork) => {
                results.extend(batch.commit());
                self.claim(key, fingerprint)
            }
            claimed => claimed,
        };
        Ok(Some(claimed?))
    }
}

/// The files of a message that waits for its group. None of them are visible yet.
#[derive(Debug)]
struct WaitingFiles<'d> {
    transaction: Transaction<'d>,
    /// Those that are not written yet.
    in_memory: Vec<PickupFile>,
    /// The size of all files, in bytes.
    size: u64,
    /// Its recipients, if they are counted.
    reserved: Reservation,
}

impl WaitingFiles<'_> {
    /// Keeps a file in memory while all files together have at most `most` bytes, and writes them otherwise.
    fn put(&mut self, file: PickupFile, most: u64) -> Result<(), PickupError> {
        self.size += file.size();
        self.in_memory.push(file);
        if self.size > most {
            self.write()?;
        }
        Ok(())
    }

    /// Writes the files that are in memory.
    fn write(&mut self) -> Result<(), PickupError> {
        for file in self.in_memory.drain(..) {
            self.transaction.write(file.name(), &file.chunks())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::submit::SubmitError;
    use crate::{PickupOptions, Problems};
    use std::fs;
    use tempfile::TempDir;

    fn directory() -> (TempDir, PickupDirectory) {
        let temporary = tempfile::tempdir().unwrap();
        let directory = PickupDirectory::open(temporary.path(), PickupOptions::default()).unwrap();
        (temporary, directory)
    }

    fn names(temporary: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(temporary.path()).unwrap();
        let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    const PLAIN: &str = r#"{"from": "shop@example.com", "to": "ann@example.org"}"#;

    /// As many recipients, a file each, with `text`.
    fn merge(recipients: usize, text: &str) -> String {
        let recipients = vec![r#""ann@example.org""#; recipients].join(",");
        format!(
            r#"{{"from": "shop@example.com", "text": "{text}", "merge": "expanded",
                 "recipients": [{recipients}]}}"#
        )
    }

    fn push(batch: &mut Batch<'_, SubmitError>, json: &str) {
        match Message::from_json(json.as_bytes()) {
            Ok(message) => batch.push(&message),
            Err(problems) => batch.push_error(problems.into()),
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_messages() {
        let (temporary, directory) = directory();
        let large = merge(20, &"x".repeat(100_000));
        let mut batch = Batch::new(&directory);
        for json in [
            PLAIN,
            "{",
            &large,
            &merge(3, "x"),
            PLAIN,
            r#"{"to": 1}"#,
            &large,
        ] {
            push(&mut batch, json);
        }
        assert!(names(&temporary).is_empty());
        let results = batch.commit();
        let files: Vec<_> = results
            .iter()
            .map(|result| result.as_ref().map(|receipt| receipt.files.len()).ok())
            .collect();
        let expected = [Some(1), None, Some(20), Some(3), Some(1), None, Some(20)];
        assert_eq!(files, expected);
        let mut all: Vec<_> = results
            .iter()
            .flatten()
            .flat_map(|receipt| receipt.files.clone())
            .collect();
        all.sort_unstable();
        assert_eq!(names(&temporary), all);
        for receipt in results.iter().flatten() {
            let size = |name: &String| fs::metadata(directory.path().join(name)).unwrap().len();
            assert_eq!(receipt.files.iter().map(size).sum::<u64>(), receipt.size);
            let ids = receipt.envelope_ids.as_ref().map(crate::EnvelopeIds::len);
            assert_eq!(ids.unwrap_or(1), receipt.recipients);
        }
        assert!(batch.commit().is_empty());
    }

    #[test]
    fn one_that_fails_is_the_only_one() {
        let (temporary, directory) = directory();
        let mut submissions: Vec<_> = (0..600)
            .map(|_| Submission::from_json(PLAIN.as_bytes()).unwrap())
            .collect();
        // A name that is taken.
        submissions[300] = submissions[7].clone();
        let ids: Vec<_> = submissions.iter().map(|each| *each.id()).collect();
        let results = directory.submit_many(submissions);
        assert_eq!(results.len(), 600);
        for (index, (id, result)) in ids.iter().zip(&results).enumerate() {
            match result {
                Ok(receipt) => assert_eq!(receipt.id, *id),
                Err(_) => assert_eq!(index, 300),
            }
        }
        assert_eq!(names(&temporary).len(), 599);
        assert!(directory.submit_many([]).is_empty());
    }

    #[test]
    fn a_group_is_bounded() {
        let (_temporary, directory) = directory();
        let count_until_full = |json: &str| {
            let mut batch = Batch::new(&directory);
            let mut count = 0;
            while !batch.is_full() {
                push(&mut batch, json);
                count += 1;
            }
            batch.commit();
            assert!(!batch.is_full());
            count
        };
        assert_eq!(count_until_full(PLAIN), 256);
        assert_eq!(count_until_full("{"), 256);
        assert_eq!(count_until_full(&merge(100, "x")), 3);
        let text = "x".repeat(9 << 20);
        let large = PLAIN.replace('}', &format!(r#", "text": "{text}"}}"#));
        assert_eq!(count_until_full(&large), 4);
    }

    #[test]
    fn a_merge_is_in_memory_up_to_a_limit() {
        let (_temporary, directory) = directory();
        let size = |text: &str| {
            let json = merge(30, text);
            let message = Message::from_json(json.as_bytes()).unwrap();
            let mut batch = Batch::<PickupError>::new(&directory);
            batch.push(&message);
            let [Ok((_, files))] = &batch.group[..] else {
                panic!("no files")
            };
            let in_memory = files.in_memory.len() == 30;
            assert!(in_memory || files.in_memory.is_empty());
            let [Ok(receipt)] = &batch.commit()[..] else {
                panic!("no receipt")
            };
            assert_eq!(in_memory, receipt.size <= MERGE_SIZE);
            receipt.size
        };
        assert!(size(&"x".repeat(30_000)) < MERGE_SIZE);
        assert!(size(&"x".repeat(40_000)) > MERGE_SIZE);
    }

    #[test]
    fn uncommitted_files_leave_nothing_behind() {
        let (temporary, directory) = directory();
        let mut batch = Batch::<SubmitError>::new(&directory);
        push(&mut batch, PLAIN);
        assert!(batch.commit()[0].is_ok());
        push(&mut batch, PLAIN);
        push(&mut batch, &merge(100, &"x".repeat(20_000)));
        drop(batch);
        assert_eq!(names(&temporary).len(), 1);
    }

    #[test]
    fn a_directory_that_fails_fails_each() {
        let (temporary, directory) = directory();
        let path = temporary.path().join("gone");
        fs::create_dir(&path).unwrap();
        let inner = PickupDirectory::open(&path, PickupOptions::default()).unwrap();
        drop(directory);
        fs::remove_dir(&path).unwrap();
        let mut batch = Batch::new(&inner);
        let problems: Problems = Message::from_json(b"{").unwrap_err();
        push(&mut batch, &merge(20, &"x".repeat(100_000)));
        batch.push_error(SubmitError::Problems(problems));
        push(&mut batch, PLAIN);
        let results = batch.commit();
        assert!(matches!(
            results[..],
            [
                Err(SubmitError::Pickup(_)),
                Err(SubmitError::Problems(_)),
                Err(SubmitError::Pickup(_))
            ]
        ));
    }
}
