//! The keys of one state folder: those that are remembered, and those whose submission is at work.

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

/// The keys of one state folder. Its file is opened when that is first needed.
#[derive(Debug)]
pub(crate) struct KeyStore {
    settings: StoreSettings,
    opened: Mutex<Option<Arc<Opened>>>,
    in_work: Mutex<HashSet<Hash>>,
    /// A fork cannot use what its parent has open.
    process: u32,
}

/// A key whose submission is at work. Dropped, it is free again, unless its record is in the store by then.
///
/// See [`PickupDirectory::claim`](crate::PickupDirectory::claim).
#[must_use = "the key is free again when it is dropped"]
pub struct Claim {
    store: Arc<KeyStore>,
    key: IdempotencyKey,
    fingerprint: Fingerprint,
    token: Token,
    record: Option<NewRecord>,
    /// Other names, and what is found under them once it is known.
    named: Vec<(IdempotencyKey, Option<NewRecord>)>,
}

/// What is found under a key.
pub(crate) enum Found {
    /// Nothing: it is claimed.
    Nothing(Claim),
    /// The same submission: it has been handed over.
    Receipt {
        id: Id,
        token: Token,
        pieces: Vec<Vec<u8>>,
    },
}

/// Why a key cannot be had.
#[derive(Debug)]
pub(crate) enum ClaimRefused {
    /// Its first submission is at work: try again later.
    InWork,
    /// Another submission was handed over under it.
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
    /// Whether its records may be there all the same.
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

    /// The path of its file.
    pub fn path(&self) -> PathBuf {
        match &self.settings.place {
            StorePlace::Folder(folder) => folder.join(FILE),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            StorePlace::Memory => FILE.into(),
        }
    }

    /// Whether there seems to be something in it.
    pub fn is_there(&self) -> bool {
        match &self.settings.place {
            StorePlace::Folder(_) => self.path().try_exists().unwrap_or(true),
            #[cfg(any(feature = "outbox", feature = "queue"))]
            StorePlace::Memory => true,
        }
    }

    /// Opens it if its file is there. Tells whether it is open.
    pub fn open_if_there(&self) -> io::Result<bool> {
        if self.path().try_exists()? {
            self.open()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Opens it. Tells whether it was not open before.
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

    /// Whether the attempt with this token has decided that its files are handed over.
    pub fn has_decided(&self, token: Token) -> io::Result<bool> {
        self.guarded(|opened| {
            let record = opened.record(&token.hash)?;
            Ok(record.is_some_and(|record| record.nonce == token.nonce))
        })
    }

    /// Claims a key, or finds what was handed over under it. It must be open.
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

    /// Claims a key that it does not have, if that is known without waiting for more than a read of the store.
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

    /// What was handed over under a key.
    pub fn find(&self, key: IdempotencyKey) -> io::Result<Option<Vec<Vec<u8>>>> {
        let found = self.guarded(|opened| opened.find(&key.0))?;
        Ok(found.map(|(_, pieces)| pieces))
    }

    /// Whether it has so much room that names which nobody depends on leave enough for keys.
    pub fn has_room_for_names(&self) -> io::Result<bool> {
        let limit = self.settings.limit / 2;
        self.guarded(|opened| Ok(opened.has_room(limit) || !opened.is_full(limit)?))
    }

    /// Whether it takes no new key at present.
    pub fn is_full(&self) -> io::Result<bool> {
        self.guarded(|opened| opened.is_full(self.settings.limit))
    }

    /// Remembers what is claimed: all of it, or nothing.
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

    /// Forgets what was committed, if the attempt with this token has done so.
    pub fn revoke(&self, token: Token) -> io::Result<()> {
        self.guarded(|opened| opened.revoke(token))
    }

    fn release(&self, key: IdempotencyKey) {
        self.lock_in_work().remove(&key.0);
    }

    /// Does something with the open store. Where that fails it is closed, and opened anew the next time: after an
    /// error nobody knows what is in memory.
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

/// What a store elsewhere has under a key: see [`Claim::stored_elsewhere`].
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

/// Whether two records of a store elsewhere are of the same submission.
#[cfg(feature = "queue")]
pub(crate) fn same_elsewhere(one: &[u8], other: &[u8]) -> bool {
    match (Record::parse(one), Record::parse(other)) {
        (Ok(one), Ok(other)) => one.fingerprint == other.fingerprint,
        _ => false,
    }
}

/// The receipt in what a store elsewhere has under a key.
#[cfg(feature = "queue")]
pub(crate) fn receipt_elsewhere(bytes: &[u8]) -> Vec<u8> {
    bytes.get(Record::SIZE..).unwrap_or_default().to_vec()
}

impl Claim {
    /// Of a key that was put among those at work.
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

    /// Has the receipt found under another name, too: see
    /// [`find_receipt`](crate::PickupDirectory::find_receipt).
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

    /// Says what is found under the names that it [got](Self::named).
    pub(crate) fn set_named(&mut self, mut record: impl FnMut() -> NewRecord) {
        for (_, named) in &mut self.named {
            named.get_or_insert_with(&mut record);
        }
    }

    /// Says what is found under one more name.
    pub(crate) fn add_named(&mut self, name: IdempotencyKey, record: NewRecord) {
        self.named.push((name, Some(record)));
    }

    /// The key, and what is to be remembered under it, for a store elsewhere.
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

    /// Says what is to be remembered, before the submission is committed.
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
