//! What is in the file: <https://docs.rs/redb>.
//!
//! ```text
//! about      name → number                the store's own number, and how many bytes its records take
//! keys       hash of a key → record       when, fingerprint, identifier, token, and a short receipt
//! receipts   hash of a key, number → …    the pieces of a long receipt
//! ages       time, hash of a key →        the oldest first, to be forgotten
//! ```

use super::clock::Clock;
use super::failed::Failed;
use super::file::{make_folder, open_database, sync_folder};
use super::key::Fingerprint;
use super::record::{NewRecord, Record, is_old};
use super::token::Token;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

pub(super) type Hash = [u8; 32];

const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");
const KEYS: TableDefinition<'_, &Hash, &[u8]> = TableDefinition::new("keys");
const RECEIPTS: TableDefinition<'_, (&Hash, u32), &[u8]> = TableDefinition::new("receipts");
const AGES: TableDefinition<'_, (u64, &Hash), ()> = TableDefinition::new("ages");

/// Names in `about`.
const NUMBER: &str = "number";
const SIZE: &str = "size";

/// The name of the file in the state folder.
pub(super) const FILE: &str = "keys.redb";

/// A receipt up to this size stands in the record.
const SHORT: u64 = 2 << 10;
/// A longer one is in pieces of this size.
const PIECE: usize = 32 << 10;

/// How many keys are forgotten in a transaction, beside those that are due to its own number.
const FORGOTTEN_AT_A_TIME: usize = 64;

/// Where a store is, and how much it may hold.
#[derive(Debug, Clone)]
pub(crate) struct StoreSettings {
    pub folder: PathBuf,
    /// What all records may take, in bytes.
    pub limit: u64,
    pub durable: bool,
}

/// A receipt, as whoever made it reads it again.
pub(super) type Pieces = Vec<Vec<u8>>;

/// An open store.
#[derive(Debug)]
pub(super) struct Opened {
    database: Database,
    pub number: u64,
    clock: Clock,
    size: AtomicU64,
}

impl Opened {
    pub fn open(settings: &StoreSettings) -> io::Result<Self> {
        let path = settings.folder.join(FILE);
        if !path.try_exists()? {
            make(settings, &path)?;
        }
        let opened = catch_unwind(|| Self::read(&path, settings.durable));
        opened
            .unwrap_or(Err(Failed::Other("it is damaged")))
            .map_err(Failed::into_io)
    }

