//! A batch of messages that comes piece by piece: an array of JSON, or a message a line.
//!
//! While bytes arrive they are parted into messages, which are read only when they are submitted. So
//! memory holds what is about to be submitted, however long the batch is.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchFormat {
    /// A JSON array, whose elements are messages.
    Array,
    /// A message a line (NDJSON). Blank lines are counted, but are no messages.
    Lines,
}

/// Parts a batch into its messages as its bytes come.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader, PickupDirectory, PickupOptions, Position};
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

/// Messages that are all there.
#[derive(Debug, Default)]
struct Ready {
    entries: VecDeque<BatchEntry>,
    bytes: usize,
    /// Nothing behind them is taken.
    has_ended: bool,
}

impl Ready {
    fn push(&mut self, entry: BatchEntry) {
        self.bytes += entry.size();
        self.entries.push_back(entry);
    }

    /// The last entry: it cannot be said where another one would begin.
    fn end(&mut self, position: Position, error: BatchError) {
        self.push(BatchEntry::new(position, Err(error)));
        self.has_ended = true;
    }
}

impl BatchReader {
    /// Begins a batch whose messages have at most `limit` bytes each.
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

    /// Has receipts tell the [`warnings`](crate::warnings) of their messages.
    #[must_use]
    pub fn with_warnings(mut self, warns: bool) -> Self {
        self.warns = warns;
        self
    }

    /// Takes so many messages at once, at least one, instead of 256: as many files are open while they are
    /// submitted. On a busy disk 1,000 are twice as quick.
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

    /// There are no more bytes.
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

    /// Whether nothing more is taken: the batch is finished, or goes on with what is no batch.
    pub fn has_ended(&self) -> bool {
        self.ready.has_ended
    }

    /// Whether no message is ready.
    pub fn is_empty(&self) -> bool {
        self.ready.entries.is_empty()
    }

    /// Whether so much is ready that it should be taken before more is fed: only then is memory bounded.
    pub fn is_full(&self) -> bool {
        let group = EntryGroup {
            messages: self.ready.entries.len(),
            bytes: self.ready.bytes,
        };
        group.is_full(self.most)
    }

    /// The next messages that are ready, as many as are well submitted together.
    pub fn take(&mut self) -> Vec<BatchEntry> {
        self.take_first(self.next_group().count())
    }

    /// The messages that [`take`](Self::take) gives.
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

    /// Takes so many messages, or all that are ready.
    pub fn take_first(&mut self, count: usize) -> Vec<BatchEntry> {
        let count = count.min(self.ready.entries.len());
        let mut taken: Vec<_> = self.ready.entries.drain(..count).collect();
        for entry in &mut taken {
            entry.warns = self.warns;
        }
        self.ready.bytes -= taken.iter().map(BatchEntry::size).sum::<usize>();
        taken
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.ready.bytes
            + match &self.splitter {
                Splitter::Lines(lines) => lines.buffered(),
                Splitter::Elements(elements) => elements.buffered(),
            }
    }

    /// The place of the first message that has not been taken, be it there or not.
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
