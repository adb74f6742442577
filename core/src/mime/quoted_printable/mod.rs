//! Text bodies as quoted-printable (RFC 2045 section 6.7).
//!
//! Nearly all bytes of a message pass through here. Runs of thirty-two or eight bytes that represent themselves are
//! copied at once; all others are looked up and written without a branch that depends on them, and lines are broken in
//! a second step: text is too irregular for branch prediction, and a misprediction costs more than ten bytes.

mod finished;
mod template;

pub(super) use finished::{encode_body, mend};
pub(crate) use template::Lines;
pub(super) use template::encode_without_brackets;

use crate::syntax::{LineEnds, split_line};

/// Bytes of a line before its soft line break.
pub(crate) const LINE: usize = 75;

/// Appends `text`, encoded; CR, LF and CRLF all end a line.
pub(super) fn encode(text: &str, out: &mut Vec<u8>) {
    let mut scratch = EMPTY;
    let mut rest = text.as_bytes();
    while let Some((line, next)) = split_line(rest, LineEnds::Any) {
        encode_line(line, &mut scratch, out);
        out.extend_from_slice(b"\r\n");
        rest = next;
    }
    encode_line(rest, &mut scratch, out);
}

/// About how many bytes `text` takes when encoded.
pub(super) fn estimate(text: &str) -> usize {
    // Summed up in bytes, which the compiler makes vector instructions of.
    let beyond_ascii: usize = text
        .as_bytes()
        .chunks(255)
        .map(|chunk| usize::from(chunk.iter().map(|byte| byte >> 7).sum::<u8>()))
        .sum();
    let bytes = text.len() + 2 * beyond_ascii;
    bytes + bytes / 16 + 64
}

/// How many bytes are encoded before they are broken into lines.
const PIECE: usize = 128;
/// How many bytes are examined together.
const CHUNK: usize = 32;
/// A buffer for a piece; the last copy may be longer than the part that counts.
type Scratch = [u8; 3 * PIECE + CHUNK];
const EMPTY: Scratch = [0; 3 * PIECE + CHUNK];

/// One line of text without its end. A blank at its end would get lost in transit.
fn encode_line(line: &[u8], scratch: &mut Scratch, out: &mut Vec<u8>) {
    let (body, blank) = split_blank(line);
    let mut column = 0;
    for piece in body.chunks(PIECE) {
        let length = encode_bytes(piece, scratch);
        cut(&scratch[..length], &mut column, out);
    }
    if let Some(blank) = blank {
        cut(&escape(blank)[..3], &mut column, out);
    }
}

/// A line, and the blank at its end.
fn split_blank(line: &[u8]) -> (&[u8], Option<u8>) {
    match line {
        [body @ .., blank @ (b' ' | b'\t')] => (body, Some(*blank)),
        body => (body, None),
    }
}

/// Encodes bytes regardless of lines; returns how many it wrote.
#[inline]
fn encode_bytes(bytes: &[u8], encoded: &mut Scratch) -> usize {
    let mut length = 0;
    let (chunks, rest) = bytes.as_chunks::<CHUNK>();
    for chunk in chunks {
        // The compiler makes vector instructions of this.
        let special = chunk.map(is_special);
        if special == [0; CHUNK] {
            length += put(encoded, length, *chunk, CHUNK);
            continue;
        }
        let words = chunk.as_chunks::<8>().0.iter();
        for (word, special) in words.zip(special.as_chunks::<8>().0) {
            if *special == [0; 8] {
                length += put(encoded, length, *word, 8);
            } else {
                length = look_up(word, encoded, length);
            }
        }
    }
    let (words, rest) = rest.as_chunks::<8>();
    for word in words {
        if is_plain(*word) {
            length += put(encoded, length, *word, 8);
        } else {
            length = look_up(word, encoded, length);
        }
    }
    look_up(rest, encoded, length)
}

/// Encodes bytes after the first `length` bytes; returns the new length.
#[inline]
fn look_up(bytes: &[u8], encoded: &mut Scratch, mut length: usize) -> usize {
    for byte in bytes {
        let form = FORMS[usize::from(*byte)];
        length += put(encoded, length, form.bytes, form.length);
    }
    length
}

/// 0 for a byte that represents itself: printable ASCII except `=`.
#[inline]
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch would keep it from vectorizing"
)]
fn is_special(byte: u8) -> u8 {
    u8::from((byte.wrapping_sub(b' ') >= 0x5f) | (byte == b'='))
}

