//! The digits of the numbers in a JSON text, which its reader does not pass on.

/// Follows a JSON text in parallel with its reader, which has found it valid up to this point. Without this, numbers
/// beyond 64 bits would be rounded, and 19.90 would become 19.9. (The feature `arbitrary_precision` of `serde_json`
/// does the same for all numbers, but also for the whole program that this library is linked into, where it changes
/// what numbers are.)
///
/// Its position is after all strings, numbers, words and names that have been read: only punctuation and blanks come
/// before the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literals<'a> {
    text: &'a str,
    at: Option<usize>,
}

/// What a value starts with.
pub(super) enum Ahead<'a> {
    /// A number with these digits.
    Number(&'a str),
    /// Not a number.
    Other,
    /// The position is lost.
    Unknown,
}

impl<'a> Literals<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: None }
    }

    /// The position is unknown from here on.
    pub fn lose(&mut self) {
        self.at = None;
    }

    /// Goes to the start of this part of the text.
    #[inline]
    pub fn begin(&mut self, part: &'a str) {
        let at = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        let at = at.filter(|at| *at < self.text.len());
        self.at = Some(at.expect("the reader lends parts of the text that it reads"));
    }

    /// Records that a string or a name was read: this part of the JSON text, if it has no escapes.
    #[inline]
    pub fn pass_text(&mut self, part: Option<&'a str>) {
        if let Some(part) = part {
            self.begin(part);
            // The quotation mark is after it.
            self.advance(part.len() + 1);
        } else {
            self.skip_string();
        }
    }

    /// Goes to the next value, and past it if it is a number or a word.
    #[inline]
    pub fn next(&mut self) -> Ahead<'a> {
        self.skip_signs();
        match self.ahead() {
            // Most values are texts.
            Some(b'"') => Ahead::Other,
            _ => self.next_but_text(),
        }
    }

    fn next_but_text(&mut self) -> Ahead<'a> {
        let Some(at) = self.at else {
            return Ahead::Unknown;
        };
        match self.ahead() {
            Some(b'-' | b'0'..=b'9') => {
                let is_part = |byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = self.end_of(at, is_part);
                self.at = Some(end);
                Ahead::Number(&self.text[at..end])
            }
            Some(b't' | b'f' | b'n') => {
                self.at = Some(self.end_of(at, |byte| byte.is_ascii_alphabetic()));
                Ahead::Other
            }
            Some(b'[' | b'{') => {
                self.at = Some(at + 1);
                Ahead::Other
            }
            _ => Ahead::Other,
        }
    }

    /// Goes past the next value, which was ignored.
    pub fn skip_value(&mut self) {
        self.skip_signs();
        let mut depth = 0_usize;
        while let Some(byte) = self.ahead() {
            match byte {
                b'"' => self.skip_string(),
                b'[' | b'{' => {
                    depth += 1;
                    self.advance(1);
                }
                b']' | b'}' => {
                    depth = depth.saturating_sub(1);
                    self.advance(1);
                }
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => self.advance(1),
                _ => {
                    let _ = self.next();
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// End of the number or word that starts at this position.
    fn end_of(&self, from: usize, is_part: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[from..];
        let length = rest.iter().take_while(|byte| is_part(**byte)).count();
        from + length
    }

    fn ahead(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at?).copied()
    }

    /// Skips punctuation and blanks before a value or a name.
    #[inline]
    fn skip_signs(&mut self) {
        let bytes = self.text.as_bytes();
        let Some(at) = &mut self.at else { return };
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b']' | b'}') = bytes.get(*at) {
            *at += 1;
        }
    }

    /// Skips the next string.
    fn skip_string(&mut self) {
        self.skip_signs();
        let Some(at) = self.at else { return };
        let bytes = self.text.as_bytes();
        let mut at = at + 1;
        self.at = loop {
            let Some(found) = bytes
                .get(at..)
                .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
            else {
                break None;
            };
            at += found;
            if bytes[at] == b'"' {
                break Some(at + 1);
            }
            at += 2;
        };
    }

    fn advance(&mut self, count: usize) {
        self.at = self.at.map(|at| at + count);
    }
}
