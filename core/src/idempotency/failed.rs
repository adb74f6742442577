//! Why the store failed.

use std::fmt;
use std::io;

/// Why the store failed.
pub(super) enum Failed {
    Store(redb::Error),
    Other(&'static str),
}

impl<E: Into<redb::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Failed {
    /// What the system answered, or an error of this kind: `ResourceBusy` if another process has the store open,
    /// `InvalidData` if it is damaged.
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Store(redb::Error::Io(error)) => error,
            Self::Store(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
                io::Error::new(io::ErrorKind::ResourceBusy, "another process is using it")
            }
            Self::Store(redb::Error::PreviousIo) => {
                io::Error::other("it failed earlier and is being reopened")
            }
            Self::Store(error) => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
            Self::Other(sentence) => io::Error::new(io::ErrorKind::InvalidData, sentence),
        }
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Failed(…)")
    }
}
