//! Identifies an attempt to submit under a key.

use super::key::IdempotencyKey;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::process;

/// Identifies an attempt to submit under a key: it is in the names of the files, and in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    /// Of the key.
    pub(super) hash: [u8; 32],
    /// A random number for the attempt.
    pub(super) nonce: u64,
}

impl Token {
    /// A new one.
    pub(super) fn of(key: IdempotencyKey) -> Self {
        Self {
            hash: key.0,
            nonce: RandomState::new().hash_one(process::id()),
        }
    }

    /// The token of the same attempt for another name.
    pub(super) fn under(self, name: IdempotencyKey) -> Self {
        Self {
            hash: name.0,
            ..self
        }
    }

    /// As part of a file name: 64 hexadecimal digits of the hash, then 16 of the nonce.
    pub fn as_text(self) -> String {
        let mut text = String::with_capacity(80);
        for part in self.hash.as_chunks::<8>().0 {
            // Of a text nothing can fail.
            let _ = write!(text, "{:016x}", u64::from_be_bytes(*part));
        }
        let _ = write!(text, "{:016x}", self.nonce);
        text
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (hash, nonce) = text.split_at_checked(64)?;
        let is_hexadecimal = text.len() == 80 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(hash.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let nonce = u64::from_str_radix(nonce, 16).ok()?;
        is_hexadecimal.then_some(Self { hash: bytes, nonce })
    }
}
