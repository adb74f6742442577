//! Reads one recipient after the other from the spool.

use super::SubmitError;
use crate::problem::{Code, Problem, Problems, Refusal};
use crate::spool::{Spool, SpoolReader};
use std::io::{self, BufRead, BufReader, Read};
use std::mem;

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// A longer one is not a recipient: it would take the memory that the spool saves.
const LONGEST: usize = 4 << 20;

/// What is between two separators.
pub(super) struct Record<'r> {
    pub bytes: &'r [u8],
    /// There is no other one.
    pub is_only: bool,
}

/// Bytes between separators.
pub(super) struct Records<R> {
    source: BufReader<R>,
    separator: u8,
    record: Vec<u8>,
    is_first: bool,
    is_done: bool,
}

impl Records<SpoolReader<&Spool>> {
    /// How many bytes of the spool were read.
    pub fn place(&self) -> u64 {
        self.source.get_ref().place() - self.source.buffer().len() as u64
    }
}

impl<R: Read> Records<R> {
    pub fn new(source: R, separator: u8) -> Self {
        Self {
            source: BufReader::with_capacity(CHUNK, source),
            separator,
            record: Vec::new(),
            is_first: true,
            is_done: false,
        }
    }

    /// The next record, which is element `index` of the array `name`. There is one separator less than there are
    /// records, so there is always at least one.
    pub fn next(&mut self, name: &str, index: usize) -> Result<Option<Record<'_>>, SubmitError> {
        if self.is_done {
            return Ok(None);
        }
        self.record.clear();
        // `read_until` would do, but is slower than `memchr` by some 25 ns a record.
        loop {
            let unread = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            let end = memchr::memchr(self.separator, unread);
            let part = &unread[..end.unwrap_or(unread.len())];
            if self.record.len() + part.len() > LONGEST {
                return Err(too_long(name, index).into());
            }
            self.record.extend_from_slice(part);
            self.is_done = unread.is_empty();
            let taken = part.len() + usize::from(end.is_some());
            self.source.consume(taken);
            if self.is_done || end.is_some() {
                break;
            }
        }
        Ok(Some(Record {
            bytes: &self.record,
            is_only: mem::take(&mut self.is_first) && self.is_done,
        }))
    }
}

fn too_long(name: &str, index: usize) -> Problems {
    let detail = "A recipient may be at most 4 MiB.";
    let pointer = format!("/{name}/{index}");
    Problems::one(Problem::new(pointer, Refusal::new(Code::TooLong, detail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(bytes: &[u8], chunk: usize) -> Vec<(String, bool)> {
        /// Gives a few bytes at a time.
        struct Slow<'o>(&'o [u8], usize);

        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(self.1).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }

        let mut records = Records::new(Slow(bytes, chunk), b',');
        let mut all = Vec::new();
        while let Some(record) = records.next("recipients", 0).unwrap() {
            all.push((
                String::from_utf8_lossy(record.bytes).into_owned(),
                record.is_only,
            ));
        }
        all
    }

    #[test]
    fn records_are_between_separators() {
        for chunk in [1, 2, 3, 100] {
            for text in ["", "a", ",", "a,b", "abc,,def,", ",,"] {
                let expected: Vec<_> = text.split(',').collect();
                let is_only = expected.len() == 1;
                let expected: Vec<_> = expected
                    .iter()
                    .map(|r| ((*r).to_owned(), is_only))
                    .collect();
                assert_eq!(records(text.as_bytes(), chunk), expected, "{text}");
            }
        }
    }

    #[test]
    fn a_record_that_is_too_long_is_refused() {
        let longest = 4 << 20;
        for (length, is_refused) in [(longest, false), (longest + 1, true)] {
            for end in ["", ","] {
                let text = "x".repeat(length) + end;
                let mut records = Records::new(text.as_bytes(), b',');
                assert_eq!(records.next("recipients", 0).is_err(), is_refused);
            }
        }
        let mut records = Records::new(io::repeat(b'x'), b',');
        assert!(matches!(
            records.next("recipients", 0),
            Err(SubmitError::Problems(_))
        ));
    }
}
