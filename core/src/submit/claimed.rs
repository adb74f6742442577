//! Submissions with an idempotency key: submitted once, however often they are sent.

use super::action::perform;
use super::files::MakeFiles;
use super::receipt::Receipt;
use super::remember::remember;
use super::stored_receipt;
use super::submission::Submission;
use crate::idempotency::{Claim, Fingerprint, Fingerprinter, Found, IdempotencyKey};
use crate::identity::Identity;
use crate::interruption::{Interruption, uninterrupted};
use crate::message::Message;
use crate::pickup_directory::{ClaimError, PickupDirectory, PickupError};
use crate::pickup_file::PickupFile;
use std::convert::Infallible;
use std::io::Read;

/// Result of claiming a [key](PickupDirectory::claim).
///
/// ```
/// use pmtaemail::{Claimed, Identity, Message, PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pickup");
/// # std::fs::create_dir(&path)?;
/// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
/// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#)?;
/// for attempt in 1..=2 {
///     let receipt = match directory.claim("order-4711".parse()?, message.fingerprint())? {
///         Claimed::First(claim) => directory.submit_message_claimed(&message, Identity::now(), claim)?,
///         Claimed::Again(receipt) => *receipt,
///     };
///     assert_eq!(receipt.replayed, attempt == 2);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub enum Claimed {
    /// Nothing was submitted under it in the last 24 hours.
    First(Claim),
    /// The same message was submitted under it. This is its receipt, with `replayed` set.
    Again(Box<Receipt>),
}

impl Message<'_> {
    /// A hash that tells this message from others, regardless of how it was written: messages with the same fingerprint
    /// become the same mail, except for what is generated for each submission.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let first = Message::from_json(br#"{"from": "a@example.com", "to": "b@example.org"}"#)?;
    /// let second = Message::from_json(br#"{"to": ["b@example.org"], "from": "a@example.com"}"#)?;
    /// let third = Message::from_json(br#"{"to": ["c@example.org"], "from": "a@example.com"}"#)?;
    /// assert!(first.fingerprint() == second.fingerprint() && first.fingerprint() != third.fingerprint());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Fingerprinter::new(&["rendered"]);
        let put = |file: PickupFile| {
            hash.update(&file.size().to_le_bytes());
            file.chunks().iter().for_each(|chunk| hash.update(chunk));
            Ok::<_, Infallible>(())
        };
        let Ok(_) = perform(MakeFiles::new(Identity::FOR_COMPARISON, put), self);
        hash.finish()
    }
}

