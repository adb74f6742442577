//! The data of a file: as it is, and as it is on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const PAGE: usize = 4096;

type Page = Arc<[u8; PAGE]>;

/// Octets in pages. One that is not there is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Octets {
    size: u64,
    pages: BTreeMap<u64, Page>,
}

/// The data of a file.
#[derive(Debug, Default)]
pub struct Content {
    now: Octets,
    durable: Octets,
    /// Pages that the next sync writes.
    unsynced: BTreeSet<u64>,
    is_size_unsynced: bool,
}

/// What a sync has taken in hand.
#[derive(Debug)]
pub struct Sync {
    pages: Vec<(u64, Option<Page>)>,
    size: u64,
}

impl Content {
    pub fn size(&self) -> u64 {
        self.now.size
    }

    pub fn page_count(&self) -> u64 {
        self.now.pages.len() as u64
    }

    /// How many pages a write adds.
    pub fn new_pages(&self, offset: u64, data: &[u8]) -> u64 {
        let (first, end) = (
            offset / PAGE as u64,
            (offset + data.len() as u64).div_ceil(PAGE as u64),
        );
        let there = self.now.pages.range(first..end.max(first)).count() as u64;
        end.saturating_sub(first) - there
    }

    pub fn read(&self, offset: u64, size: usize) -> Vec<u8> {
        let end = self.now.size.min(offset.saturating_add(size as u64));
        let mut data = vec![0; usize::try_from(end.saturating_sub(offset)).unwrap_or(0)];
        for (number, start, part) in parts(offset, data.len()) {
            if let Some(page) = self.now.pages.get(&number) {
                let length = part.len();
                data[part].copy_from_slice(&page[start..start + length]);
            }
        }
        data
    }

    pub fn write(&mut self, offset: u64, data: &[u8]) {
        for (number, start, part) in parts(offset, data.len()) {
            let page = self
                .now
                .pages
                .entry(number)
                .or_insert_with(|| Arc::new([0; PAGE]));
            let length = part.len();
            Arc::make_mut(page)[start..start + length].copy_from_slice(&data[part]);
            self.unsynced.insert(number);
        }
        let end = offset + data.len() as u64;
        if end > self.now.size {
            self.now.size = end;
            self.is_size_unsynced = true;
        }
    }

    pub fn set_size(&mut self, size: u64) {
        let gone: Vec<u64> = self
            .now
            .pages
            .range(size.div_ceil(PAGE as u64)..)
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            self.now.pages.remove(&number);
            self.unsynced.insert(number);
        }
        // What is cut off does not come back when the file grows again.
        let last = size / PAGE as u64;
        let start = usize::try_from(size % PAGE as u64).unwrap_or(0);
        if let Some(page) = self.now.pages.get_mut(&last)
            && size < self.now.size
        {
            Arc::make_mut(page)[start..].fill(0);
            self.unsynced.insert(last);
        }
        self.is_size_unsynced |= size != self.now.size;
        self.now.size = size;
    }

    /// Takes in hand what is not synced. If this is never [finished](Self::finish), no later sync writes it either.
    pub fn begin_sync(&mut self) -> Sync {
        self.is_size_unsynced = false;
        let pages = std::mem::take(&mut self.unsynced);
        Sync {
            pages: pages
                .into_iter()
                .map(|number| (number, self.now.pages.get(&number).cloned()))
                .collect(),
            size: self.now.size,
        }
    }

    pub fn finish(&mut self, sync: Sync) {
        for (number, page) in sync.pages {
            self.durable.set(number, page);
        }
        self.durable.size = sync.size;
    }

    /// Whether a power cut would leave it as it is.
    pub fn is_durable(&self) -> bool {
        self.now == self.durable
    }

    /// Leaves what is on the disk, and of what is not synced each page, and the size, that `keep` says.
    pub fn crash(&mut self, mut keep: impl FnMut() -> bool) {
        for number in std::mem::take(&mut self.unsynced) {
            if keep() {
                self.durable
                    .set(number, self.now.pages.get(&number).cloned());
            }
        }
        if std::mem::take(&mut self.is_size_unsynced) && keep() {
            self.durable.size = self.now.size;
        }
        // Beyond its end a file has nothing.
        let end = self.durable.size.div_ceil(PAGE as u64);
        self.durable.pages.retain(|number, _| *number < end);
        self.now = self.durable.clone();
    }
}

impl Octets {
    fn set(&mut self, number: u64, page: Option<Page>) {
        match page {
            Some(page) => self.pages.insert(number, page),
            None => self.pages.remove(&number),
        };
    }
}

/// The pages of a range: their numbers, where in the page each part begins, and which part of the range it is.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let at = offset + done as u64;
        let start = usize::try_from(at % PAGE as u64).unwrap_or(0);
        let part = done..length.min(done + PAGE - start);
        done = part.end;
        Some((at / PAGE as u64, start, part))
    })
}
