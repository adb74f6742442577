//! What is in the file: <https://docs.rs/redb>.
//!
//! ```text
//! about      name → number                the store's own number, and how many bytes its records take
//! keys       hash of a key → record       when, fingerprint, identifier, token, and a short receipt
//! receipts   hash of a key, number → …    the pieces of a long receipt
//! ages       time, hash of a key →        the oldest first, to be forgotten
//! ```

use super::clock::Clock;
use super::draft;
use super::failed::Failed;
use super::file::{FILE, FilePlace, open_database};
use super::key::Fingerprint;
use super::record::{NewRecord, Record, is_old};
use super::token::Token;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition, WriteTransaction};
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::panic::catch_unwind;
use std::path::PathBuf;
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

/// A receipt up to this size is part of the record.
const SHORT: u64 = 2 << 10;
/// A longer one is split into pieces of this size.
const PIECE: usize = 32 << 10;

/// How many keys a transaction removes, besides those that its own number calls for.
const FORGOTTEN_AT_A_TIME: usize = 64;

/// Where a store is.
#[derive(Debug, Clone)]
pub(crate) enum StorePlace {
    Folder(PathBuf),
    /// It ends with the process.
    #[cfg(any(feature = "outbox", feature = "queue"))]
    Memory,
}

/// Where a store is, and how much it may hold.
#[derive(Debug, Clone)]
pub(crate) struct StoreSettings {
    pub place: StorePlace,
    /// The maximum size of all records, in bytes.
    pub limit: u64,
    pub durable: bool,
}

/// A receipt, to be read again by whoever made it.
pub(super) type Pieces = Vec<Vec<u8>>;

/// An open store.
#[derive(Debug)]
pub(super) struct Opened {
    database: Database,
    /// `None` if it is in memory.
    place: Option<FilePlace>,
    pub number: u64,
    clock: Clock,
    size: AtomicU64,
}

