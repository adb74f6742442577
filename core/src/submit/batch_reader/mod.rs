//! A batch of messages that arrives piece by piece: a JSON array, or one message per line.
//!
//! Bytes are split into messages as they arrive; a message is parsed only when it is submitted. So memory holds only
//! what is about to be submitted, however long the batch is.
//!
//! ```text
//! bytes → BatchReader { Lines | Elements } → groups of BatchEntry → PickupDirectory::submit_batch
//! ```

mod elements;
mod entry;
#[cfg(feature = "idempotency")]
mod key;
mod lines;

pub use entry::{BatchEntry, BatchError, Position};

use super::limits::EntryGroup;
use elements::Elements;
use lines::Lines;
use std::collections::VecDeque;

/// How a batch is written.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader};
///
/// let mut lines = BatchReader::new(BatchFormat::Lines, 32 << 20);
/// lines.feed(b"{}\n\n{}\n");
/// let mut array = BatchReader::new(BatchFormat::Array, 32 << 20);
/// array.feed(b"[{}, {}]");
/// assert_eq!(lines.take().len(), array.take().len());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BatchFormat {
    /// A JSON array of messages.
    Array,
    /// One message per line (NDJSON). Blank lines count as lines, but not as messages.
    Lines,
}

/// Splits a batch into its messages as its bytes arrive.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader, PickupDirectory, PickupOptions, Position};
///
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
/// let mut results = Vec::new();
/// for bytes in [b"{\"from\": \"a@example.com\", \"to\": \"b@exa".as_slice(), b"mple.org\"}\n\n{}"] {
///     reader.feed(bytes);
///     while reader.is_full() {
///         results.extend(directory.submit_batch(reader.take()));
///     }
/// }
/// reader.finish();
/// while !reader.is_empty() {
///     results.extend(directory.submit_batch(reader.take()));
/// }
/// let places: Vec<_> = results.iter().map(|(place, result)| (*place, result.is_ok())).collect();
/// assert_eq!(places, [(Position::Line(1), true), (Position::Line(3), false)]);
/// ```
#[derive(Debug)]
pub struct BatchReader {
    splitter: Splitter,
    ready: Ready,
    limit: usize,
    most: EntryGroup,
    warns: bool,
}

#[derive(Debug)]
enum Splitter {
    Lines(Lines),
    Elements(Elements),
}

/// Messages that have arrived completely.
#[derive(Debug, Default)]
struct Ready {
    entries: VecDeque<BatchEntry>,
    bytes: usize,
    /// Nothing after them is accepted.
    has_ended: bool,
}

impl Ready {
    fn push(&mut self, entry: BatchEntry) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
    }

    /// The last entry: where the next one would start is unknown.
    fn end(&mut self, position: Position, error: BatchError) {
        self.push(BatchEntry::new(position, Err(error)));
        self.has_ended = true;
    }
}

impl BatchReader {
    /// Starts a batch. `limit` is the maximum size of a message, in bytes.
    pub fn new(format: BatchFormat, limit: usize) -> Self {
        Self {
            splitter: match format {
                BatchFormat::Array => Splitter::Elements(Elements::default()),
                BatchFormat::Lines => Splitter::Lines(Lines::default()),
            },
            ready: Ready::default(),
            limit,
            most: EntryGroup::MOST,
            warns: false,
        }
    }

    /// Includes the [`warnings`](crate::warnings) of each message in its receipt.
    #[must_use]
    pub fn with_warnings(mut self, warns: bool) -> Self {
        self.warns = warns;
        self
    }