    fn read(path: &Path, durable: bool) -> Result<Self, Failed> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        if file.metadata()?.len() == 0 {
            return Err(Failed::Other("it is empty"));
        }
        let database = open_database(file, durable)?;
        let transaction = database.begin_read()?;
        let about = transaction.open_table(ABOUT)?;
        let get = |name| match about.get(name) {
            Ok(Some(number)) => Ok(number.value()),
            Ok(None) => Err(Failed::Other("it is incomplete")),
            Err(error) => Err(error.into()),
        };
        let (number, size) = (get(NUMBER)?, get(SIZE)?);
        let ages = transaction.open_table(AGES)?;
        let newest = ages.last()?.map_or(0, |(key, _)| key.value().0);
        drop((about, ages, transaction));
        Ok(Self {
            database,
            number,
            clock: Clock::start(newest),
            size: size.into(),
        })
    }

    /// What is remembered under a key, old or not.
    pub fn record(&self, hash: &Hash) -> Result<Option<Record>, Failed> {
        let transaction = self.database.begin_read()?;
        let keys = transaction.open_table(KEYS)?;
        let record = keys.get(hash)?;
        record.map(|bytes| Record::parse(bytes.value())).transpose()
    }

    /// What is remembered under a key, and its receipt in pieces.
    pub fn find(&self, hash: &Hash) -> Result<Option<(Record, Pieces)>, Failed> {
        let transaction = self.database.begin_read()?;
        let keys = transaction.open_table(KEYS)?;
        let Some(bytes) = keys.get(hash)? else {
            return Ok(None);
        };
        let record = Record::parse(bytes.value())?;
        if is_old(record.time, self.clock.now()) {
            return Ok(None);
        }
        let mut pieces = Vec::new();
        if record.pieces == 0 {
            pieces.push(bytes.value()[Record::SIZE..].to_vec());
        } else {
            let receipts = transaction.open_table(RECEIPTS)?;
            for number in 0..record.pieces {
                let piece = receipts.get((hash, number))?;
                let piece = piece.ok_or(Failed::Other("a receipt is incomplete"))?;
                pieces.push(piece.value().to_vec());
            }
        }
        Ok(Some((record, pieces)))
    }

    /// Remembers all of these, or nothing. From when on that is in doubt it says in `is_in_doubt`.
    pub fn commit(
        &self,
        records: impl Iterator<Item = Result<(Token, Fingerprint, NewRecord), Failed>>,
        is_in_doubt: &mut bool,
    ) -> Result<(), Failed> {
        let transaction = self.database.begin_write()?;
        let now = self.clock.now();
        let mut size = forget(&transaction, now)?;
        for record in records {
            let (token, fingerprint, record) = record?;
            size = insert(&transaction, token, fingerprint, record, now, size)?;
        }
        transaction.open_table(ABOUT)?.insert(SIZE, size)?;
        *is_in_doubt = true;
        transaction.commit()?;
        self.size.store(size, Ordering::Relaxed);
        Ok(())
    }

    /// Forgets what the attempt with this token has committed.
    pub fn revoke(&self, token: Token) -> Result<(), Failed> {
        let transaction = self.database.begin_write()?;
        let size = size_in(&transaction)?;
        let record = self.record(&token.hash)?;
        if let Some(record) = record.filter(|record| record.nonce == token.nonce) {
            let size = size.saturating_sub(remove(&transaction, record.time, &token.hash)?);
            transaction.open_table(ABOUT)?.insert(SIZE, size)?;
            transaction.commit()?;
            self.size.store(size, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether it takes no more keys, when all that are old are forgotten.
    pub fn is_full(&self, limit: u64) -> Result<bool, Failed> {
        if self.size.load(Ordering::Relaxed) < limit {
            return Ok(false);
        }
        let now = self.clock.now();
        loop {
            let transaction = self.database.begin_write()?;
            let before = size_in(&transaction)?;
            let size = forget(&transaction, now)?;
            if size == before {
                return Ok(size >= limit);
            }
            transaction.open_table(ABOUT)?.insert(SIZE, size)?;
            transaction.commit()?;
            self.size.store(size, Ordering::Relaxed);
            if size < limit {
                return Ok(false);
            }
        }
    }
}

/// Forgets some of the keys that are old. Gives what the others take.
fn forget(transaction: &WriteTransaction, now: u64) -> Result<u64, Failed> {
    let mut size = size_in(transaction)?;
    let mut old: Vec<(u64, Hash)> = Vec::new();
    {
        let ages = transaction.open_table(AGES)?;
        for entry in ages.iter()?.take(FORGOTTEN_AT_A_TIME) {
            let (key, ()) = entry.map(|(key, _)| (key, ()))?;
            let (time, hash) = key.value();
            if !is_old(time, now) {
                break;
            }
            old.push((time, *hash));
        }
    }
    for (time, hash) in old {
        size = size.saturating_sub(remove(transaction, time, &hash)?);
    }
    Ok(size)
}

/// What all records take.
fn size_in(transaction: &WriteTransaction) -> Result<u64, Failed> {
    let about = transaction.open_table(ABOUT)?;
    let size = about.get(SIZE)?;
    Ok(size.map_or(0, |size| size.value()))
}

/// Adds a record. Gives what it takes.
fn insert(
    transaction: &WriteTransaction,
    token: Token,
    fingerprint: Fingerprint,
    mut new: NewRecord,
    now: u64,
    size: u64,
) -> Result<u64, Failed> {
    let hash = &token.hash;
    let mut keys = transaction.open_table(KEYS)?;
    let old = keys.get(hash)?;
    let old = old.map(|bytes| Record::parse(bytes.value())).transpose()?;
    drop(keys);
    let freed = match old {
        // It is too old to count, and not forgotten yet.
        Some(record) => remove(transaction, record.time, hash)?,
        None => 0,
    };
    keys = transaction.open_table(KEYS)?;
    let mut record = Record {
        time: now,
        nonce: token.nonce,
        fingerprint,
        id: new.id,
        size: new.size,
        pieces: 0,
    };
    if new.size <= SHORT {
        let mut bytes = record.bytes();
        new.receipt.read_to_end(&mut bytes)?;
        keys.insert(hash, bytes.as_slice())?;
    } else {
        let mut receipts = transaction.open_table(RECEIPTS)?;
        let mut piece = Vec::with_capacity(PIECE);
        loop {
            piece.clear();
            (&mut new.receipt)
                .take(PIECE as u64)
                .read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            receipts.insert((hash, record.pieces), piece.as_slice())?;
            record.pieces += 1;
        }
        keys.insert(hash, record.bytes().as_slice())?;
    }
    transaction.open_table(AGES)?.insert((now, hash), ())?;
    Ok(size.saturating_sub(freed) + record.takes())
}

/// Takes a record away. Gives what it took.
fn remove(transaction: &WriteTransaction, time: u64, hash: &Hash) -> Result<u64, Failed> {
    transaction.open_table(AGES)?.remove((time, hash))?;
    let mut keys = transaction.open_table(KEYS)?;
    let Some(bytes) = keys.remove(hash)? else {
        return Ok(0);
    };
    let record = Record::parse(bytes.value())?;
    if record.pieces > 0 {
        let mut receipts = transaction.open_table(RECEIPTS)?;
        for number in 0..record.pieces {
            receipts.remove((hash, number))?;
        }
    }
    Ok(record.takes())
}

/// Makes an empty store. It has its name when it is whole.
fn make(settings: &StoreSettings, path: &Path) -> io::Result<()> {
    let folder = &settings.folder;
    make_folder(folder)?;
    let draft = folder.join(format!("{FILE}.{}", process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = fill(options.open(&draft)?, settings.durable).map_err(Failed::into_io);
    // Never in the place of one that another process has made meanwhile.
    let named = made.and_then(|()| match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    });
    fs::remove_file(&draft)?;
    named?;
    if settings.durable {
        sync_folder(folder)?;
        if let Some(parent) = folder.parent() {
            match sync_folder(parent) {
                // Who may not read it has not made the folder in it.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                synced => synced?,
            }
        }
    }
    Ok(())
}

fn fill(file: File, durable: bool) -> Result<(), Failed> {
    let database = open_database(file, durable)?;
    let transaction = database.begin_write()?;
    {
        let mut about = transaction.open_table(ABOUT)?;
        about.insert(NUMBER, RandomState::new().hash_one(process::id()))?;
        about.insert(SIZE, 0)?;
        transaction.open_table(KEYS)?;
        transaction.open_table(RECEIPTS)?;
        transaction.open_table(AGES)?;
    }
    transaction.commit()?;
    Ok(())
}
