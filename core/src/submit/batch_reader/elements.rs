//! Messages that are the elements of a JSON array.
//!
//! The end of an element is found by following only strings and brackets, which works only as long as everything is
//! JSON. So each element is parsed here, and the batch ends with the first one that is invalid: after an unbalanced
//! quotation mark, text would be taken for messages.

use super::{BatchEntry, BatchError, Position, Ready, is_blank};
use crate::json::not_json;
use serde::de::IgnoredAny;
use std::mem;

/// The byte order mark, which some programs write before anything else.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Splits the elements of an array.
#[derive(Debug, Default)]
pub(super) struct Elements {
    state: State,
    /// How many bytes came before the array.
    before: usize,
    /// How many of them belong to the byte order mark.
    mark: usize,
    /// What has arrived of the current element.
    element: Vec<u8>,
    is_too_long: bool,
    /// How many elements have ended.
    ended: u64,
    /// How many brackets are open in it.
    depth: usize,
    in_string: bool,
    /// The next byte is after a backslash.
    escaped: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The array has not begun.
    #[default]
    Before,
    Within,
    Behind,
}

impl Elements {
    pub fn feed(&mut self, bytes: &[u8], limit: usize, ready: &mut Ready) {
        let mut rest = bytes;
        while !rest.is_empty() && !ready.has_ended {
            rest = match self.state {
                State::Before => self.begin(rest, limit, ready),
                State::Within => self.go_on(rest, limit, ready),
                State::Behind => {
                    if !is_blank(rest) {
                        self.break_off("There is data after the array.", ready);
                    }
                    return;
                }
            };
        }
    }

    pub fn finish(&mut self, ready: &mut Ready) {
        match self.state {
            State::Before => ready.end(self.position(), BatchError::NotAnArray),
            State::Within => self.break_off("The array is not closed.", ready),
            State::Behind => {}
        }
    }

    pub fn buffered(&self) -> usize {
        self.element.len()
    }

    pub fn position(&self) -> Position {
        Position::Index(self.ended)
    }

    /// Skips what may precede the array: white space, after a byte order mark or not.
    fn begin<'b>(&mut self, bytes: &'b [u8], limit: usize, ready: &mut Ready) -> &'b [u8] {
        let start = bytes.iter().position(|byte| *byte == b'[');
        let (before, rest) = bytes.split_at(start.unwrap_or(bytes.len()));
        let marked = self.count_mark(before);
        self.before += before.len();
        let has_other = start.is_some() || self.before > self.mark;
        let is_cut = has_other && (1..MARK.len()).contains(&self.mark);
        if is_cut || !is_blank(&before[marked..]) {
            ready.end(self.position(), BatchError::NotAnArray);
        } else if self.before > limit {
            ready.end(self.position(), BatchError::TooLarge { limit });
        } else if start.is_some() {
            self.state = State::Within;
            return &rest[1..];
        }
        rest
    }

    /// How many of the next bytes continue the byte order mark, which precedes everything else.
    fn count_mark(&mut self, bytes: &[u8]) -> usize {
        if self.before > self.mark {
            return 0;
        }
        let pairs = MARK[self.mark..].iter().zip(bytes);
        let count = pairs.take_while(|(mark, byte)| mark == byte).count();
        self.mark += count;
        count
    }

    /// Takes bytes up to the end of an element.
    fn go_on<'b>(&mut self, bytes: &'b [u8], limit: usize, ready: &mut Ready) -> &'b [u8] {
        let end = self.end_of_element(bytes);
        let (of_element, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        self.is_too_long |= self.element.len() + of_element.len() > limit;
        if self.is_too_long {
            self.element = Vec::new();
        } else {
            self.element.extend_from_slice(of_element);
        }
        let Some((end, rest)) = rest.split_first() else {
            return rest;
        };
        let is_empty_array = self.ended == 0 && *end == b']' && is_blank(&self.element);
        if self.is_too_long || !is_empty_array {
            self.end_element(limit, ready);
        }
        if *end == b']' {
            self.state = State::Behind;
        }
        rest
    }

    fn end_element(&mut self, limit: usize, ready: &mut Ready) {
        let position = self.position();
        let element = mem::take(&mut self.element);
        if mem::take(&mut self.is_too_long) {
            ready.push(BatchEntry::new(
                position,
                Err(BatchError::TooLarge { limit }),
            ));
        } else if serde_json::from_slice::<IgnoredAny>(&element).is_ok() {
            ready.push(BatchEntry::new(position, Ok(element)));
        } else {
            return self.break_off("The array is not JSON here.", ready);
        }
        self.ended += 1;
    }

    /// The error at the position where the array ceases to be JSON.
    fn break_off(&self, what: &str, ready: &mut Ready) {
        let detail = format!(
            "{what} Nothing after this point is read; each message before it has its own result."
        );
        ready.end(self.position(), not_json(detail).into());
    }

    /// The position of the comma or bracket that ends the current element.
    fn end_of_element(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if mem::take(&mut self.escaped) {
                at += 1;
                continue;
            }
            if self.in_string {
                // Most of a message is text.
                at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
                self.in_string = bytes[at] != b'"';
                self.escaped = bytes[at] == b'\\';
                at += 1;
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'[' | b'{' => self.depth += 1,
                b',' | b']' if self.depth == 0 => return Some(at),
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        None
    }
}
