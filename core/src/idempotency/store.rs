//! The keys of one state folder: those that are remembered, and those whose submission is in progress.

use super::database::{Hash, Opened, StorePlace, StoreSettings};
use super::failed::Failed;
use super::file::FILE;
use super::key::{Fingerprint, IdempotencyKey};
use super::record::{NewRecord, Record};
use super::token::Token;
use crate::identity::Id;
use std::collections::HashSet;
use std::fmt;
use std::io;
#[cfg(feature = "queue")]
use std::io::Read;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The keys of one state folder. Its file is opened when it is first needed.
#[derive(Debug)]
pub(crate) struct KeyStore {
    settings: StoreSettings,
    opened: Mutex<Option<Arc<Opened>>>,
    in_work: Mutex<HashSet<Hash>>,
    /// A forked process cannot use what its parent has open.
    process: u32,
}

/// A key whose submission is in progress. When it is dropped the key becomes free again, unless its record is in the
/// store by then. See [`PickupDirectory::claim`](crate::PickupDirectory::claim).
///
/// ```
/// use pmtaemail::{ClaimError, Claimed, Fingerprinter, PickupDirectory, PickupOptions};
///
/// # let temporary = tempfile::tempdir()?;
/// # let path = temporary.path().join("pickup");
/// # std::fs::create_dir(&path)?;
/// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
/// let key = "order-4711".parse()?;
/// let fingerprint = Fingerprinter::new(&[]).with(b"{}").finish();
/// let Claimed::First(claim) = directory.claim(key, fingerprint)? else { unreachable!("the key is new") };
/// assert!(matches!(directory.claim(key, fingerprint), Err(ClaimError::InWork)));
///
/// drop(claim); // Nothing was submitted.
/// assert!(matches!(directory.claim(key, fingerprint)?, Claimed::First(_)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "the key is free again when it is dropped"]
pub struct Claim {
    store: Arc<KeyStore>,
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    token: Token,
    record: Option<NewRecord>,
    /// Other names, and what is found under each once it is known.
    named: Vec<(IdempotencyKey, Option<NewRecord>)>,
}

/// What a key leads to.
pub(crate) enum Found {
    /// Nothing: the key has been claimed.
    Nothing(Claim),
    /// The same submission, which was submitted before.
    Receipt {
        id: Id,
        token: Token,
        pieces: Vec<Vec<u8>>,
    },
}

/// Why a key cannot be claimed.
#[derive(Debug)]
pub(crate) enum ClaimRefused {
    /// Its first submission is in progress: try again later.
    InWork,
    /// Something else was submitted under it.
    Conflict,
    /// The store holds as many keys of the last 24 hours as it may.
    Full,
    /// The store cannot be used.
    Store(io::Error),
}

/// A transaction of the store failed.
#[derive(Debug)]
pub(crate) struct CommitFailed {
    pub error: io::Error,
    /// Whether its records may exist nevertheless.
    pub is_in_doubt: bool,
}

impl KeyStore {
    pub fn new(settings: StoreSettings) -> Self {
        Self {
            settings,
            opened: Mutex::default(),
            in_work: Mutex::default(),
            process: process::id(),
        }
    }

    /// The path of the store's file.
    pub fn path(&self) -> PathBuf {
        match &self.settings.place {
            StorePlace::Folder(folder) => folder.join(FILE),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            StorePlace::Memory => FILE.into(),
        }
    }

    /// Whether the store seems to exist.
    pub fn is_there(&self) -> bool {
        match &self.settings.place {
            StorePlace::Folder(_) => self.path().try_exists().unwrap_or(true),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            StorePlace::Memory => true,
        }
    }

