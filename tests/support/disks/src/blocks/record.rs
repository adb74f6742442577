//! What was written and flushed, and what there is at an instant.

use std::collections::HashMap;
use std::ops::Range;
use std::str::FromStr;

/// What is written at once, if anything: the size of a sector of nearly every disk.
pub const SECTOR: usize = 512;

#[derive(Debug)]
enum Entry {
    /// From a sector on, whole sectors.
    Write {
        first: u64,
        data: Box<[u8]>,
    },
    Flush,
}

/// Where a sector is: in which write, and as which of its sectors.
type Place = (usize, usize);

/// All that happened to a disk that was zero at first. An instant is the number of entries by then.
#[derive(Debug, Default)]
pub struct Record {
    entries: Vec<Entry>,
    now: HashMap<u64, Place>,
}

/// What is on the disk of that which was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    Nothing,
    Everything,
    /// Some writes, each whole.
    Writes,
    /// Some sectors of each write, in groups of so many: those of the disk are of 512 octets, or of 4096.
    Sectors(u64),
}

impl FromStr for Policy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "nothing" => Self::Nothing,
            "everything" => Self::Everything,
            "writes" => Self::Writes,
            "sectors" => Self::Sectors(1),
            "large-sectors" => Self::Sectors(8),
            _ => {
                return Err(format!(
                    "{word} is none of nothing, everything, writes, sectors, large-sectors"
                ));
            }
        })
    }
}

/// What a power cut left of the disk, and what was written to that since.
#[derive(Debug, Default)]
pub struct State {
    left: HashMap<u64, Place>,
    written: HashMap<u64, Box<[u8]>>,
}

impl Record {
    /// This instant.
    pub fn now(&self) -> usize {
        self.entries.len()
    }

    /// Flushes between two instants.
    pub fn flushes(&self, instants: Range<usize>) -> usize {
        let entries = self.entries.get(instants).unwrap_or_default();
        entries
            .iter()
            .filter(|entry| matches!(entry, Entry::Flush))
            .count()
    }

    pub fn flush(&mut self) {
        self.entries.push(Entry::Flush);
    }

    /// Records a write. What is not whole sectors is filled up with what is there.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        let (first, data) = whole_sectors(offset, data, |offset, size| self.read(offset, size));
        let number = self.entries.len();
        for (sector, part) in (first..).zip(0..data.len() / SECTOR) {
            self.now.insert(sector, (number, part));
        }
        self.entries.push(Entry::Write { first, data });
    }

    /// What is there now.
    pub fn read(&self, offset: u64, size: usize) -> Vec<u8> {
        read_sectors(offset, size, |sector| self.sector(*self.now.get(&sector)?))
    }

    fn sector(&self, (number, part): Place) -> Option<&[u8]> {
        match self.entries.get(number)? {
            Entry::Write { data, .. } => data.get(part * SECTOR..(part + 1) * SECTOR),
            Entry::Flush => None,
        }
    }

    /// What a power cut at an instant leaves.
    pub fn cut(&self, instant: usize, policy: Policy, seed: u64) -> State {
        let entries = &self.entries[..instant.min(self.entries.len())];
        let flushed = entries
            .iter()
            .rposition(|entry| matches!(entry, Entry::Flush))
            .unwrap_or(0);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut left = HashMap::new();
        for (number, entry) in entries.iter().enumerate() {
            let Entry::Write { first, data } = entry else {
                continue;
            };
            let policy = if number < flushed {
                Policy::Everything
            } else {
                policy
            };
            let is_whole = match policy {
                Policy::Nothing => continue,
                Policy::Everything | Policy::Sectors(_) => true,
                Policy::Writes => random.bool(),
            };
            let mut is_kept = is_whole;
            for (sector, part) in (*first..).zip(0..data.len() / SECTOR) {
                if let Policy::Sectors(group) = policy
                    && (part == 0 || sector % group == 0)
                {
                    is_kept = random.bool();
                }
                if is_kept {
                    left.insert(sector, (number, part));
                }
            }
        }
        State {
            left,
            written: HashMap::new(),
        }
    }
}

impl State {
    pub fn read(&self, record: &Record, offset: u64, size: usize) -> Vec<u8> {
        read_sectors(offset, size, |sector| {
            let written = self.written.get(&sector).map(|data| &**data);
            written.or_else(|| record.sector(*self.left.get(&sector)?))
        })
    }

    pub fn write(&mut self, record: &Record, offset: u64, data: &[u8]) {
        let (first, data) =
            whole_sectors(offset, data, |offset, size| self.read(record, offset, size));
        for (sector, data) in (first..).zip(data.chunks_exact(SECTOR)) {
            self.written.insert(sector, data.into());
        }
    }
}

/// A write with what is there before it and behind it in its first and last sector.
fn whole_sectors(
    offset: u64,
    data: &[u8],
    read: impl Fn(u64, usize) -> Vec<u8>,
) -> (u64, Box<[u8]>) {
    let first = offset / SECTOR as u64;
    let before = usize::try_from(offset % SECTOR as u64).unwrap_or(0);
    let length = (before + data.len()).next_multiple_of(SECTOR);
    if length == data.len() {
        return (first, data.into());
    }
    let mut whole = read(first * SECTOR as u64, length);
    whole[before..before + data.len()].copy_from_slice(data);
    (first, whole.into())
}

/// Reads from sectors; those that are not there are zero.
fn read_sectors<'a>(offset: u64, size: usize, sector: impl Fn(u64) -> Option<&'a [u8]>) -> Vec<u8> {
    let first = offset / SECTOR as u64;
    let before = usize::try_from(offset % SECTOR as u64).unwrap_or(0);
    let count = (before + size).div_ceil(SECTOR);
    let mut data = vec![0; count * SECTOR];
    for (number, there) in (first..).zip(data.chunks_exact_mut(SECTOR)) {
        if let Some(found) = sector(number) {
            there.copy_from_slice(found);
        }
    }
    data.truncate(before + size);
    data.drain(..before);
    data
}
