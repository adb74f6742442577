//! Submissions under a key: handed over once, however often they are sent.

use super::action::perform;
use super::files::MakeFiles;
use super::receipt::Receipt;
use super::stored_receipt;
use super::submission::Submission;
use crate::idempotency::{Claim, Fingerprint, Fingerprinter, Found, IdempotencyKey};
use crate::identity::Identity;
use crate::message::Message;
use crate::pickup_directory::{KeyRefused, PickupDirectory, PickupError, Transaction};
use crate::pickup_file::PickupFile;
use std::convert::Infallible;
use std::io::Read;

/// What came of a [key](PickupDirectory::claim).
#[derive(Debug)]
pub enum Claimed {
    /// Nothing was submitted under it in the last 24 hours.
    First(Claim),
    /// The same was submitted under it, and this is the receipt that it got, with `replayed`.
    Again(Box<Receipt>),
}

/// Why a key cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The first submission under it is at work. Try again in a second.
    #[error("a submission under the same idempotency key is at work: try again later")]
    InWork,
    /// Something else was submitted under it in the last 24 hours.
    #[error(
        "another message was submitted under the same idempotency key: give each message a key of its own"
    )]
    Conflict,
    /// The store has no room for another key before the oldest is 24 hours old.
    #[error(
        "the store of idempotency keys is full: give it more room, or wait until its oldest keys are 24 hours old"
    )]
    Full,
    /// The store cannot be used. Or the same was submitted, and could not be handed over yet:
    /// [`PickupError::may_be_delivered`].
    #[error(transparent)]
    Pickup(#[from] PickupError),
}

impl Message<'_> {
    /// Tells it from other messages, however it was written: two that have the same become the same mail, but for
    /// what is made for each submission.
    ///
    /// ```
    /// use pmtaemail::Message;
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
    /// Submits a message as [`submit_message`](Self::submit_message) does, unless it was submitted under the key
    /// in the last 24 hours: then its receipt is given again, with `replayed`. See [`claim`](Self::claim).
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

    /// Claims a key for the submission with a fingerprint. Until the claim is dropped nobody else gets it, and
    /// once the submission is handed over nobody in 24 hours; all that over crashes and restarts. May block.
    ///
    /// The store of keys is opened with the first one, by one process at a time: see
    /// [`PickupOptions::with_state`](crate::PickupOptions::with_state).
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, PickupDirectory, PickupOptions, Submission};
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
                let bytes = pieces.iter().fold(
                    Box::new(std::io::empty()) as Box<dyn Read + '_>,
                    |before, piece| Box::new(before.chain(piece.as_slice())),
                );
                let mut create = || self.scratch_file().map_err(std::io::Error::other);
                let receipt = stored_receipt::restore(bytes, &mut create);
                let receipt = receipt.map_err(|error| self.receipt_unreadable(error))?;
                Ok(Claimed::Again(Box::new(receipt)))
            }
        }
    }

    /// Hands a submission over under a key as [`submit`](Self::submit) does, without a claim just so.
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

    /// Hands a submission over under a key as [`submit_with`](Self::submit_with) does, without a claim just so.
    pub fn submit_claimed_with(
        &self,
        submission: Submission,
        claim: impl Into<Option<Claim>>,
        done: impl FnOnce(Result<Receipt, PickupError>) + Send + 'static,
    ) {
        let mut transaction = self.begin_claimed(*submission.id(), claim.into());
        remember(&mut transaction, &submission.receipt);
        submission.commit_with(transaction, done);
    }

    /// Submits a message under a key as [`submit_message_with`](Self::submit_message_with) does, without a claim
    /// just so.
    pub fn submit_message_claimed(
        &self,
        message: &Message<'_>,
        identity: Identity,
        claim: impl Into<Option<Claim>>,
    ) -> Result<Receipt, PickupError> {
        let mut transaction = self.begin_claimed(identity.id(), claim.into());
        let put = |file: PickupFile| transaction.write(file.name(), &file.chunks());
        let receipt = perform(MakeFiles::new(identity, put), message)?;
        remember(&mut transaction, &receipt);
        transaction.commit()?;
        Ok(receipt)
    }
}

/// Says what the caller gets again, where a submission has a key.
pub(super) fn remember(transaction: &mut Transaction<'_>, receipt: &Receipt) {
    if let Some(claim) = transaction.claim_mut() {
        claim.set_record(stored_receipt::store(receipt));
    }
}

impl From<KeyRefused> for ClaimError {
    fn from(refused: KeyRefused) -> Self {
        match refused {
            KeyRefused::InWork => Self::InWork,
            KeyRefused::Conflict => Self::Conflict,
            KeyRefused::Full => Self::Full,
            KeyRefused::Pickup(error) => Self::Pickup(error),
        }
    }
}
