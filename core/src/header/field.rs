//! One header field: its name, its tokens, and where its lines end.

use crate::problem::{Code, Refusal};
use crate::syntax::{LineEnds, lines};
use encodify::Fold;
use encodify::rfc2047::{B, WordEncoder};

/// RFC 5322 section 2.1.1: a line should have at most 78 characters.
pub(crate) const LINE: usize = 78;
/// RFC 5322 section 2.1.1: a line must have at most 998 characters.
pub(crate) const LONGEST_LINE: usize = 998;
/// RFC 2047 section 2: a line with an encoded word has at most 76.
pub(crate) const ENCODED_LINE: usize = 76;

/// Appends `text` as encoded words, starting at this column, in the shorter of the two encodings; `q` is the Q encoding
/// for this place.
pub(crate) fn append_encoded_words(
    text: &str,
    q: WordEncoder,
    column: &mut usize,
    out: &mut Vec<u8>,
) {
    let encoder = if q.payload_len(text) <= B.payload_len(text) {
        q
    } else {
        B
    };
    encoder.encode_words("utf-8", text, column, Fold::HEADER, out);
}

/// Whether a line exceeds the limit.
pub(crate) fn has_long_line(bytes: &[u8]) -> bool {
    lines(bytes, LineEnds::Crlf).any(|line| line.len() > LONGEST_LINE)
}

/// The longest word, since a line can only end at a blank.
const LONGEST_WORD: usize = 990;

/// The refusal of a body that does not fit.
pub(crate) const WORD_TOO_LONG: Refusal = Refusal::new(
    Code::TooLong,
    "A word in a header field must fit on a line of 998 bytes.",
);

/// Whether words of these lengths fit in lines; `None` stands for one that can be folded. The first is on the line of
/// the name: some readers take a fold there for a blank.
pub(crate) fn words_fit(name: &str, lengths: impl IntoIterator<Item = Option<usize>>) -> bool {
    let mut room = LONGEST_LINE - name.len() - ": ".len();
    lengths.into_iter().all(|length| {
        let room = std::mem::replace(&mut room, LONGEST_WORD);
        length.is_none_or(|length| length <= room)
    })
}

/// Writes the body of one header field, token by token, one space or one fold between them.
pub(super) struct Field<'o> {
    out: &'o mut Vec<u8>,
    column: usize,
    /// The maximum length of this line.
    limit: usize,
    /// Whether only the name is written yet. It is not folded there if a line can hold the first word: some readers and
    /// signers lose a body that begins on the next line.
    is_empty: bool,
}

impl<'o> Field<'o> {
    pub fn begin(out: &'o mut Vec<u8>, name: &str) -> Self {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        Self {
            out,
            column: name.len() + 1,
            limit: LINE,
            is_empty: true,
        }
    }

    /// How many more bytes of a token fit on this line.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.column + 1)
    }

    /// Writes a token that may not be split, given in pieces.
    pub fn token(&mut self, pieces: &[&[u8]]) {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        // A token that no short line can hold stays where it is, as long as the line can hold it.
        let folds_well = !self.is_empty && (length < LINE || self.column > LINE / 2);
        if length > self.room() && (folds_well || self.column + 1 + length > LONGEST_LINE) {
            self.fold();
        } else {
            self.out.push(b' ');
            self.column += 1;
        }
        for piece in pieces {
            self.out.extend_from_slice(piece);
        }
        self.column += length;
        self.is_empty = false;
    }

    /// Writes a parameter and the semicolon before it.
    pub fn parameter(&mut self, pieces: &[&[u8]]) {
        self.out.push(b';');
        self.column += 1;
        self.token(pieces);
    }

    /// Writes a comma, after white space if it `is_apart`.
    pub fn comma(&mut self, is_apart: bool) {
        if is_apart {
            return self.token(&[b","]);
        }
        self.out.push(b',');
        self.column += 1;
    }

    /// Writes `text` as encoded words; `q` is the Q encoding for this place.
    pub fn encoded_words(&mut self, text: &str, q: WordEncoder) {
        // The least that an encoded word takes: `=?utf-8?Q?` + one character + `?=`.
        const LEAST: usize = 12 + 12;
        if self.column + 1 + LEAST > ENCODED_LINE {
            self.fold();
        } else {
            self.out.push(b' ');
            self.column += 1;
        }
        append_encoded_words(text, q, &mut self.column, self.out);
        self.limit = ENCODED_LINE;
        self.is_empty = false;
    }

    pub fn end(self) {
        self.out.extend_from_slice(b"\r\n");
    }

    fn fold(&mut self) {
        self.out.extend_from_slice(b"\r\n ");
        self.column = 1;
        self.limit = LINE;
    }
}

/// Whether a reader could mistake part of `text` for an encoded word (RFC 2047 section 2); then it has to be encoded.
pub(super) fn looks_encoded(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'=', bytes).any(|at| bytes.get(at + 1) == Some(&b'?'))
}

/// Whether white space would get lost when a reader unfolds or joins lines: tabs, runs, and blanks at either end.
pub(super) fn has_fragile_blanks(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first() == Some(&b' ')
        || bytes.last() == Some(&b' ')
        || bytes.contains(&b'\t')
        || bytes.windows(2).any(|pair| pair == b"  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_stays_on_the_line_of_the_name() {
        for length in 1..=900 {
            let (mut out, word) = (Vec::new(), vec![b'x'; length]);
            let mut field = Field::begin(&mut out, "List-Unsubscribe");
            field.token(&[&word]);
            field.token(&[b"<a>"]);
            field.end();
            let blank = if length > 56 { "\r\n " } else { " " };
            let word = "x".repeat(length);
            let expected = format!("List-Unsubscribe: {word}{blank}<a>\r\n");
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
