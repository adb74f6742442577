//! One recipient after the other out of the spool.

use super::IntakeError;
use crate::problem::{Code, Problem, Problems, Refusal};
use std::io::{self, Read};

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// More is no recipient: it would take the memory that the spool saves.
const LONGEST: usize = 4 << 20;

/// What stands between two separators.
pub(super) struct Record<'r> {
    pub octets: &'r [u8],
    /// There is no other one.
    pub is_only: bool,
}

/// Octets between separators.
pub(super) struct Records<R> {
    source: R,
    separator: u8,
    buffer: Vec<u8>,
    /// What of the buffer is still to be read.
    start: usize,
    end: usize,
    /// Behind the last octet a record ends, even without a separator.
    is_at_end: bool,
    count: usize,
}

impl<R: Read> Records<R> {
    pub fn new(source: R, separator: u8) -> Self {
        Self {
            source,
            separator,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            count: 0,
        }
    }

    /// The next record. Of separators there is one less than records, so there is always one.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, IntakeError> {
        let mut known = 0;
        loop {
            let unread = self.buffer.get(self.start..self.end).unwrap_or_default();
            let fresh = unread.get(known..).unwrap_or_default();
            if let Some(found) = memchr::memchr(self.separator, fresh) {
                let start = self.start;
                let end = start + known + found;
                self.start = end + 1;
                self.count += 1;
                return Ok(self.record(start, end, false));
            }
            if self.is_at_end {
                if self.count > 0 && self.start > self.end {
                    return Ok(None);
                }
                let start = self.start;
                self.start = self.end + 1;
                self.count += 1;
                return Ok(self.record(start, self.end, self.count == 1));
            }
            known = unread.len();
            if known > LONGEST {
                return Err(too_long(self.count).into());
            }
            self.fill()?;
        }
    }

    fn record(&self, start: usize, end: usize, is_only: bool) -> Option<Record<'_>> {
        let octets = self.buffer.get(start..end)?;
        Some(Record { octets, is_only })
    }

    /// Reads more octets behind those that are unread.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        let count = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += count;
        self.is_at_end = count == 0;
        Ok(())
    }
}

fn too_long(index: usize) -> Problems {
    let detail = "A recipient has 4 MiB at most.";
    let pointer = format!("/recipients/{index}");
    Problems::one(Problem::new(pointer, Refusal::new(Code::TooLong, detail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(octets: &[u8], chunk: usize) -> Vec<(String, bool)> {
        /// Gives a few octets at a time.
        struct Slow<'o>(&'o [u8], usize);

        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(self.1).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }

        let mut records = Records::new(Slow(octets, chunk), b',');
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push((
                String::from_utf8_lossy(record.octets).into_owned(),
                record.is_only,
            ));
        }
        all
    }

    #[test]
    fn records_stand_between_separators() {
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
    fn a_record_without_end_is_refused() {
        let mut records = Records::new(io::repeat(b'x'), b',');
        assert!(matches!(records.next(), Err(IntakeError::Problems(_))));
    }
}
