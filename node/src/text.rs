//! The text of JavaScript strings in UTF-8.

use crate::tape::{Utf8, measure_strings};
use encoding_rs::mem::{convert_latin1_to_str, convert_utf16_to_str, utf16_valid_up_to};
use std::borrow::Cow;
use std::cell::Cell;

/// A run of whole strings as V8 keeps them: one octet a character where that is enough, otherwise
/// UTF-16. Its word is twice its length in characters or units, and one more for UTF-16.
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

    /// The octets of so many of its characters or units.
    fn octets(self, length: usize) -> Option<usize> {
        length.checked_mul(if self.is_utf16 { 2 } else { 1 })
    }

    /// How long it may be in UTF-8.
    fn most(self) -> Option<usize> {
        self.length.checked_mul(if self.is_utf16 { 3 } else { 2 })
    }
}

/// All text of a tape; borrowed where it is ASCII. `None` if it is too long, or less than the tape
/// says.
pub fn to_utf8<'a>(octets: &'a [u8], runs: &[u32], words: &mut [u32]) -> Option<Cow<'a, str>> {
    let runs = runs.iter().copied().map(Run::read);
    let sum = |measure: fn(Run) -> Option<usize>| {
        runs.clone()
            .try_fold(0_usize, |sum, run| sum.checked_add(measure(run)?))
    };
    let octets = octets.get(..sum(|run| run.octets(run.length))?)?;
    if !runs.clone().any(|run| run.is_utf16) && octets.is_ascii() {
        return simdutf8::basic::from_utf8(octets).ok().map(Cow::Borrowed);
    }
    convert(octets, runs.clone(), words, sum(Run::most)?).map(Cow::Owned)
}

/// Room to convert in, up to this many octets: fresh memory for each message is much slower.
const KEPT: usize = 1 << 20;

thread_local! {
    static SCRATCH: Cell<(String, Vec<u16>)> = Cell::default();
}

/// Converts string by string, because their lengths change.
fn convert(
    octets: &[u8],
    mut runs: impl Iterator<Item = Run>,
    words: &mut [u32],
    most: usize,
) -> Option<String> {
    let (mut text, mut units) = SCRATCH.take();
    if text.len() < most {
        text = "\0".repeat(most);
    }
    let (mut read, mut written) = (0, 0);
    let mut run = Run::default();
    measure_strings(words, |length| {
        if run.length == 0 && length > 0 {
            run = runs.next()?;
        }
        run.length = run.length.checked_sub(length)?;
        let piece = octets.get(read..)?.get(..run.octets(length)?)?;
        read += piece.len();
        let free = text.get_mut(written..)?;
        let length = if run.is_utf16 {
            let pairs = piece.chunks_exact(2);
            units.clear();
            units.extend(pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
            // Half of a surrogate pair must not become U+FFFD in silence.
            if utf16_valid_up_to(&units) < units.len() {
                return Some(Utf8::Impossible);
            }
            convert_utf16_to_str(&units, free)
        } else {
            convert_latin1_to_str(piece, free)
        };
        written += length;
        Some(Utf8::Length(length))
    })?;
    let converted = text.get(..written)?.to_owned();
    if text.len() <= KEPT {
        SCRATCH.set((text, units));
    }
    Some(converted)
}
