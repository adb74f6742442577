//! One message per line.

use super::{BatchEntry, BatchError, Position, Ready, is_blank};
use std::mem;

/// Splits lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What has arrived of the current line.
    line: Vec<u8>,
    is_too_long: bool,
    /// How many lines have ended.
    ended: u64,
    /// How many bytes were in blank lines since the last message.
    blank: usize,
}

impl Lines {
    pub fn feed(&mut self, bytes: &[u8], limit: usize, ready: &mut Ready) {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.push(&rest[..end], limit);
            self.end_line(limit, ready);
            if self.blank > limit {
                // Nothing else bounds what means nothing.
                return ready.end(self.position(), BatchError::TooLarge { limit });
            }
            rest = &rest[end + 1..];
        }
        self.push(rest, limit);
    }

    /// The last line need not have an end.
    pub fn finish(&mut self, limit: usize, ready: &mut Ready) {
        self.end_line(limit, ready);
    }

    pub fn buffered(&self) -> usize {
        self.line.len()
    }

    pub fn position(&self) -> Position {
        Position::Line(self.ended + 1)
    }

    fn push(&mut self, bytes: &[u8], limit: usize) {
        self.is_too_long |= self.line.len() + bytes.len() > limit;
        if self.is_too_long {
            self.line = Vec::new();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, limit: usize, ready: &mut Ready) {
        let position = self.position();
        let line = mem::take(&mut self.line);
        self.ended += 1;
        if mem::take(&mut self.is_too_long) {
            ready.push(BatchEntry::new(
                position,
                Err(BatchError::TooLarge { limit }),
            ));
        } else if is_blank(without_mark(&line, position)) {
            self.blank += line.len() + 1;
            return;
        } else {
            ready.push(BatchEntry::new(position, Ok(line)));
        }
        self.blank = 0;
    }
}

/// Without the byte order mark that programs write at the beginning of a file.
fn without_mark(line: &[u8], position: Position) -> &[u8] {
    let mark = "\u{feff}".as_bytes();
    match position {
        Position::Line(1) => line.strip_prefix(mark).unwrap_or(line),
        _ => line,
    }
}