impl Opened {
    pub fn open(settings: &StoreSettings) -> io::Result<Self> {
        let (file, place) = match &settings.place {
            StorePlace::Folder(folder) => {
                let path = folder.join(FILE);
                if !path.try_exists()? {
                    draft::make(folder, &path, settings.durable, |file| {
                        fill(file, settings.durable)
                    })?;
                }
                let file = OpenOptions::new().read(true).write(true).open(&path)?;
                let place = FilePlace::of(&file, path)?;
                (file, Some(place))
            }
            #[cfg(any(feature = "outbox", feature = "queue"))]
            StorePlace::Memory => {
                let file = crate::memory_file::create()?;
                fill(file.try_clone()?, false).map_err(Failed::into_io)?;
                (file, None)
            }
        };
        let opened = catch_unwind(|| Self::read(file, place, settings.durable));
        let opened = opened
            .unwrap_or(Err(Failed::Other("it is damaged")))
            .map_err(Failed::into_io)?;
        #[cfg_attr(
            not(any(feature = "outbox", feature = "queue")),
            expect(irrefutable_let_patterns)
        )]
        if let StorePlace::Folder(folder) = &settings.place {
            draft::clear(folder);
        }
        Ok(opened)
    }

    fn read(file: File, place: Option<FilePlace>, durable: bool) -> Result<Self, Failed> {
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
            place,
            number,
            clock: Clock::start(newest),
            size: size.into(),
        })
    }

    /// The record of a key, expired or not.
    pub fn record(&self, hash: &Hash) -> Result<Option<Record>, Failed> {
        let transaction = self.database.begin_read()?;
        let keys = transaction.open_table(KEYS)?;
        let record = keys.get(hash)?;
        record.map(|bytes| Record::parse(bytes.value())).transpose()
    }

    /// The record of a key, and its receipt in pieces.
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

    /// Stores all of these records, or none. Sets `is_in_doubt` from the moment when that becomes uncertain.
    pub fn commit(
        &self,
        records: impl Iterator<Item = Result<(Token, Fingerprint, NewRecord), Failed>>,
        is_in_doubt: &mut bool,
    ) -> Result<(), Failed> {
        if let Some(place) = &self.place {
            place.check().map_err(redb::Error::Io)?;
        }
        let transaction = self.database.begin_write()?;
        let now = self.clock.now();
        let mut tables = Tables::open(&transaction)?;
        tables.forget(now)?;
        for record in records {
            let (token, fingerprint, record) = record?;
            tables.insert(token, fingerprint, record, now)?;
        }
        let size = tables.close()?;
        *is_in_doubt = true;
        transaction.commit()?;
        self.size.store(size, Ordering::Relaxed);
        Ok(())
    }

    /// Removes what the attempt with this token has committed.
    pub fn revoke(&self, token: Token) -> Result<(), Failed> {
        let transaction = self.database.begin_write()?;
        let record = self.record(&token.hash)?;
        if let Some(record) = record.filter(|record| record.nonce == token.nonce) {
            let mut tables = Tables::open(&transaction)?;
            tables.remove(record.time, &token.hash)?;
            let size = tables.close()?;
            transaction.commit()?;
            self.size.store(size, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether it seems to have room for more keys without removing any.
    pub fn has_room(&self, limit: u64) -> bool {
        self.size.load(Ordering::Relaxed) < limit
    }

    /// Whether it has no room for more keys even if all expired ones are removed.
    pub fn is_full(&self, limit: u64) -> Result<bool, Failed> {
        if self.has_room(limit) {
            return Ok(false);
        }
        let now = self.clock.now();
        loop {
            let transaction = self.database.begin_write()?;
            let mut tables = Tables::open(&transaction)?;
            if !tables.forget(now)? {
                return Ok(tables.size >= limit);
            }
            let size = tables.close()?;
            transaction.commit()?;
            self.size.store(size, Ordering::Relaxed);
            if size < limit {
                return Ok(false);
            }
        }
    }
}

/// The tables that a transaction writes. Opening one takes as long as writing a record.
struct Tables<'t> {
    about: Table<'t, &'static str, u64>,
    keys: Table<'t, &'static Hash, &'static [u8]>,
    receipts: Table<'t, (&'static Hash, u32), &'static [u8]>,
    ages: Table<'t, (u64, &'static Hash), ()>,
    /// The size of all records.
    size: u64,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, Failed> {
        let about = transaction.open_table(ABOUT)?;
        let size = about.get(SIZE)?.map_or(0, |size| size.value());
        Ok(Self {
            about,
            keys: transaction.open_table(KEYS)?,
            receipts: transaction.open_table(RECEIPTS)?,
            ages: transaction.open_table(AGES)?,
            size,
        })
    }

    /// Returns the size of all records.
    fn close(mut self) -> Result<u64, Failed> {
        self.about.insert(SIZE, self.size)?;
        Ok(self.size)
    }

    /// Removes some of the expired keys. Returns `false` if there is none.
    fn forget(&mut self, now: u64) -> Result<bool, Failed> {
        let mut old: Vec<(u64, Hash)> = Vec::new();
        for entry in self.ages.iter()?.take(FORGOTTEN_AT_A_TIME) {
            let (key, ()) = entry.map(|(key, _)| (key, ()))?;
            let (time, hash) = key.value();
            if !is_old(time, now) {
                break;
            }
            old.push((time, *hash));
        }
        for (time, hash) in &old {
            self.remove(*time, hash)?;
        }
        Ok(!old.is_empty())
    }

    /// Adds a record.
    fn insert(
        &mut self,
        token: Token,
        fingerprint: Fingerprint,
        mut new: NewRecord,
        now: u64,
    ) -> Result<(), Failed> {
        let hash = &token.hash;
        let old = self.keys.get(hash)?;
        let old = old.map(|bytes| Record::parse(bytes.value())).transpose()?;
        // It is too old to count, and not forgotten yet.
        if let Some(record) = old {
            self.remove(record.time, hash)?;
        }
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
            self.keys.insert(hash, bytes.as_slice())?;
        } else {
            let mut piece = Vec::with_capacity(PIECE);
            loop {
                piece.clear();
                (&mut new.receipt)
                    .take(PIECE as u64)
                    .read_to_end(&mut piece)?;
                if piece.is_empty() {
                    break;
                }
                self.receipts
                    .insert((hash, record.pieces), piece.as_slice())?;
                record.pieces += 1;
            }
            self.keys.insert(hash, record.bytes().as_slice())?;
        }
        self.ages.insert((now, hash), ())?;
        self.size += record.takes();
        Ok(())
    }

    /// Removes a record.
    fn remove(&mut self, time: u64, hash: &Hash) -> Result<(), Failed> {
        self.ages.remove((time, hash))?;
        let Some(bytes) = self.keys.remove(hash)? else {
            return Ok(());
        };
        let record = Record::parse(bytes.value())?;
        for number in 0..record.pieces {
            self.receipts.remove((hash, number))?;
        }
        self.size = self.size.saturating_sub(record.takes());
        Ok(())
    }
}

/// Turns an empty file into an empty store.
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
