//! The lines of a pickup file.

use super::unreadable::UnreadableFile;
use std::borrow::Cow;

/// The lines of a file, taken one by one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    /// How many were taken.
    taken: usize,
}

impl<'a> Lines<'a> {
    pub fn new(file: &'a [u8]) -> Self {
        Self {
            rest: file,
            taken: 0,
        }
    }

    /// What has not been taken yet.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }

    /// The next line without its end, if it starts with this, ignoring letter case.
    pub fn take_if(&mut self, start: &str) -> Result<Option<&'a str>, UnreadableFile> {
        let begins = self.rest.get(..start.len());
        if !begins.is_some_and(|begins| begins.eq_ignore_ascii_case(start.as_bytes())) {
            return Ok(None);
        }
        let line = self.take()?;
        let text = str::from_utf8(line).map_err(|_| self.error("it is not valid UTF-8"))?;
        Ok(Some(&text[start.len()..]))
    }

    /// The next line without its end.
    fn take(&mut self) -> Result<&'a [u8], UnreadableFile> {
        self.taken += 1;
        let end = memchr::memmem::find(self.rest, b"\r\n");
        let end = end.ok_or(self.error("the file ends in the middle of it"))?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[2..];
        Ok(line)
    }

    /// The data up to the line with only a dot, without the dots added to lines that start with one (RFC 5321 section
    /// 4.5.2).
    pub fn data(&mut self) -> Result<Cow<'a, [u8]>, UnreadableFile> {
        let start = self.rest;
        let mut unescaped = Vec::new();
        // Up to where of `start` it is there already.
        let mut copied = 0;
        loop {
            let at = start.len() - self.rest.len();
            match self.take()? {
                b"." if copied == 0 => return Ok(Cow::Borrowed(&start[..at])),
                b"." => {
                    unescaped.extend_from_slice(&start[copied..at]);
                    return Ok(Cow::Owned(unescaped));
                }
                [b'.', ..] => {
                    unescaped.extend_from_slice(&start[copied..at]);
                    copied = at + 1;
                }
                _ => {}
            }
        }
    }

    /// Nothing may follow.
    pub fn end(self) -> Result<(), UnreadableFile> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(UnreadableFile::new(
            self.taken + 1,
            "there is data after the message",
        ))
    }

    /// How many were taken.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// What is wrong with the line that was taken last.
    pub fn error(&self, why: &'static str) -> UnreadableFile {
        UnreadableFile::new(self.taken, why)
    }

    /// What is wrong with the next line.
    pub fn error_ahead(&self, why: &'static str) -> UnreadableFile {
        UnreadableFile::new(self.taken + 1, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_line_starts_are_removed() {
        for (data, expected) in [
            ("a\r\n.b\r\n.\r\n", "a\r\nb\r\n"),
            ("..\r\n..a\r\n\r\n.\r\n", ".\r\n.a\r\n\r\n"),
            ("a.\r\n.\r\n", "a.\r\n"),
            (".\r\n", ""),
        ] {
            let mut lines = Lines::new(data.as_bytes());
            assert_eq!(lines.data().unwrap(), expected.as_bytes(), "{data:?}");
            assert!(lines.end().is_ok());
        }
        let mut lines = Lines::new(b"a\r\n");
        assert_eq!(lines.data().unwrap_err().line(), 2);
    }
}
