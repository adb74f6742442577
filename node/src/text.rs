//! The text of JavaScript strings in UTF-8.

use crate::tape::{Utf8, measure_strings};
use encoding_rs::mem::{
    convert_latin1_to_str, convert_utf16_to_str, decode_latin1, is_ascii, utf16_valid_up_to,
};
use std::borrow::Cow;

/// All text of a tape, kept as one octet a character. `None` if it is too long.
pub fn from_latin1<'a>(latin1: &'a [u8], words: &mut [u32]) -> Option<Cow<'a, str>> {
    if is_ascii(latin1) {
        return Some(decode_latin1(latin1));
    }
    convert(latin1, 2, words, |piece, text| {
        Some(convert_latin1_to_str(piece, text))
    })
}

/// All text of a tape, in UTF-16. `None` if it is too long.
pub fn from_utf16(units: &[u16], words: &mut [u32]) -> Option<Cow<'static, str>> {
    convert(units, 3, words, |piece, text| {
        // Half of a surrogate pair must not become U+FFFD in silence.
        let is_unicode = utf16_valid_up_to(piece) == piece.len();
        is_unicode.then(|| convert_utf16_to_str(piece, text))
    })
}

/// Converts string by string, because their lengths change. A unit becomes `most` octets or fewer;
/// `convert` gives the length of what it wrote.
fn convert<T>(
    units: &[T],
    most: usize,
    words: &mut [u32],
    convert: impl Fn(&[T], &mut str) -> Option<usize>,
) -> Option<Cow<'static, str>> {
    let mut text = "\0".repeat(units.len().checked_mul(most)?);
    let (mut read, mut written) = (0, 0);
    measure_strings(words, |length| {
        let piece = units.get(read..)?.get(..length)?;
        read += length;
        Some(match convert(piece, text.get_mut(written..)?) {
            None => Utf8::Impossible,
            Some(length) => {
                written += length;
                Utf8::Length(length)
            }
        })
    })?;
    text.truncate(written);
    Some(Cow::Owned(text))
}
