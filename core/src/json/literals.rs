//! The numbers of a JSON text by their digits, which its reader does not give.

/// Goes through a JSON text beside its reader, which has told that it is one up to there. Without it
/// a number beyond 64 bits would be rounded, and 19.90 be 19.9. (`serde_json`'s `arbitrary_precision`
/// does the same for all numbers, but also for all of a program that this library is linked to, where
/// it changes what numbers are.)
///
/// It is after all texts, numbers, words and names that were read: up to the next one there are signs
/// and blanks alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literals<'a> {
    text: &'a str,
    at: Option<usize>,
}

/// What a value begins with.
pub(super) enum Ahead<'a> {
    /// It is a number with these digits.
    Number(&'a str),
    /// It is no number.
    Other,
    /// Nobody knows where it is.
    Unknown,
}

impl<'a> Literals<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text, at: None }
    }

    /// Where it is is not known from here on.
    pub fn lose(&mut self) {
        self.at = None;
    }

    /// Goes to where this part of the text begins.
    #[inline]
    pub fn begin(&mut self, part: &'a str) {
        let at = part.as_ptr().addr().checked_sub(self.text.as_ptr().addr());
        let at = at.filter(|at| *at < self.text.len());
        self.at = Some(at.expect("the reader lends parts of the text that it reads"));
    }

    /// A text or a name was read: this part of the JSON text, if it has no escapes.
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

    /// Goes to the next value, and after it if it is a number or a word.
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

    /// Goes after the next value, which was ignored, whatever it is.
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

    /// Where the bytes from a place on end that are part of a number, or of a word.
    fn end_of(&self, from: usize, is_part: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[from..];
        let length = rest.iter().take_while(|byte| is_part(**byte)).count();
        from + length
    }

    fn ahead(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at?).copied()
    }

    /// Goes over the signs and blanks that are before a value or a name.
    #[inline]
    fn skip_signs(&mut self) {
        let bytes = self.text.as_bytes();
        let Some(at) = &mut self.at else { return };
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b']' | b'}') = bytes.get(*at) {
            *at += 1;
        }
    }

    /// Goes after the next string.
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