impl PickupDirectory {
    /// Like [`submit_message`](Self::submit_message), unless the message was submitted under this key in the last 24
    /// hours: then this returns its first receipt again, with `replayed` set. See [`claim`](Self::claim).
    ///
    /// ```
    /// use pmtaemail::{Message, PickupDirectory, PickupOptions};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#)?;
    /// let first = directory.submit_message_once(&message, "order-4711".parse()?)?;
    /// let second = directory.submit_message_once(&message, "order-4711".parse()?)?;
    /// assert_eq!(first.id, second.id);
    /// assert!(second.replayed);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_message_once(
        &self,
        message: &Message<'_>,
        key: IdempotencyKey,
    ) -> Result<Receipt, ClaimError> {
        match self.claim(key, message.fingerprint())? {
            Claimed::First(claim) => {
                Ok(self.submit_message_claimed(message, Identity::now(), claim)?)
            }
            Claimed::Again(receipt) => Ok(*receipt),
        }
    }

    /// Claims a key for the submission with this fingerprint. Nobody else gets the key until the claim is dropped, or,
    /// once the submission is in the directory, for 24 hours, across crashes and restarts. May block.
    ///
    /// The store of keys is opened with the first one, by one process at a time: see
    /// [`PickupOptions::with_state`](crate::PickupOptions::with_state).
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, PickupDirectory, PickupOptions, Submission};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submit = || -> Result<_, Box<dyn std::error::Error>> {
    ///     let fingerprint = Fingerprinter::new(&[]).with(json).finish();
    ///     Ok(match directory.claim("order-4711".parse()?, fingerprint)? {
    ///         Claimed::First(claim) => directory.submit_claimed(&Submission::from_json(json)?, claim)?,
    ///         Claimed::Again(receipt) => *receipt,
    ///     })
    /// };
    /// let (first, second) = (submit()?, submit()?);
    /// assert!(first.id == second.id && second.replayed);
    /// assert_eq!(std::fs::read_dir(&path)?.count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn claim(
        &self,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Claimed, ClaimError> {
        match self.claim_key(key, fingerprint)? {
            Found::Nothing(claim) => Ok(Claimed::First(claim)),
            Found::Receipt { pieces, .. } => {
                Ok(Claimed::Again(Box::new(self.restore_receipt(&pieces)?)))
            }
        }
    }

    fn restore_receipt(&self, pieces: &[Vec<u8>]) -> Result<Receipt, PickupError> {
        let bytes = pieces.iter().fold(
            Box::new(std::io::empty()) as Box<dyn Read + '_>,
            |before, piece| Box::new(before.chain(piece.as_slice())),
        );
        let mut create = || self.scratch_file().map_err(std::io::Error::other);
        let receipt = stored_receipt::restore(bytes, &mut create);
        receipt.map_err(|error| self.receipt_unreadable(error))
    }

    /// Claims a name under which a receipt can be [found](Self::find_receipt) for 24 hours, for a submission without a
    /// key. Unlike a key, a name is not essential: this returns `None` if the store is more than half full or cannot be
    /// used. May block.
    ///
    /// See [`find_receipt`](Self::find_receipt) for an example.
    pub fn claim_name(&self, name: IdempotencyKey, fingerprint: Fingerprint) -> Option<Claim> {
        if !self.has_room_for_names() {
            return None;
        }
        match self.claim(name, fingerprint) {
            Ok(Claimed::First(claim)) => Some(claim),
            // Whoever asks for the receipt is told why it is not there.
            Ok(Claimed::Again(_)) | Err(_) => None,
        }
    }

    /// The receipt of a submission of the last 24 hours by its key or its [name](Claim::named). May block.
    ///
    /// ```
    /// use pmtaemail::{IdempotencyKey, Identity, PickupDirectory, PickupOptions, Submission, Fingerprinter};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submission = Submission::from_json(json)?;
    /// let name = IdempotencyKey::of_receipt(*submission.id());
    /// let claim = directory.claim_name(name, Fingerprinter::new(&[]).with(json).finish());
    /// let receipt = directory.submit_claimed(&submission, claim)?;
    /// let found = directory.find_receipt(IdempotencyKey::of_receipt(receipt.id))?;
    /// assert_eq!(found.map(|found| found.id), Some(receipt.id));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn find_receipt(&self, name: IdempotencyKey) -> Result<Option<Receipt>, PickupError> {
        let pieces = self.find_key(name)?;
        let receipt = pieces.map(|pieces| self.restore_receipt(&pieces));
        let receipt = receipt.transpose()?;
        Ok(receipt.map(|receipt| Receipt {
            replayed: false,
            ..receipt
        }))
    }

    /// Like [`submit`](Self::submit), under a claimed key. `None` is no key. See [`claim`](Self::claim) for an example.
    pub fn submit_claimed(
        &self,
        submission: &Submission,
        claim: impl Into<Option<Claim>>,
    ) -> Result<Receipt, PickupError> {
        let mut transaction = self.begin_claimed(*submission.id(), claim.into());
        for file in submission.files() {
            transaction.write(file.name(), &file.chunks())?;
        }
        let receipt = submission.receipt();
        remember(&mut transaction, &receipt);
        transaction.commit()?;
        Ok(receipt)
    }

    /// Like [`submit_with`](Self::submit_with), under a claimed key. `None` is no key. Here too `done` may run on this
    /// thread, before this returns: do not hold a lock that it takes.
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, PickupDirectory, PickupOptions, Submission};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// directory.start_commit_threads()?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let fingerprint = Fingerprinter::new(&[]).with(json).finish();
    /// if let Claimed::First(claim) = directory.claim("order-4711".parse()?, fingerprint)? {
    ///     let (sender, result) = std::sync::mpsc::channel();
    ///     let submission = Submission::from_json(json)?;
    ///     directory.submit_claimed_with(submission, claim, move |receipt| sender.send(receipt).unwrap());
    ///     assert_eq!(result.recv()??.recipients, 1);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_claimed_with(
        &self,
        submission: Submission,
        claim: impl Into<Option<Claim>>,
        done: impl FnOnce(Result<Receipt, PickupError>) + Send + 'static,
    ) {
        let transaction = self.begin_claimed(*submission.id(), claim.into());
        submission.commit_with(transaction, done);
    }

    /// Like [`submit_message_with`](Self::submit_message_with), under a claimed key. `None` is no key. See [`Claimed`]
    /// for an example.
    pub fn submit_message_claimed(
        &self,
        message: &Message<'_>,
        identity: Identity,
        claim: impl Into<Option<Claim>>,
    ) -> Result<Receipt, PickupError> {
        let receipt = self.submit_unless(message, identity, claim.into(), Interruption::NEVER)?;
        Ok(uninterrupted(receipt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AtomicBatch, BatchFormat, PickupOptions, Submitter};

    const LIMIT: u64 = 1 << 20;

    fn directory(place: &std::path::Path, limit: u64) -> PickupDirectory {
        let path = place.join("pickup");
        std::fs::create_dir_all(&path).unwrap();
        PickupDirectory::open(&path, PickupOptions::default().with_state_limit(limit)).unwrap()
    }

    fn message(number: usize) -> String {
        format!(r#"{{"from": "a@example.com", "to": "b{number}@example.org"}}"#)
    }

    fn fingerprint(text: &str) -> Fingerprint {
        Fingerprinter::new(&[]).with(text.as_bytes()).finish()
    }

    #[test]
    fn a_receipt_is_found_by_its_identifier() {
        let place = tempfile::tempdir().unwrap();
        let pickup = directory(place.path(), LIMIT);
        let submission = Submission::from_json(message(1).as_bytes()).unwrap();
        let name = IdempotencyKey::of_receipt(*submission.id());
        assert!(pickup.find_receipt(name).unwrap().is_none());
        let key: IdempotencyKey = "order-1".parse().unwrap();
        let Claimed::First(claim) = pickup.claim(key, fingerprint("1")).unwrap() else {
            panic!("it is new")
        };
        let receipt = pickup
            .submit_claimed(&submission, claim.named(name))
            .unwrap();
        drop(pickup);
        let pickup = directory(place.path(), LIMIT);
        for name in [name, key] {
            assert_eq!(pickup.find_receipt(name).unwrap(), Some(receipt.clone()));
        }
        assert!(matches!(
            pickup.claim(key, fingerprint("1")).unwrap(),
            Claimed::Again(again) if again.id == receipt.id && again.replayed
        ));
        let theirs = Submitter::named("shop").idempotency_key(name);
        assert!(pickup.find_receipt(theirs).unwrap().is_none());
    }

    #[test]
    fn names_leave_room_for_keys() {
        let place = tempfile::tempdir().unwrap();
        let pickup = directory(place.path(), 4_000);
        let submit = |number: usize| {
            let submission = Submission::from_json(message(number).as_bytes()).unwrap();
            let name = IdempotencyKey::of_receipt(*submission.id());
            let claim = pickup.claim_name(name, fingerprint(""));
            let is_named = claim.is_some();
            pickup.submit_claimed(&submission, claim).unwrap();
            assert_eq!(pickup.find_receipt(name).unwrap().is_some(), is_named);
            is_named
        };
        assert!(submit(0));
        assert!((0..20).any(|number| !submit(number)));
        assert!(!submit(0));
        let key: IdempotencyKey = "order-1".parse().unwrap();
        assert!(pickup.claim(key, fingerprint("")).is_ok());
    }

    #[test]
    fn a_whole_batch_has_one_key() {
        let place = tempfile::tempdir().unwrap();
        let pickup = directory(place.path(), LIMIT);
        let key: IdempotencyKey = "batch-1".parse().unwrap();
        let Claimed::First(claim) = pickup.claim(key, fingerprint("")).unwrap() else {
            panic!("it is new")
        };
        let mut batch = AtomicBatch::new(BatchFormat::Lines, 1 << 20)
            .with_claim(claim)
            .naming_receipts();
        for number in 0..3 {
            batch.feed(message(number).as_bytes(), None).unwrap();
            batch.feed(b"\n", None).unwrap();
        }
        let mut receipts = Vec::new();
        let outcome = batch.submit(&pickup, |_, result, _| {
            receipts.push(result.unwrap());
            Ok(())
        });
        assert!(outcome.unwrap().is_submitted);
        let files = || receipts.iter().flat_map(|receipt| receipt.files.clone());
        let Claimed::Again(whole) = pickup.claim(key, fingerprint("")).unwrap() else {
            panic!("it was submitted")
        };
        assert_eq!(whole.files, files().collect::<Vec<_>>());
        assert_eq!((whole.id, whole.recipients), (receipts[0].id, 3));
        assert_eq!(
            whole.size,
            receipts.iter().map(|receipt| receipt.size).sum::<u64>()
        );
        for receipt in &receipts {
            let found = pickup.find_receipt(IdempotencyKey::of_receipt(receipt.id));
            assert_eq!(found.unwrap().as_ref(), Some(receipt));
        }
        assert_eq!(
            std::fs::read_dir(place.path().join("pickup"))
                .unwrap()
                .count(),
            3
        );
    }
}
