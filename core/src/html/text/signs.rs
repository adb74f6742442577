//! Characters in place of tags, and of words: a line is never broken within one.
//!
//! They are from the private use planes (Unicode section 23.5), which no mail uses.

const FIRST: u32 = 0xF_0000;
/// The number of characters in each plane.
const PLANE: u32 = 0xFFFD;
const SECOND: u32 = 0x10_0000;

/// Only takes up space.
pub(super) const FILLER: char = '\u{10FFFD}';

/// Whether a character is a sign, or looks like one.
pub(super) fn is_sign(c: char) -> bool {
    u32::from(c) >= FIRST
}

/// The sign with this number; `None` if there are not that many.
pub(super) fn sign(number: usize) -> Option<char> {
    let number = u32::try_from(number).ok()?;
    if number < PLANE {
        char::from_u32(FIRST + number)
    } else {
        let rest = number - PLANE;
        (rest < PLANE)
            .then(|| char::from_u32(SECOND + rest))
            .flatten()
    }
}

/// The number of a sign; `None` for a filler.
pub(super) fn number(sign: char) -> Option<usize> {
    let sign = u32::from(sign);
    let number = if sign >= SECOND {
        sign - SECOND + PLANE
    } else {
        sign.checked_sub(FIRST)?
    };
    (sign != u32::from(FILLER)).then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_a_sign() {
        for number_of in [0, 1, 0xFFFC, 0xFFFD, 0xFFFE, 0x1_FFF9] {
            let sign = sign(number_of).unwrap();
            assert!(is_sign(sign) && sign != FILLER);
            assert_eq!(number(sign), Some(number_of));
        }
        assert_eq!((sign(0x1_FFFA), number(FILLER)), (None, None));
    }
}
