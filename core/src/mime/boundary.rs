//! Boundaries that cannot occur in what they separate.

use std::collections::HashSet;

/// Makes the boundaries of one message.
///
/// Each contains `=_`, which neither quoted-printable nor base64 can contain: in the former, `=` is followed by two
/// digits or a line end, in the latter by `=` or a line end (RFC 2045 sections 6.7 and 6.8). They are derived from the
/// Message-ID, so that they differ from those of a message enclosed in this one, and reveal nothing that it does not.
#[derive(Default)]
pub(super) struct Boundaries {
    stem: String,
    level: usize,
}

impl Boundaries {
    /// `verbatim` is the content that the message contains unencoded.
    pub fn new(identity: &str, verbatim: &[&[u8]]) -> Self {
        // One pass over the content: whoever writes it must not make us try again and again.
        let taken: HashSet<u64> = verbatim
            .iter()
            .flat_map(|bytes| identities(bytes))
            .collect();
        let mut identity = fnv1a(identity.as_bytes());
        while taken.contains(&identity) {
            identity = identity.wrapping_add(1);
        }
        Self {
            stem: format!("=_{identity:016x}_"),
            level: 0,
        }
    }

    pub fn next(&mut self) -> String {
        self.level += 1;
        format!("{}{}", self.stem, self.level)
    }
}

/// The identities of everything that looks like one of our boundaries.
fn identities(bytes: &[u8]) -> impl Iterator<Item = u64> {
    memchr::memmem::find_iter(bytes, b"=_").filter_map(|at| {
        let digits = bytes.get(at + 2..at + 18)?;
        u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    })
}

/// 64-bit FNV-1a: a fixed function, so that the bytes stay the same from version to version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boundary_that_occurs_is_not_taken() {
        let first = Boundaries::new("a@b", &[]).next();
        let content = format!("x\r\n--{first}\r\n");
        let second = Boundaries::new("a@b", &[content.as_bytes()]).next();
        assert_ne!(first, second);
        assert!(!content.contains(&second));
    }
}
