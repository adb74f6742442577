//! Boundaries that cannot occur in what they part.

/// Makes the boundaries of one message.
///
/// Each holds `=_`, which neither quoted-printable nor base64 can: in the first `=` is followed by
/// two digits or a line end, in the second by `=` or a line end (RFC 2045 sections 6.7 and 6.8). They
/// are made from the Message-ID, so that they differ from those of a message that is enclosed in
/// this one, and tell nothing that it does not.
pub(super) struct Boundaries {
    identity: u64,
    level: usize,
}

impl Boundaries {
    pub fn new(identity: &str) -> Self {
        Self {
            identity: fnv1a(identity.as_bytes()),
            level: 0,
        }
    }

    pub fn next(&mut self) -> String {
        self.level += 1;
        format!("=_{:016x}_{}", self.identity, self.level)
    }
}

/// FNV-1a, 64 bits: one fixed function, so that octets stay the same from version to version.
fn fnv1a(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}
