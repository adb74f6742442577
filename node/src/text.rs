//! The text of JavaScript strings in UTF-8.

use crate::decoder::{Utf8, measure_strings};
use encoding_rs::mem::{convert_latin1_to_str, convert_utf16_to_str, utf16_valid_up_to};
use std::borrow::Cow;
use std::cell::Cell;

/// A run of whole strings in V8's own encoding: one byte per character where that suffices, otherwise UTF-16. Its word
/// is twice its length in characters or code units, plus one for UTF-16.
#[derive(Debug, Clone, Copy, Default)]
struct Run {
    length: usize,
    is_utf16: bool,
}

impl Run {
    fn read(word: u32) -> Self {
        Self {
            length: (word >> 1) as usize,
            is_utf16: word & 1 == 1,
        }
    }

    /// The number of bytes of this many characters or code units.
    fn bytes(self, length: usize) -> Option<usize> {
        length.checked_mul(if self.is_utf16 { 2 } else { 1 })
    }

    /// Its maximum length in UTF-8.
    fn most(self) -> Option<usize> {
        self.length.checked_mul(if self.is_utf16 { 3 } else { 2 })
    }
}

/// All text; borrowed where it is ASCII. `None` if it is too long, or less than the words
/// say.
pub fn to_utf8<'a>(bytes: &'a [u8], runs: &[u32], words: &mut [u32]) -> Option<Cow<'a, str>> {
    let runs = runs.iter().copied().map(Run::read);
    let sum = |measure: fn(Run) -> Option<usize>| {
        runs.clone()
            .try_fold(0_usize, |sum, run| sum.checked_add(measure(run)?))
    };
    let bytes = bytes.get(..sum(|run| run.bytes(run.length))?)?;
    if !runs.clone().any(|run| run.is_utf16) && bytes.is_ascii() {
        return simdutf8::basic::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    convert(bytes, runs.clone(), words, sum(Run::most)?).map(Cow::Owned)
}

/// A reused buffer for conversions, up to this many bytes: fresh memory for each message is much slower.
const KEPT: usize = 1 << 20;

thread_local! {
    static SCRATCH: Cell<(String, Vec<u16>)> = Cell::default();
}

/// Converts string by string, because their lengths change.
fn convert(
    bytes: &[u8],
    mut runs: impl Iterator<Item = Run>,
    words: &mut [u32],
    most: usize,
) -> Option<String> {
    let (mut room, mut units) = SCRATCH.take();
    if room.len() < most {
        room = "\0".repeat(most);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut read = 0;
    let mut run = Run::default();
    measure_strings(words, |length| {
        if run.length == 0 && length > 0 {
            run = runs.next()?;
        }
        run.length = run.length.checked_sub(length)?;
        let piece = bytes.get(read..)?.get(..run.bytes(length)?)?;
        read += piece.len();
        let before = text.len();
        let is_unicode = if run.is_utf16 {
            let pairs = piece.chunks_exact(2);
            units.clear();
            units.extend(pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
            append_utf16(&mut text, &units, &mut room)?
        } else {
            let length = convert_latin1_to_str(piece, &mut room);
            text.push_str(room.get(..length)?);
            true
        };
        let length = text.len() - before;
        Some(if is_unicode {
            Utf8::Length(length)
        } else {
            Utf8::NotUnicode(length)
        })
    })?;
    if room.len() <= KEPT {
        SCRATCH.set((room, units));
    }
    Some(text)
}

/// Whether the code units are valid Unicode; lone surrogates must not silently become U+FFFD.
fn append_utf16(text: &mut String, units: &[u16], room: &mut str) -> Option<bool> {
    if utf16_valid_up_to(units) == units.len() {
        let length = convert_utf16_to_str(units, room);
        text.push_str(room.get(..length)?);
        return Some(true);
    }
    let characters = char::decode_utf16(units.iter().copied());
    text.extend(characters.map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(false)
}
