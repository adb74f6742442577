//! Messages that come piece by piece, with more recipients than memory should hold.
//!
//! While bytes arrive they are told apart: the message itself is kept in memory, its recipients go
//! into a spool, which is a file without a name once it is large. When all is there the message is
//! read, and then one recipient after the other. Nothing is handed over before all were read.
//!
//! ```text
//! mod                   takes the bytes as they come
//!   streamed_message    what can be done when all are there
//!     merge             recipients read one after the other
//!       translation     in another service's words
//!       source          where they are: records between separators, or rows of a table
//! splitter              which bytes are recipients
//! ```

mod merge;
mod records;
mod source;
mod splitter;
mod streamed_message;
#[cfg(feature = "csv")]
mod table;
#[cfg(feature = "csv")]
mod table_stream;
#[cfg(test)]
mod tests;
mod translation;

use super::error::SubmitError;
use super::submitter::Submitter;
use crate::message::Selection;
use crate::pickup_directory::PickupDirectory;
use crate::spool::Spool;
use splitter::Splitter;
pub use streamed_message::StreamedMessage;
#[cfg(feature = "csv")]
pub use table_stream::TableStream;

/// How a submission that comes piece by piece is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// One JSON object, its recipients in `recipients`.
    Json,
    /// The message in the first line, then one recipient a line. Blank lines do not count.
    Ndjson,
}

/// Takes the bytes of one submission as they come.
///
/// ```
/// use pmtaemail::{MessageStream, StreamFormat, PickupDirectory, PickupOptions};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut stream = MessageStream::new(StreamFormat::Ndjson);
/// for bytes in [
///     br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}"}"#.as_slice(),
///     b"\n{\"address\": \"b@example.org\", \"variables\": {\"name\": \"Bo\"}}\n",
/// ] {
///     stream.feed(bytes, Some(&directory))?;
/// }
/// let receipt = stream.finish().submit(&directory)?;
/// assert_eq!(receipt.recipients, 1);
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug)]
pub struct MessageStream {
    head: Vec<u8>,
    splitter: Splitter,
    spool: Spool,
}

impl MessageStream {
    /// Begins a submission.
    pub fn new(format: StreamFormat) -> Self {
        Self {
            head: Vec::new(),
            splitter: Splitter::new(format),
            spool: Spool::default(),
        }
    }

    /// Takes the next bytes. Recipients may wait on the file system of `directory` where they are
    /// many; without it they are all kept in memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.splitter.feed(bytes, &mut self.head, &mut self.spool);
        flush(&mut self.spool, directory)
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.head.len() + self.spool.buffered()
    }

    /// How many bytes the message itself has so far, its recipients not counted.
    pub fn message_len(&self) -> usize {
        self.head.len()
    }

    /// Everything is there.
    pub fn finish(self) -> StreamedMessage {
        StreamedMessage {
            stream: self,
            identity: None,
            selection: Selection::All,
            files: Vec::new(),
            listener: None,
            claim: None,
            submitter: Submitter::default(),
            translation: None,
        }
    }
}

/// Moves what is too much for memory to the file system of the directory.
fn flush(spool: &mut Spool, directory: Option<&PickupDirectory>) -> Result<(), SubmitError> {
    match directory {
        Some(directory) => spool.flush(|| Ok(directory.scratch_file()?)),
        None => Ok(()),
    }
}
