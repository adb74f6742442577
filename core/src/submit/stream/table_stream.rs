//! A mail merge whose recipients are the rows of a table (CSV).

use super::splitter::Splitter;
use super::{MessageStream, StreamedMessage, flush};
use crate::pickup_directory::PickupDirectory;
use crate::spool::Spool;
use crate::submit::SubmitError;

/// Takes the bytes of a table of recipients (CSV, RFC 4180) as they come. The message is apart from it.
///
/// The first row names the columns: `email` or `address` and `name` are the mailbox; `sender`, `envid`,
/// `job`, `vmta`, `priority` and the like, where there are such columns, the recipient's own fields. The
/// names are compared without letter case, `_` and `-`. Each column is a variable of its name, in which all
/// but letters, digits and `_` are `_`. An empty cell is an empty text, or no field.
///
/// ```
/// use pmtaemail::{PickupDirectory, PickupOptions, TableStream};
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
    /// Begins a table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes. Rows may wait on the file system of `directory` where they are many; without
    /// it they are all kept in memory.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), SubmitError> {
        self.length += bytes.len() as u64;
        self.spool.push(bytes);
        flush(&mut self.spool, directory)
    }

    /// How many bytes are kept in memory.
    pub fn buffered(&self) -> usize {
        self.spool.buffered()
    }

    /// How many bytes have come.
    pub fn fed(&self) -> u64 {
        self.length
    }

    /// All of the table is there, and this is the message: one JSON object without `recipients`.
    pub fn finish(self, message: Vec<u8>) -> StreamedMessage {
        let stream = MessageStream {
            head: message,
            splitter: Splitter::Table,
            spool: self.spool,
        };
        stream.finish()
    }
}