/// Writes all of `bytes`, of which only the first `count` are valid: a copy of constant size is the fastest.
#[inline]
fn put<const N: usize>(encoded: &mut Scratch, at: usize, bytes: [u8; N], count: usize) -> usize {
    if let Some(slot) = encoded.get_mut(at..at + N) {
        slot.copy_from_slice(&bytes);
    }
    count
}

/// Whether all bytes represent themselves, as defined by [`is_special`].
#[inline]
fn is_plain(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(word);
    // Each sets the top bit of the bytes it looks for.
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let is = |byte: u8| {
        let zero_where = word ^ (ONES * u64::from(byte));
        zero_where.wrapping_sub(ONES) & !zero_where
    };
    (below_space | is(b'=') | is(0x7f) | word) & TOPS == 0
}

/// Appends encoded bytes with soft line breaks where necessary, never within an escape.
fn cut(mut encoded: &[u8], column: &mut usize, out: &mut Vec<u8>) {
    while encoded.len() > LINE - *column {
        let room = LINE - *column;
        let mut line = &encoded[..room];
        if let [before @ .., b'='] | [before @ .., b'=', _] = line {
            line = before;
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"=\r\n");
        encoded = &encoded[line.len()..];
        *column = 0;
    }
    out.extend_from_slice(encoded);
    *column += encoded.len();
}

/// The encoded form of a byte within a line: the first `length` of `bytes`.
#[derive(Clone, Copy)]
struct Form {
    bytes: [u8; 4],
    length: usize,
}

const FORMS: [Form; 256] = {
    let mut table = [Form {
        bytes: [0; 4],
        length: 0,
    }; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "it is below 256")]
        let value = byte as u8;
        table[byte] = match value {
            b'\t' | b' '..=b'<' | b'>'..=b'~' => Form {
                bytes: [value, 0, 0, 0],
                length: 1,
            },
            _ => Form {
                bytes: escape(value),
                length: 3,
            },
        };
        byte += 1;
    }
    table
};

/// `=XX` and a filler, to make a whole word.
pub(crate) const fn escape(byte: u8) -> [u8; 4] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [
        b'=',
        DIGITS[(byte >> 4) as usize],
        DIGITS[(byte & 15) as usize],
        0,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(text: &str) -> String {
        let mut out = Vec::new();
        encode(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_line_end_becomes_crlf() {
        assert_eq!(encoded("a\rb\nc\r\nd\r"), "a\r\nb\r\nc\r\nd\r\n");
        assert_eq!(encoded("\r\r\n\n"), "\r\n\r\n\r\n");
    }

    #[test]
    fn bytes_that_transport_would_change_are_encoded() {
        assert_eq!(
            encoded("a \n=\0\u{b}é\u{7f}~ b\tc\t"),
            "a=20\r\n=3D=00=0B=C3=A9=7F~ b\tc=09"
        );
    }

    #[test]
    fn long_lines_get_soft_breaks() {
        let line = "x".repeat(75);
        assert_eq!(encoded(&line), line);
        assert_eq!(encoded(&format!("{line}y")), format!("{line}=\r\ny"));
        assert_eq!(
            encoded(&format!("{}é", "x".repeat(74))),
            format!("{}=\r\n=C3=A9", "x".repeat(74))
        );
    }

    #[test]
    fn every_byte_is_judged_alike_alone_in_a_word_and_in_a_chunk() {
        for byte in 0..=u8::MAX {
            let is_plain_alone = is_special(byte) == 0;
            assert_eq!(
                is_plain([b'x', byte, b'x', byte, b'=' + 1, b' ', b'~', b'x']),
                is_plain_alone
            );
            let form = FORMS[usize::from(byte)];
            let expected = &form.bytes[..form.length];
            for length in [1, 8, 15, CHUNK, CHUNK + 9] {
                let mut scratch = EMPTY;
                let written = encode_bytes(&vec![byte; length], &mut scratch);
                assert_eq!(
                    &scratch[..written],
                    expected.repeat(length),
                    "{byte} {length}"
                );
            }
        }
    }

    proptest! {
        /// Another's decoder reads back what went in, and no line is too long.
        #[test]
        fn decodes_to_what_went_in(text in "([ -~]|\\PC|[\r\n\t =.\0]){0,400}") {
            let encoded = encoded(&text);
            prop_assert!(encoded.is_ascii());
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= 76 && !line.contains(['\r', '\n']));
                prop_assert!(!line.ends_with([' ', '\t']));
            }
            let decoded = encodify::qp::BODY.strict().decode(encoded.as_bytes()).unwrap();
            let expected = text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n");
            prop_assert_eq!(decoded, expected.as_bytes());
        }
    }
}
