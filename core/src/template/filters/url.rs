//! Values in URLs (RFC 3986 section 2.1).

use std::borrow::Cow;

/// The encoding of a text in a URL. Letters, digits and `-._~` represent themselves (RFC 3986 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum UrlSet {
    /// Jinja's `urlencode`: `/` represents itself too, and a blank is `%20`.
    Slashes,
    /// Liquid's `url_encode`, as forms are encoded: a blank is `+`.
    Form,
    /// SparkPost's links: only these.
    Unreserved,
}

impl UrlSet {
    pub fn encode(self, text: Cow<'_, str>) -> Cow<'_, str> {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        if text.bytes().all(|byte| self.is_plain(byte)) {
            return text;
        }
        let mut out = String::with_capacity(text.len() + text.len() / 2);
        for byte in text.bytes() {
            if self.is_plain(byte) {
                out.push(char::from(byte));
            } else if byte == b' ' && self == Self::Form {
                out.push('+');
            } else {
                out.push('%');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
        out.into()
    }

    fn is_plain(self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~')
            || (byte == b'/' && self == Self::Slashes)
    }
}