    /// Sets the number of messages that are submitted together (at least one); the default is 256. As many files are
    /// open at the same time. On a busy disk, 1,000 are twice as fast.
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader};
    ///
    /// let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20).with_group(2);
    /// reader.feed(b"{}\n{}\n{}\n");
    /// assert!(reader.is_full());
    /// assert_eq!(reader.take().len(), 2);
    /// ```
    #[must_use]
    pub fn with_group(mut self, messages: usize) -> Self {
        self.most.messages = messages.max(1);
        self
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.ready.has_ended {
            return;
        }
        let limit = self.limit;
        match &mut self.splitter {
            Splitter::Lines(lines) => lines.feed(bytes, limit, &mut self.ready),
            Splitter::Elements(elements) => elements.feed(bytes, limit, &mut self.ready),
        }
    }

    /// Marks the end of the input.
    pub fn finish(&mut self) {
        if self.ready.has_ended {
            return;
        }
        match &mut self.splitter {
            Splitter::Lines(lines) => lines.finish(self.limit, &mut self.ready),
            Splitter::Elements(elements) => elements.finish(&mut self.ready),
        }
        self.ready.has_ended = true;
    }

    /// Whether nothing more is accepted: the batch is finished, or continues with something that is not part of a
    /// batch.
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader};
    ///
    /// let mut reader = BatchReader::new(BatchFormat::Array, 32 << 20);
    /// reader.feed(b"[{}, ");
    /// assert!(!reader.has_ended());
    /// reader.feed(b"oops, {}]");
    /// assert!(reader.has_ended());
    /// assert_eq!(reader.take().len(), 2); // a message and an error
    /// assert_eq!(reader.buffered(), 0);
    /// ```
    pub fn has_ended(&self) -> bool {
        self.ready.has_ended
    }

    /// Whether no complete message is waiting.
    pub fn is_empty(&self) -> bool {
        self.ready.entries.is_empty()
    }

    /// Whether a group is complete and should be taken before more is fed: that keeps memory bounded.
    pub fn is_full(&self) -> bool {
        let group = EntryGroup {
            messages: self.ready.entries.len(),
            bytes: self.ready.bytes,
        };
        group.is_full(self.most)
    }

    /// Takes the next group of complete messages.
    pub fn take(&mut self) -> Vec<BatchEntry> {
        self.take_first(self.next_group().count())
    }

    /// The messages that [`take`](Self::take) would return.
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader};
    ///
    /// let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
    /// reader.feed(b"{}\n{\"from\": \"shop@example.com\"}\n");
    /// let bytes: usize = reader.next_group().map(|entry| entry.size()).sum();
    /// assert_eq!(bytes, 30);
    /// // With too little memory for all of them, one still makes progress.
    /// assert_eq!(reader.take_first(1).len(), 1);
    /// ```
    pub fn next_group(&self) -> impl Iterator<Item = &BatchEntry> {
        let mut group = EntryGroup {
            messages: 0,
            bytes: 0,
        };
        self.ready.entries.iter().take_while(move |entry| {
            let has_room = !group.is_full(self.most);
            group.messages += 1;
            group.bytes += entry.size();
            has_room
        })
    }

    /// Takes this many complete messages, or all if there are fewer.
    pub fn take_first(&mut self, count: usize) -> Vec<BatchEntry> {
        let count = count.min(self.ready.entries.len());
        let mut taken: Vec<_> = self.ready.entries.drain(..count).collect();
        for entry in &mut taken {
            entry.warns = self.warns;
        }
        self.ready.bytes -= taken.iter().map(BatchEntry::size).sum::<usize>();
        taken
    }

    /// How many bytes are in memory.
    pub fn buffered(&self) -> usize {
        self.ready.bytes
            + match &self.splitter {
                Splitter::Lines(lines) => lines.buffered(),
                Splitter::Elements(elements) => elements.buffered(),
            }
    }

    /// The position of the first message that has not been taken, whether or not it has arrived.
    ///
    /// ```
    /// use pmtaemail::{BatchFormat, BatchReader, Position};
    ///
    /// let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
    /// reader.feed(b"{}\n{}\n");
    /// reader.take();
    /// assert_eq!(reader.position(), Position::Line(3));
    /// ```
    pub fn position(&self) -> Position {
        match (self.ready.entries.front(), &self.splitter) {
            (Some(entry), _) => entry.position(),
            (None, Splitter::Lines(lines)) => lines.position(),
            (None, Splitter::Elements(elements)) => elements.position(),
        }
    }
}

/// Whether there is nothing but white space.
fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests;
