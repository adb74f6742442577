//! Messages that arrive piece by piece, with more recipients than memory should hold.
//!
//! Bytes are split as they arrive: the message itself stays in memory, its recipients go into a spool, which becomes an
//! unnamed file when it is large. When everything has arrived, the message is parsed, and then one recipient after the
//! other. Nothing is submitted before all of them have been checked.
//!
//! ```text
//! mod                   takes the bytes as they arrive
//!   streamed_message    what can be done when everything has arrived
//!     merge             recipients parsed one after the other
//!       translation     for another service's API
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

/// How a submission that arrives piece by piece is written.
///
/// ```
/// use pmtaemail::{MessageStream, StreamFormat};
///
/// let mut stream = MessageStream::new(StreamFormat::Json);
/// stream.feed(br#"{"from": "a@example.com", "recipients": ["b@example.org", "c@example.org"]}"#, None)?;
/// assert!(stream.finish().check()?.is_none());
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamFormat {
    /// A JSON object with its recipients in `recipients`.
    Json,
    /// The message in the first line, then one recipient per line. Blank lines are ignored.
    Ndjson,
}

/// Takes the bytes of one submission as they arrive.
///
/// ```
/// use pmtaemail::{MessageStream, StreamFormat, PickupDirectory, PickupOptions};
///
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
    /// Starts a submission.
    pub fn new(format: StreamFormat) -> Self {
        Self {
            head: Vec::new(),
            splitter: Splitter::new(format),
            spool: Spool::default(),
        }
    }

    /// Takes the next bytes. Many recipients are kept on the file system of `directory`; with `None`, all stay in
    /// memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.splitter.feed(bytes, &mut self.head, &mut self.spool);
        flush(&mut self.spool, directory)
    }

    /// How many bytes are in memory; the others are on the file system of the directory.
    ///
    /// ```
    /// use pmtaemail::{MessageStream, StreamFormat};
    ///
    /// let mut stream = MessageStream::new(StreamFormat::Ndjson);
    /// stream.feed(b"{\"from\": \"a@example.com\"}\n\"b@example.org\"\n", None)?;
    /// assert_eq!(stream.message_len(), 26); // with its line end
    /// assert!(stream.buffered() > stream.message_len());
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    pub fn buffered(&self) -> usize {
        self.head.len() + self.spool.buffered()
    }

    /// The size of the message itself so far, without its recipients.
    pub fn message_len(&self) -> usize {
        self.head.len()
    }

    /// Everything has arrived.
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
