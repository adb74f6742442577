//! What a caller names a submission by, and what tells whether it is the same one.

use crate::identity::Id;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The name that a caller gives to a submission, so that it is handed over once however often it is sent.
///
/// 1 to 255 printable ASCII characters (the blank is one). Only a hash of it is kept.
///
/// ```
/// use pmtaemail::IdempotencyKey;
/// assert!("order-4711".parse::<IdempotencyKey>().is_ok());
/// assert!("".parse::<IdempotencyKey>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub(crate) [u8; 32]);

/// A text is no [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key must be 1 to 255 printable ASCII characters")]
pub struct InvalidIdempotencyKey;

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
        if (1..=255).contains(&text.len()) && text.bytes().all(is_printable) {
            Ok(Self::of(text))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

impl IdempotencyKey {
    /// The name under which the receipt with this identifier is found, where the submission was
    /// [named](crate::Claim::named) so. No caller's key is the same.
    pub fn of_receipt(id: Id) -> Self {
        Self::of_uuid(id.to_uuid())
    }

    /// The same by the identifier's [UUID](Id::to_uuid).
    pub fn of_uuid(uuid: [u8; 16]) -> Self {
        let mut hash = Sha256::new();
        // A key has no control characters.
        hash.update(b"\0receipt\0");
        hash.update(uuid);
        Self(hash.finalize().into())
    }

    /// The key of any text, however long.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The key of the same name that is somebody's own.
    pub(crate) fn within(self, owner: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((owner.len() as u64).to_le_bytes());
        hash.update(owner);
        hash.update(self.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for IdempotencyKey {
    /// A key may be a secret of the caller's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

/// Tells one submission from another: a hash (SHA-256) of all that the caller sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Makes a [`Fingerprint`] of what comes piece by piece.
///
/// ```
/// use pmtaemail::Fingerprinter;
/// let whole = Fingerprinter::new(&["json"]).with(b"{}").finish();
/// let pieces = Fingerprinter::new(&["json"]).with(b"{").with(b"}").finish();
/// assert_eq!(whole, pieces);
/// assert_ne!(whole, Fingerprinter::new(&["ndjson"]).with(b"{}").finish());
/// ```
#[derive(Clone)]
pub struct Fingerprinter(Sha256);

impl Fingerprinter {
    /// Begins with what belongs to the body: its format, or what is asked for beside it.
    pub fn new(beside: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for text in beside {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        // No text has this length.
        hash.update(u64::MAX.to_le_bytes());
        Self(hash)
    }

    /// Adds the next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds the next bytes of the body.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.update(bytes);
        self
    }

    /// All was there.
    pub fn finish(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_printable_ascii_of_some_length() {
        let longest = "~".repeat(255);
        for right in ["a", " ", "a b", "\"quoted\"", &longest] {
            assert!(right.parse::<IdempotencyKey>().is_ok(), "{right}");
        }
        for wrong in ["", "a\tb", "a\u{7f}", "å", "a\n", &"a".repeat(256)] {
            assert!(wrong.parse::<IdempotencyKey>().is_err(), "{wrong}");
        }
        let key: IdempotencyKey = "secret".parse().unwrap();
        assert!(!format!("{key:?}").contains("secret"));
    }

    #[test]
    fn what_is_beside_the_body_is_told_apart_from_it() {
        let fingerprint =
            |beside: &[&str], body: &str| Fingerprinter::new(beside).with(body.as_bytes()).finish();
        assert_ne!(fingerprint(&["a", "b"], ""), fingerprint(&["ab"], ""));
        assert_ne!(fingerprint(&["a"], "b"), fingerprint(&["ab"], ""));
        assert_ne!(fingerprint(&["a"], "b"), fingerprint(&[], "ab"));
        assert_eq!(fingerprint(&["a"], "b"), fingerprint(&["a"], "b"));
    }
}
