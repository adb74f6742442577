//! One recipient after the other out of the spool.

use super::SubmitError;
use crate::problem::{Code, Problem, Problems, Refusal};
use std::io::{self, Read};

/// How much is read at once.
const CHUNK: usize = 256 << 10;
/// More is no recipient: it would take the memory that the spool saves.
const LONGEST: usize = 4 << 20;

/// What stands between two separators.
pub(super) struct Record<'r> {
    pub bytes: &'r [u8],
    /// There is no other one.
    pub is_only: bool,
}

/// Bytes between separators.
pub(super) struct Records<R> {
    source: R,
    separator: u8,
    buffer: Vec<u8>,
    /// What of the buffer is still to be read: `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    /// Behind the last byte a record ends, even without a separator.
    is_at_end: bool,
    /// That record was given.
    is_done: bool,
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
            is_done: false,
            count: 0,
        }
    }

    /// The next record. Of separators there is one less than records, so there is always one.
    pub fn next(&mut self) -> Result<Option<Record<'_>>, SubmitError> {
        let mut searched = 0;
        let range = loop {
            if self.is_done {
                return Ok(None);
            }
            let unread = &self.buffer[self.start..self.end];
            if let Some(found) = memchr::memchr(self.separator, &unread[searched..]) {
                let end = self.start + searched + found;
                let range = self.start..end;
                self.start = end + 1;
                break range;
            }
            if self.is_at_end {
                self.is_done = true;
                break self.start..self.end;
            }
            searched = unread.len();
            if searched > LONGEST {
                return Err(too_long(self.count).into());
            }
            self.fill()?;
        };
        self.count += 1;
        Ok(Some(Record {
            bytes: &self.buffer[range],
            is_only: self.is_done && self.count == 1,
        }))
    }

    /// Reads more bytes behind those that are unread.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + CHUNK {
            self.buffer.resize(self.end + CHUNK, 0);
        }
        let room = &mut self.buffer[self.end..];
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
        while let Some(record) = records.next().unwrap() {
            all.push((
                String::from_utf8_lossy(record.bytes).into_owned(),
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
        assert!(matches!(records.next(), Err(SubmitError::Problems(_))));
    }
}
