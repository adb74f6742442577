//! Bodies for a template of PowerMTA, in which a bracket starts a variable.

use super::{EMPTY, LINE, PIECE, Scratch, cut, encode_bytes, escape, split_blank};
use crate::syntax::{LineEnds, split_line};

/// Appends `text`, encoded for a template of PowerMTA, where a bracket starts a variable.
pub(in crate::mime) fn encode_without_brackets(text: &str, out: &mut Vec<u8>) {
    Lines::new(out).text(text, true);
}

/// Writes a body of a template piece by piece. Its brackets are encoded, and there is room for values of which only the
/// length is known.
pub(crate) struct Lines<'o> {
    out: &'o mut Vec<u8>,
    column: usize,
    scratch: Scratch,
}

impl<'o> Lines<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            column: 0,
            scratch: EMPTY,
        }
    }

    /// Appends text. `line_may_end` says whether its last line may end after it: a blank there would get lost in
    /// transit.
    pub fn text(&mut self, text: &str, line_may_end: bool) {
        let mut rest = text.as_bytes();
        while let Some((line, next)) = split_line(rest, LineEnds::Any) {
            self.line(line, true);
            self.out.extend_from_slice(b"\r\n");
            self.column = 0;
            rest = next;
        }
        self.line(rest, line_may_end);
    }

    fn line(&mut self, line: &[u8], ends: bool) {
        let (mut rest, blank) = if ends {
            split_blank(line)
        } else {
            (line, None)
        };
        while let Some(at) = memchr::memchr2(b'[', b']', rest) {
            self.bytes(&rest[..at]);
            self.escaped(rest[at]);
            rest = &rest[at + 1..];
        }
        self.bytes(rest);
        if let Some(blank) = blank {
            self.escaped(blank);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            let length = encode_bytes(piece, &mut self.scratch);
            cut(&self.scratch[..length], &mut self.column, self.out);
        }
    }

    fn escaped(&mut self, byte: u8) {
        cut(&escape(byte)[..3], &mut self.column, self.out);
    }

    /// Appends `bytes` that will become `width` columns.
    pub fn later(&mut self, bytes: &[u8], width: usize) {
        if self.column + width > LINE {
            self.soft_break();
        }
        self.out.extend_from_slice(bytes);
        self.column += width;
    }

    /// Appends `bytes` that will become a separate line, which continues in the next.
    pub fn later_line(&mut self, bytes: &[u8]) {
        if self.column > 0 {
            self.soft_break();
        }
        self.out.extend_from_slice(bytes);
        self.soft_break();
    }

    fn soft_break(&mut self) {
        self.out.extend_from_slice(b"=\r\n");
        self.column = 0;
    }
}
