//! The character classes of the grammars of RFC 5322 and RFC 2045.

/// A set of ASCII characters, as one bit of [`CLASSES`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Class(u8);

impl Class {
    /// Characters of atoms (RFC 5322 section 3.2.3).
    pub const ATEXT: Self = Self(1);
    /// Characters of tokens (RFC 2045 section 5.1).
    pub const TOKEN: Self = Self(2);
    /// Characters of a domain literal between its brackets (RFC 5322 section 3.4.1).
    pub const DTEXT: Self = Self(4);
    /// Letters and digits.
    pub const ALPHANUMERIC: Self = Self(8);

    /// Whether the byte is one of them.
    #[inline]
    pub const fn has(self, byte: u8) -> bool {
        CLASSES[byte as usize] & self.0 != 0
    }
}

/// The classes of each byte.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        let mut class = 0;
        if !is_one_of(byte, b"()<>[]:;@\\,.\"") {
            class |= Class::ATEXT.0;
        }
        if !is_one_of(byte, b"()<>@,;:\\\"/[]?=") {
            class |= Class::TOKEN.0;
        }
        if !is_one_of(byte, b"[]\\") {
            class |= Class::DTEXT.0;
        }
        if byte.is_ascii_alphanumeric() {
            class |= Class::ALPHANUMERIC.0;
        }
        classes[byte as usize] = class;
        byte += 1;
    }
    classes
};

const fn is_one_of(byte: u8, bytes: &[u8]) -> bool {
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == byte {
            return true;
        }
        index += 1;
    }
    false
}

/// atext of RFC 5322 section 3.2.3, plus the characters beyond ASCII of RFC 6532 that are not blanks.
#[inline]
pub(crate) fn is_atext(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => Class::ATEXT.has(byte),
        _ => !c.is_whitespace() && !c.is_control(),
    }
}

/// Whether the text is a dot-atom-text (RFC 5322 section 3.2.3) in ASCII.
pub(crate) fn is_dot_atom(text: &str) -> bool {
    let is_atom = |atom: &[u8]| !atom.is_empty() && atom.iter().all(|byte| Class::ATEXT.has(*byte));
    text.as_bytes().split(|byte| *byte == b'.').all(is_atom)
}

/// Whether there is a control character (Unicode's general category Cc), including C1: some readers take U+0085 for a
/// line end.
pub(crate) fn has_control(text: &str) -> bool {
    may_have_control(text) && text.contains(char::is_control)
}

/// The same, except that a tab counts as white space, as in a header field.
pub(crate) fn has_control_except_tab(text: &str) -> bool {
    may_have_control(text) && text.contains(|c: char| c.is_control() && c != '\t')
}

/// `false` for nearly every text, in one pass that the compiler can vectorize.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "a branch would keep it from vectorizing"
)]
fn may_have_control(text: &str) -> bool {
    // U+0080 to U+009F begin with the byte C2.
    text.bytes().fold(false, |found, byte| {
        found | (byte < 0x20) | (byte == 0x7f) | (byte == 0xc2)
    })
}

/// Whether a text that must not be encoded contains a complete encoded word (RFC 2047 section 2).
pub(crate) fn holds_encoded_word(text: &str) -> bool {
    text.split_once("=?")
        .is_some_and(|(_, rest)| rest.contains("?="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_rfcs() {
        let of = |class: Class| -> String {
            (0..=255)
                .filter(|byte| class.has(*byte))
                .map(char::from)
                .filter(|c| !c.is_ascii_alphanumeric())
                .collect()
        };
        assert_eq!(of(Class::ATEXT), "!#$%&'*+-/=?^_`{|}~");
        assert_eq!(of(Class::TOKEN), "!#$%&'*+-.^_`{|}~");
        assert_eq!(of(Class::DTEXT), "!\"#$%&'()*+,-./:;<=>?@^_`{|}~");
    }

    #[test]
    fn controls_are_found_and_nothing_else() {
        for c in (0..0x300).filter_map(char::from_u32) {
            let text = format!("ab{c}cd");
            assert_eq!(has_control(&text), c.is_control(), "{c:?}");
            assert_eq!(has_control_except_tab(&text), c.is_control() && c != '\t');
        }
    }
}
