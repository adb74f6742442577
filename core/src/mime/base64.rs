//! Content in base64 (RFC 2045 section 6.8).

use crate::problem::{Code, Refusal};
use encodify::base64;
use std::borrow::Cow;

/// Bytes per line, without its end.
const LINE: usize = 76;

/// Valid base64 without line ends. It can be written without being decoded.
#[derive(Debug, Clone)]
pub(crate) struct Base64<'a>(Cow<'a, str>);

impl<'a> Base64<'a> {
    /// Checks a string, ignoring line ends and blanks.
    pub fn parse(text: Cow<'a, str>) -> Result<Self, Refusal> {
        if is_proper(&text) {
            return Ok(Self(text));
        }
        let bare = text.replace(['\r', '\n', ' ', '\t'], "");
        if is_proper(&bare) {
            return Ok(Self(Cow::Owned(bare)));
        }
        let detail = "The content is not base64 (RFC 4648 section 4, with padding). For text, set \
                      `encoding: \"utf8\"`; Python's `bytes` and Node's `Buffer` need no encoding.";
        Err(Refusal::new(Code::InvalidContent, detail))
    }

    /// The same text, borrowed.
    pub fn lend(&self) -> Base64<'_> {
        Base64(Cow::Borrowed(&self.0))
    }

    pub fn decode(&self) -> Vec<u8> {
        // Bits that the padding leaves over do not matter, so this is not `STANDARD`.
        base64::LENIENT
            .decode(self.0.as_bytes())
            .expect("it has digits and padding alone, which was checked")
    }

    /// How many bytes [`write`](Self::write) adds.
    pub fn encoded_length(&self) -> usize {
        wrapped_length(self.0.len())
    }

    /// Writes the text in lines to memory of [`encoded_length`](Self::encoded_length) bytes.
    pub fn write_to(&self, memory: &mut [u8]) {
        let (lines, rest) = self.0.as_bytes().as_chunks::<LINE>();
        let (whole, last) = memory.split_at_mut(lines.len() * (LINE + 2));
        for (line, room) in lines.iter().zip(whole.as_chunks_mut::<{ LINE + 2 }>().0) {
            room[..LINE].copy_from_slice(line);
            room[LINE..].copy_from_slice(b"\r\n");
        }
        if !rest.is_empty() {
            last[..rest.len()].copy_from_slice(rest);
            last[rest.len()..].copy_from_slice(b"\r\n");
        }
    }

    /// Appends the text in lines.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(self.encoded_length());
        let (lines, rest) = self.0.as_bytes().as_chunks::<LINE>();
        for line in lines {
            out.extend_from_slice(line);
            out.extend_from_slice(b"\r\n");
        }
        if !rest.is_empty() {
            out.extend_from_slice(rest);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Writes bytes as base64 in lines to memory of [`encoded_length`] bytes.
pub(super) fn encode_to(bytes: &[u8], memory: &mut [u8]) {
    let written = base64::MIME
        .encode_slice(bytes, memory)
        .expect("there is room for all lines");
    // The last line has no end yet, unless it is full.
    let end = &mut memory[written..];
    end.copy_from_slice(&b"\r\n"[..end.len()]);
}

/// Appends bytes as base64 in lines.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    base64::MIME.encode_append(bytes, out);
    if !bytes.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
}

/// How many bytes [`encode`] adds.
pub(super) fn encoded_length(bytes: usize) -> usize {
    wrapped_length(bytes.div_ceil(3) * 4)
}

fn wrapped_length(characters: usize) -> usize {
    characters + characters.div_ceil(LINE) * 2
}

/// Whether it consists of groups of four digits, the last one padded.
fn is_proper(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    text.len().is_multiple_of(4) && padding <= 2 && are_digits(digits.as_bytes())
}

/// Whether all bytes are digits of base64; branchless, so that the compiler vectorizes it.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch would keep it from vectorizing"
)]
fn are_digits(bytes: &[u8]) -> bool {
    bytes.chunks(4096).all(|chunk| {
        chunk.iter().fold(true, |all, &byte| {
            let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
            // The slash is right before the digits.
            let digit = byte.wrapping_sub(b'/') < 11;
            all & (letter | digit | (byte == b'+'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proper_base64_is_wrapped_and_nothing_else_passes() {
        let bytes: Vec<u8> = (0..=255).collect();
        let text = base64::STANDARD.encode(&bytes);
        let mut wrapped = Vec::new();
        Base64::parse(text.as_str().into())
            .unwrap()
            .write(&mut wrapped);
        let mut encoded = Vec::new();
        encode(&bytes, &mut encoded);
        assert_eq!(wrapped, encoded);
        assert_eq!(wrapped.len(), encoded_length(bytes.len()));
        let lined = String::from_utf8(wrapped).unwrap();
        assert_eq!(Base64::parse(lined.into()).unwrap().decode(), bytes);
        for bad in [
            "a", "ab", "abc", "a===", "====", "ab=c", "ab-_", "abcé", "abc=abc=",
        ] {
            assert!(Base64::parse(bad.into()).is_err(), "{bad}");
        }
        let bits_left_over: [(&str, &[u8]); 3] = [("ab==", b"i"), ("abc=", b"i\xb7"), ("", b"")];
        for (text, bytes) in bits_left_over {
            assert_eq!(Base64::parse(text.into()).unwrap().decode(), bytes);
        }
        for byte in 0..=255_u8 {
            let is_digit = byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
            assert_eq!(are_digits(&[byte]), is_digit, "{byte}");
        }
    }
}
