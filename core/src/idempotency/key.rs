//! The caller's name for a submission, and the hash that tells whether it is the same one.

use crate::identity::Id;
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// The caller's name for a submission, so that it is submitted once however often it is sent.
///
/// 1 to 255 printable ASCII characters, including the blank. Only a hash of it is stored.
///
/// ```
/// use pmtaemail::IdempotencyKey;
///
/// assert!("order-4711".parse::<IdempotencyKey>().is_ok());
/// assert!("".parse::<IdempotencyKey>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub(crate) [u8; 32]);

/// The string is not an [`IdempotencyKey`].
///
/// ```
/// use pmtaemail::{IdempotencyKey, InvalidIdempotencyKey};
///
/// let result: Result<IdempotencyKey, InvalidIdempotencyKey> = "order\n4711".parse();
/// assert!(result.is_err());
/// ```
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
    /// The name under which the receipt with this identifier is found if the submission was
    /// [named](crate::Claim::named) after it. It never equals a key of a caller. See
    /// [`find_receipt`](crate::PickupDirectory::find_receipt) for an example.
    pub fn of_receipt(id: Id) -> Self {
        Self::of_uuid(id.to_uuid())
    }

    /// The same name as [`of_receipt`](Self::of_receipt), from the identifier's [UUID](Id::to_uuid).
    ///
    /// ```
    /// use pmtaemail::{IdempotencyKey, Identity};
    ///
    /// let id = Identity::now().id();
    /// assert_eq!(IdempotencyKey::of_uuid(id.to_uuid()), IdempotencyKey::of_receipt(id));
    /// ```
    pub fn of_uuid(uuid: [u8; 16]) -> Self {
        let mut hash = Sha256::new();
        // A key has no control characters.
        hash.update(b"\0receipt\0");
        hash.update(uuid);
        Self(hash.finalize().into())
    }

    /// The key for any string, however long.
    ///
    /// ```
    /// use pmtaemail::IdempotencyKey;
    ///
    /// assert_eq!(IdempotencyKey::of("order-4711"), "order-4711".parse()?);
    /// let any = IdempotencyKey::of("größer als 255 Zeichen");
    /// # Ok::<(), pmtaemail::InvalidIdempotencyKey>(())
    /// ```
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The key with this name that belongs to somebody in particular.
    pub(crate) fn within(self, owner: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((owner.len() as u64).to_le_bytes());
        hash.update(owner);
        hash.update(self.0);
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for IdempotencyKey {
    /// A key may be a secret of the caller.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencyKey(…)")
    }
}

/// A hash (SHA-256) of everything that the caller sent, which tells one submission from another. Made by a
/// [`Fingerprinter`], or by [`Message::fingerprint`](crate::Message::fingerprint).
///
/// ```
/// use pmtaemail::{Fingerprint, Fingerprinter};
///
/// fn fingerprint(body: &[u8]) -> Fingerprint {
///     Fingerprinter::new(&["json"]).with(body).finish()
/// }
/// assert_eq!(fingerprint(b"{}"), fingerprint(b"{}"));
/// assert_ne!(fingerprint(b"{}"), fingerprint(b"{ }"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// Computes a [`Fingerprint`] piece by piece.
///
/// ```
/// use pmtaemail::Fingerprinter;
///
/// let whole = Fingerprinter::new(&["json"]).with(b"{}").finish();
/// let pieces = Fingerprinter::new(&["json"]).with(b"{").with(b"}").finish();
/// assert_eq!(whole, pieces);
/// assert_ne!(whole, Fingerprinter::new(&["ndjson"]).with(b"{}").finish());
/// ```
#[derive(Clone)]
pub struct Fingerprinter(Sha256);

impl Fingerprinter {
    /// `context` comes before the body: its format, or options that go with it.
    pub fn new(context: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for text in context {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        // No string has this length.
        hash.update(u64::MAX.to_le_bytes());
        Self(hash)
    }

    /// Adds the next bytes of the body; see also [`with`](Self::with).
    ///
    /// ```
    /// use pmtaemail::{Fingerprint, Fingerprinter};
    /// use std::io::{self, Read};
    ///
    /// fn fingerprint(mut body: impl Read) -> io::Result<Fingerprint> {
    ///     let mut hash = Fingerprinter::new(&["ndjson"]);
    ///     let mut piece = [0; 8192];
    ///     loop {
    ///         match body.read(&mut piece)? {
    ///             0 => return Ok(hash.finish()),
    ///             count => hash.update(&piece[..count]),
    ///         }
    ///     }
    /// }
    /// assert_eq!(fingerprint(&b"{}\n"[..])?, Fingerprinter::new(&["ndjson"]).with(b"{}\n").finish());
    /// # Ok::<(), io::Error>(())
    /// ```
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds the next bytes of the body.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        self.update(bytes);
        self
    }

    /// Completes the fingerprint.
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
    fn a_fingerprint_separates_the_body_from_what_accompanies_it() {
        let fingerprint =
            |beside: &[&str], body: &str| Fingerprinter::new(beside).with(body.as_bytes()).finish();
        assert_ne!(fingerprint(&["a", "b"], ""), fingerprint(&["ab"], ""));
        assert_ne!(fingerprint(&["a"], "b"), fingerprint(&["ab"], ""));
        assert_ne!(fingerprint(&["a"], "b"), fingerprint(&[], "ab"));
        assert_eq!(fingerprint(&["a"], "b"), fingerprint(&["a"], "b"));
    }
}
