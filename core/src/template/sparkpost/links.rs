//! The positions of links in a text: values in them are percent-encoded.

/// Whether the text so far ends within a link. A link starts with `http://` or `https://`, may contain statements, and
/// ends with white space, `<`, `>`, `"`, or the counterpart of the character before it.
#[derive(Debug, Default)]
pub(super) struct Links {
    within: Option<Link>,
    /// The last byte so far.
    last: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// A character that ends it in addition to those that end every link.
    closing: Option<u8>,
}

impl Links {
    pub fn is_within(&self) -> bool {
        self.within.is_some()
    }

    /// Advances to the end of a text.
    pub fn pass(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        loop {
            if let Some(link) = self.within {
                let Some(end) = bytes[at..].iter().position(|byte| link.is_end(*byte)) else {
                    break;
                };
                self.within = None;
                at += end;
            }
            let Some((start, length)) = next_protocol(&bytes[at..]) else {
                break;
            };
            let before = match (at + start).checked_sub(1) {
                Some(before) => Some(bytes[before]),
                None => self.last,
            };
            self.within = Some(Link {
                closing: before.and_then(closing),
            });
            at += start + length;
        }
        self.last = bytes.last().copied().or(self.last);
    }
}

impl Link {
    fn is_end(self, byte: u8) -> bool {
        byte.is_ascii_whitespace()
            || matches!(byte, b'<' | b'>' | b'"')
            || self.closing == Some(byte)
    }
}

fn closing(before: u8) -> Option<u8> {
    match before {
        b'\'' => Some(b'\''),
        b'(' => Some(b')'),
        b'[' => Some(b']'),
        b'`' => Some(b'`'),
        _ => None,
    }
}

/// The position and length of the next `http://` or `https://`.
fn next_protocol(bytes: &[u8]) -> Option<(usize, usize)> {
    memchr::memmem::find_iter(bytes, "://").find_map(|colon| {
        let protocols: [&[u8]; 2] = [b"https", b"http"];
        protocols.into_iter().find_map(|protocol| {
            let start = colon.checked_sub(protocol.len())?;
            let is_one = bytes[start..colon].eq_ignore_ascii_case(protocol);
            is_one.then_some((start, protocol.len() + 3))
        })
    })
}
