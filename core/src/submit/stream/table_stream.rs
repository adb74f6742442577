//! A mail merge whose recipients are the rows of a table (CSV).

use super::splitter::Splitter;
use super::{MessageStream, StreamedMessage, flush};
use crate::pickup_directory::PickupDirectory;
use crate::spool::Spool;
use crate::submit::SubmitError;

/// Takes the bytes of a table of recipients (CSV, RFC 4180) as they arrive. The message is given separately.
///
/// The first row names the columns: `email` or `address` and `name` make the mailbox; `sender`, `envid`, `job`, `vmta`,
/// `priority` and so on, where there are such columns, are the recipient's own fields. Their names are compared without
/// regard to letter case, `_` and `-`. Each column is also a variable, whose name is that of the column with `_` in
/// place of everything but letters, digits and `_`. An empty cell is an empty string, or no field.
///
/// ```
/// use pmtaemail::{PickupDirectory, PickupOptions, TableStream};
///
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut table = TableStream::new();
/// table.feed(b"email,First name\nann@example.org,Ann\nbo@example.org,Bo\n", Some(&directory))?;
/// let message = br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ First_name }}"}"#;
/// let receipt = table.finish(message.to_vec()).submit(&directory)?;
/// assert_eq!(receipt.recipients, 2);
/// # Ok::<(), pmtaemail::SubmitError>(())
/// ```
#[derive(Debug, Default)]
pub struct TableStream {
    spool: Spool,
    length: u64,
}

impl TableStream {
    /// Starts a table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes. Many rows are kept on the file system of `directory`; with `None`, all stay in memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.length += bytes.len() as u64;
        self.spool.push(bytes);
        flush(&mut self.spool, directory)
    }

    /// How many bytes are in memory.
    pub fn buffered(&self) -> usize {
        self.spool.buffered()
    }

    /// How many bytes have arrived.
    ///
    /// ```
    /// use pmtaemail::TableStream;
    ///
    /// let mut table = TableStream::new();
    /// table.feed(b"email\nann@example.org\n", None)?;
    /// assert_eq!(table.fed(), 22);
    /// # Ok::<(), pmtaemail::SubmitError>(())
    /// ```
    pub fn fed(&self) -> u64 {
        self.length
    }

    /// The table is complete, and this is the message: a JSON object without `recipients`.
    pub fn finish(self, message: Vec<u8>) -> StreamedMessage {
        let stream = MessageStream {
            head: message,
            splitter: Splitter::Table,
            spool: self.spool,
        };
        stream.finish()
    }
}
