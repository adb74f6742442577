//! What is remembered about a key, as bytes (numbers are little-endian):
//!
//! ```text
//! time, ms   nonce   fingerprint   id           size   pieces │ receipt
//! 8          8       32            26 (ASCII)   8      4      │ size bytes; elsewhere if pieces is not 0
//! ```

use super::LIFETIME;
use super::failed::Failed;
use super::key::Fingerprint;
use crate::identity::Id;
use std::io::Read;

/// Approximately what a record takes in the file besides its receipt: it is in two trees, whose pages are two thirds
/// full.
const OVERHEAD: u64 = 400;

/// What is to be remembered about a submission.
pub(crate) struct NewRecord {
    pub id: Id,
    /// Its receipt, to be read again by whoever made it.
    pub receipt: Box<dyn Read + Send + Sync>,
    /// The size of the receipt.
    pub size: u64,
}

/// What is remembered about a key.
pub(super) struct Record {
    /// In milliseconds; see `Clock`.
    pub time: u64,
    pub nonce: u64,
    pub fingerprint: Fingerprint,
    pub id: Id,
    /// The size of the receipt, in bytes.
    pub size: u64,
    /// The number of pieces of the receipt in the other table; 0 if it follows the record.
    pub pieces: u32,
}

impl Record {
    pub const SIZE: usize = 8 + 8 + 32 + Id::LENGTH + 8 + 4;

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::SIZE + 256);
        bytes.extend(self.time.to_le_bytes());
        bytes.extend(self.nonce.to_le_bytes());
        bytes.extend(self.fingerprint.0);
        bytes.extend(self.id.as_str().as_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(self.pieces.to_le_bytes());
        bytes
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, Failed> {
        let parse = || {
            let (time, rest) = bytes.split_first_chunk()?;
            let (nonce, rest) = rest.split_first_chunk()?;
            let (fingerprint, rest) = rest.split_first_chunk()?;
            let (id, rest) = rest.split_first_chunk::<{ Id::LENGTH }>()?;
            let (size, rest) = rest.split_first_chunk()?;
            let (pieces, _) = rest.split_first_chunk()?;
            Some(Self {
                time: u64::from_le_bytes(*time),
                nonce: u64::from_le_bytes(*nonce),
                fingerprint: Fingerprint(*fingerprint),
                id: std::str::from_utf8(id).ok()?.parse().ok()?,
                size: u64::from_le_bytes(*size),
                pieces: u32::from_le_bytes(*pieces),
            })
        };
        parse().ok_or(Failed::Other("a record is damaged"))
    }

    /// Approximately its size in the file.
    pub fn takes(&self) -> u64 {
        OVERHEAD + self.size + self.size / 2
    }
}

/// Whether a record of this time has expired.
pub(super) fn is_old(time: u64, now: u64) -> bool {
    now.saturating_sub(time) > u64::try_from(LIFETIME.as_millis()).expect("a day has so many")
}
