//! A key itself, and the hash that identifies it.

use sha2::{Digest, Sha256};
use std::fmt;
use std::fmt::Write;
use std::str::FromStr;

/// The start of every key, by which secret scanners recognize them in source code: `pmta_` and 64 hexadecimal digits.
const PREFIX: &str = "pmta_";

/// How the hash of a key is written in the file.
const ALGORITHM: &str = "sha256:";

/// The hash of a key; nothing else of it is stored.
///
/// One round of SHA-256 without salt is right for keys, as it would not be for passwords: a key is 256 bits of
/// randomness, which nobody tries out however quick a guess is, and no two are equal. For the same reason nothing
/// is learned from how long a comparison of hashes takes: whoever sends a key does not choose its hash, and what
/// they learned of a hash would lead to no key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// The hash of a key, or of whatever is sent as one.
    pub fn of(key: &[u8]) -> Self {
        Self(Sha256::digest(key).into())
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ALGORITHM)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

impl FromStr for KeyHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected sha256: and 64 hexadecimal digits, as `keys add` writes it";
        let digits = text.strip_prefix(ALGORITHM).ok_or(FORM)?;
        if digits.len() != 64 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(FORM);
        }
        let mut hash = [0; 32];
        for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&digits[place..place + 2], 16).map_err(|_| FORM)?;
        }
        Ok(Self(hash))
    }
}

/// A new key.
pub fn new_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    let mut key = PREFIX.to_owned();
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash = KeyHash::of(b"abc");
        let text = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash.to_string(), text);
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(text.to_uppercase().replace("SHA", "sha").parse(), Ok(hash));
        for wrong in [
            "",
            "sha256:",
            &text[7..],
            &text[..70],
            &format!("{text}0"),
            "sha256:+a",
        ] {
            assert!(wrong.parse::<KeyHash>().is_err(), "{wrong}");
        }
        assert!(!format!("{hash:?}").contains("ba78"));
    }

    #[test]
    fn keys_differ_and_can_be_found() {
        let (one, other) = (new_key().unwrap(), new_key().unwrap());
        assert_ne!(one, other);
        for key in [one, other] {
            let digits = key.strip_prefix("pmta_").unwrap();
            assert!(digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
    }
}