    /// Opens the store if its file exists. Returns whether it is open.
    pub fn open_if_there(&self) -> io::Result<bool> {
        if self.path().try_exists()? {
            self.open()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Opens the store. Returns whether it was closed before.
    pub fn open(&self) -> io::Result<bool> {
        let mut opened = self.lock();
        if self.process != process::id() {
            let sentence = "the store of keys was opened before this process was forked";
            return Err(io::Error::other(sentence));
        }
        if opened.is_some() {
            return Ok(false);
        }
        *opened = Some(Arc::new(Opened::open(&self.settings)?));
        Ok(true)
    }

    /// The store's own number, if it is open in this process.
    pub fn number(&self) -> Option<u64> {
        if self.process != process::id() {
            return None;
        }
        self.lock().as_ref().map(|opened| opened.number)
    }

    /// Whether the attempt with this token has decided to submit its files.
    pub fn has_decided(&self, token: Token) -> io::Result<bool> {
        self.guarded(|opened| {
            let record = opened.record(&token.hash)?;
            Ok(record.is_some_and(|record| record.nonce == token.nonce))
        })
    }

    /// Claims a key, or finds what was submitted under it. The store must be open.
    pub fn claim(
        self: &Arc<Self>,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Result<Found, ClaimRefused> {
        if !self.lock_in_work().insert(key.0) {
            return Err(ClaimRefused::InWork);
        }
        // From here on it is released when it is dropped.
        let claim = Claim::new(self, key, fingerprint);
        let found = self.guarded(|opened| opened.find(&key.0));
        match found.map_err(ClaimRefused::Store)? {
            Some((record, _)) if record.fingerprint != fingerprint => Err(ClaimRefused::Conflict),
            Some((Record { id, nonce, .. }, pieces)) => Ok(Found::Receipt {
                id,
                token: Token { hash: key.0, nonce },
                pieces,
            }),
            None => {
                let is_full = self.guarded(|opened| opened.is_full(self.settings.limit));
                if is_full.map_err(ClaimRefused::Store)? {
                    return Err(ClaimRefused::Full);
                }
                Ok(Found::Nothing(claim))
            }
        }
    }

    /// Claims an unknown key, if a read of the store is enough to know that it is.
    pub fn claim_at_once(
        self: &Arc<Self>,
        key: IdempotencyKey,
        fingerprint: Fingerprint,
    ) -> Option<Claim> {
        if self.process != process::id() {
            return None;
        }
        let opened = self.lock().clone()?;
        let is_new = opened.has_room(self.settings.limit) && self.lock_in_work().insert(key.0);
        let claim = is_new.then(|| Claim::new(self, key, fingerprint))?;
        // What is found, old or not, is looked at by who may wait.
        let found = self.guarded_in(&opened, |opened| opened.record(&key.0));
        matches!(found, Ok(None)).then_some(claim)
    }

    /// What was submitted under a key.
    pub fn find(&self, key: IdempotencyKey) -> io::Result<Option<Vec<Vec<u8>>>> {
        let found = self.guarded(|opened| opened.find(&key.0))?;
        Ok(found.map(|(_, pieces)| pieces))
    }

    /// Whether there is so much room that names, on which nobody depends, leave enough for keys.
    pub fn has_room_for_names(&self) -> io::Result<bool> {
        let limit = self.settings.limit / 2;
        self.guarded(|opened| Ok(opened.has_room(limit) || !opened.is_full(limit)?))
    }

    /// Whether it currently takes no new keys.
    pub fn is_full(&self) -> io::Result<bool> {
        self.guarded(|opened| opened.is_full(self.settings.limit))
    }

    /// Stores the records of these claims: all of them, or none.
    pub fn commit<'a>(
        &self,
        claims: impl IntoIterator<Item = &'a mut Claim>,
    ) -> Result<(), CommitFailed> {
        let mut is_in_doubt = false;
        let committed = self.guarded(|opened| {
            let records = claims.into_iter().flat_map(|claim| {
                let (token, fingerprint) = (claim.token, claim.fingerprint);
                let record = claim.record.take();
                let record = record.ok_or(Failed::Other("nothing is to be remembered"));
                let named = mem::take(&mut claim.named).into_iter();
                let named = named.filter_map(|(name, record)| Some((name, record?)));
                let named = named.map(move |(name, record)| Ok((token.under(name), record)));
                let all = std::iter::once(record.map(|record| (token, record))).chain(named);
                all.map(move |entry| entry.map(|(token, record)| (token, fingerprint, record)))
            });
            opened.commit(records, &mut is_in_doubt)
        });
        committed.map_err(|error| CommitFailed { error, is_in_doubt })
    }

    /// Removes the record of the attempt with this token.
    pub fn revoke(&self, token: Token) -> io::Result<()> {
        self.guarded(|opened| opened.revoke(token))
    }

    fn release(&self, key: IdempotencyKey) {
        self.lock_in_work().remove(&key.0);
    }

    /// Does something with the open store. If it fails, the store is closed and reopened for the next call: after an
    /// error, the state in memory is unknown.
    fn guarded<T>(&self, work: impl FnOnce(&Opened) -> Result<T, Failed>) -> io::Result<T> {
        self.open()?;
        let opened = self.lock().clone();
        self.guarded_in(&opened.ok_or(io::ErrorKind::NotConnected)?, work)
    }

    fn guarded_in<T>(
        &self,
        opened: &Arc<Opened>,
        work: impl FnOnce(&Opened) -> Result<T, Failed>,
    ) -> io::Result<T> {
        // A damaged file may make it panic.
        let done = catch_unwind(AssertUnwindSafe(|| work(opened)));
        let result = done.unwrap_or(Err(Failed::Other("it is damaged")));
        result.map_err(|failed| {
            let mut current = self.lock();
            if (current.as_ref()).is_some_and(|current| Arc::ptr_eq(current, opened)) {
                *current = None;
            }
            drop(current);
            failed.into_io()
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        // Whole at every instant, so a panic elsewhere while it was locked does not matter.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_in_work(&self) -> MutexGuard<'_, HashSet<Hash>> {
        self.in_work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an external store has under a key: see [`Claim::stored_elsewhere`].
#[cfg(feature = "queue")]
pub(crate) fn found_elsewhere(
    bytes: &[u8],
    key: IdempotencyKey,
    fingerprint: Fingerprint,
) -> Result<Found, ClaimRefused> {
    let record = Record::parse(bytes).map_err(|failed| ClaimRefused::Store(failed.into_io()))?;
    if record.fingerprint != fingerprint {
        return Err(ClaimRefused::Conflict);
    }
    Ok(Found::Receipt {
        id: record.id,
        token: Token {
            hash: key.0,
            nonce: record.nonce,
        },
        pieces: vec![receipt_elsewhere(bytes)],
    })
}

/// Whether two records of an external store belong to the same submission.
#[cfg(feature = "queue")]
pub(crate) fn same_elsewhere(one: &[u8], other: &[u8]) -> bool {
    match (Record::parse(one), Record::parse(other)) {
        (Ok(one), Ok(other)) => one.fingerprint == other.fingerprint,
        _ => false,
    }
}

/// The receipt in a record of an external store.
#[cfg(feature = "queue")]
pub(crate) fn receipt_elsewhere(bytes: &[u8]) -> Vec<u8> {
    bytes.get(Record::SIZE..).unwrap_or_default().to_vec()
}

impl Claim {
    /// For a key that was added to those in progress.
    fn new(store: &Arc<KeyStore>, key: IdempotencyKey, fingerprint: Fingerprint) -> Self {
        Self {
            store: Arc::clone(store),
            key,
            fingerprint,
            token: Token::of(key),
            record: None,
            named: Vec::new(),
        }
    }

    /// Lets the receipt be found under another name as well: see
    /// [`find_receipt`](crate::PickupDirectory::find_receipt).
    ///
    /// ```
    /// use pmtaemail::{Claimed, Fingerprinter, IdempotencyKey, PickupDirectory, PickupOptions, Submission};
    ///
    /// # let temporary = tempfile::tempdir()?;
    /// # let path = temporary.path().join("pickup");
    /// # std::fs::create_dir(&path)?;
    /// let directory = PickupDirectory::open(&path, PickupOptions::default())?;
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// let submission = Submission::from_json(json)?;
    /// let name = IdempotencyKey::of_receipt(*submission.id());
    /// let fingerprint = Fingerprinter::new(&[]).with(json).finish();
    /// if let Claimed::First(claim) = directory.claim("order-4711".parse()?, fingerprint)? {
    ///     directory.submit_claimed(&submission, claim.named(name))?;
    /// }
    /// assert!(directory.find_receipt(name)?.is_some());
    /// assert!(directory.find_receipt("order-4711".parse()?)?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn named(mut self, name: IdempotencyKey) -> Self {
        self.named.push((name, None));
        self
    }

    pub(crate) fn store(&self) -> &Arc<KeyStore> {
        &self.store
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Sets what is found under the names that were [added](Self::named).
    pub(crate) fn set_named(&mut self, mut record: impl FnMut() -> NewRecord) {
        for (_, named) in &mut self.named {
            named.get_or_insert_with(&mut record);
        }
    }

    /// Adds a name and what is found under it.
    pub(crate) fn add_named(&mut self, name: IdempotencyKey, record: NewRecord) {
        self.named.push((name, Some(record)));
    }

    /// The key and its record, for an external store.
    #[cfg(feature = "queue")]
    pub(crate) fn stored_elsewhere(&mut self) -> io::Result<([u8; 32], Vec<u8>)> {
        let record = self.record.take();
        let mut record = record.ok_or_else(|| io::Error::other("nothing is to be remembered"))?;
        let head = Record {
            time: 0,
            nonce: self.token.nonce,
            fingerprint: self.fingerprint,
            id: record.id,
            size: record.size,
            pieces: 0,
        };
        let mut bytes = head.bytes();
        record.receipt.read_to_end(&mut bytes)?;
        Ok((self.key.0, bytes))
    }

    /// Sets what will be remembered, before the submission is committed.
    pub(crate) fn set_record(&mut self, record: NewRecord) {
        self.record = Some(record);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.store.release(self.key);
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(…)")
    }
}
