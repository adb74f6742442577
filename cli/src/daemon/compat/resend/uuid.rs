//! Identifiers as Resend's clients know them (RFC 9562 section 4).

use std::fmt::Write;

/// The numbers of hexadecimal digits between hyphens.
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
const LENGTH: usize = 36;

/// `0192f0c1-2b3c-8d4e-9f60-718293a4b5c6`.
pub fn text(uuid: [u8; 16]) -> String {
    let mut text = String::with_capacity(LENGTH);
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        write!(text, "{byte:02x}").expect("a string takes all");
    }
    text
}

/// The identifier that a string represents, ignoring letter case.
pub fn parse(text: &str) -> Option<[u8; 16]> {
    let groups: Vec<&str> = text.split('-').collect();
    if !groups.iter().map(|group| group.len()).eq(GROUPS) {
        return None;
    }
    let digits = groups.concat();
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16)
        .ok()
        .map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_as_it_is_written() {
        let uuid: [u8; 16] = std::array::from_fn(|index| u8::try_from(index * 17).unwrap());
        let written = "00112233-4455-6677-8899-aabbccddeeff";
        assert_eq!(text(uuid), written);
        assert_eq!(parse(written), Some(uuid));
        assert_eq!(parse(&written.to_uppercase()), Some(uuid));
        for wrong in [
            "",
            "nonsense",
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeefg",
            "+0112233-4455-6677-8899-aabbccddeeff",
            "00112233-4455-6677-8899aabb-ccddeeff",
            "00112233-4455-6677-8899-aabbccddeeff-",
            "{0112233-4455-6677-8899-aabbccddeeff",
            "é112233-4455-6677-8899-aabbccddeeff",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
