//! Bytes that may be too many for memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

/// Up to this size they are kept in memory.
const IN_MEMORY: usize = 1 << 20;
/// How many go into the file at a time.
const AT_A_TIME: usize = 128 << 10;

/// Bytes in memory and, if there are many, in an unnamed file.
#[derive(Debug, Default)]
pub(crate) struct Spool {
    /// All bytes, or those that are not in the file yet.
    bytes: Vec<u8>,
    file: Option<Mutex<File>>,
    /// How many bytes are in the file.
    flushed: u64,
}

impl Spool {
    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.bytes.len()
    }

    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.flushed + self.bytes.len() as u64
    }

    /// Moves what is too much for memory into the file that `create` makes, which is called at most once.
    pub fn flush<E: From<io::Error>>(
        &mut self,
        create: impl FnOnce() -> Result<File, E>,
    ) -> Result<(), E> {
        let is_much = match self.file {
            Some(_) => AT_A_TIME,
            None => IN_MEMORY,
        };
        if self.bytes.len() < is_much {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Mutex::new(create()?)),
        };
        let file = file.get_mut().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.flushed))?;
        file.write_all(&self.bytes)?;
        self.flushed += self.bytes.len() as u64;
        self.bytes.clear();
        // The memory is wanted for what is made of them.
        self.bytes.shrink_to(2 * AT_A_TIME);
        Ok(())
    }

    /// Drops those that are in memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Reads bytes from a position, counted from 0. There are none after the last.
    fn read_at(&self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let (Some(file), Some(rest @ 1..)) = (&self.file, self.flushed.checked_sub(place)) {
            let most = usize::try_from(rest).map_or(buffer.len(), |rest| rest.min(buffer.len()));
            // Others may read at other places at the same time.
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(place))?;
            return file.read(&mut buffer[..most]);
        }
        let behind = usize::try_from(place - self.flushed).unwrap_or(usize::MAX);
        let mut rest = self.bytes.get(behind..).unwrap_or_default();
        rest.read(buffer)
    }
}

/// Reads the bytes of a spool from the start. There may be several readers at a time.
#[derive(Debug)]
pub(crate) struct SpoolReader<S> {
    spool: S,
    place: u64,
}

impl<S: Deref<Target = Spool>> SpoolReader<S> {
    /// How many bytes were read.
    pub fn place(&self) -> u64 {
        self.place
    }

    pub fn new(spool: S) -> Self {
        Self { spool, place: 0 }
    }
}

impl<S: Deref<Target = Spool>> Read for SpoolReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.spool.read_at(self.place, buffer)?;
        self.place += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_do_not_disturb_each_other() {
        let mut spool = Spool::default();
        let mut expected = Vec::new();
        let mut files = 0;
        for number in 0..400_000_u32 {
            let bytes = format!("{number},").into_bytes();
            spool.push(&bytes);
            expected.extend(bytes);
            spool
                .flush(|| {
                    files += 1;
                    tempfile::tempfile()
                })
                .unwrap();
            assert!(spool.buffered() <= IN_MEMORY);
        }
        assert_eq!((files, spool.len()), (1, expected.len() as u64));
        assert!(spool.buffered() > 0);
        assert!(spool.bytes.capacity() <= 2 * AT_A_TIME);
        let [mut one, mut other] = [SpoolReader::new(&spool), SpoolReader::new(&spool)];
        let mut begun = vec![0; 1_000];
        other.read_exact(&mut begun).unwrap();
        for (mut begun, reader) in [(Vec::new(), &mut one), (begun, &mut other)] {
            reader.read_to_end(&mut begun).unwrap();
            assert!(begun == expected);
            assert_eq!(reader.read(&mut [0]).unwrap(), 0);
        }
    }
}
