//! A field of the header whose text contains values as they are.

use super::names::Name;
use super::syntax::push_variable;
use crate::header::LINE;
use crate::template::{Piece, TemplateText};

/// Writes the field with folds at blanks of its text, so that no line is too long, whichever recipient's values are in
/// it. `name` is the name of the field with its colon; `widths` are those of the values. As in other fields, the first
/// word stays on the line of the name.
pub(super) fn fold(
    name: &[u8],
    text: &TemplateText<'_>,
    names: &[Option<Name>],
    widths: &[usize],
) -> Vec<u8> {
    let mut line = Line {
        out: name.to_vec(),
        column: name.len(),
        word: Vec::new(),
        width: 0,
        may_fold: false,
    };
    for piece in text.pieces() {
        match piece {
            Piece::Literal(literal) => {
                for (index, part) in literal.split(' ').enumerate() {
                    if index > 0 {
                        line.end_word();
                    }
                    line.word.extend_from_slice(part.as_bytes());
                    line.width += part.len();
                }
            }
            Piece::Slot(slot) => {
                let name = names[slot.value].as_ref();
                let name = name.expect("each value of a header field has a name");
                push_variable(&mut line.word, name.first());
                line.width += widths[slot.value];
            }
        }
    }
    line.end_word();
    line.out.extend_from_slice(b"\r\n");
    line.out
}

struct Line {
    out: Vec<u8>,
    column: usize,
    word: Vec<u8>,
    width: usize,
    may_fold: bool,
}

impl Line {
    fn end_word(&mut self) {
        // As other fields are folded: a word that no short line can hold stays where it is.
        let folds_well = self.width < LINE || self.column > LINE / 2;
        if self.may_fold && self.column + 1 + self.width > LINE && folds_well {
            self.out.extend_from_slice(b"\r\n ");
            self.column = 1;
        } else {
            self.out.push(b' ');
            self.column += 1;
        }
        self.out.append(&mut self.word);
        self.column += std::mem::take(&mut self.width);
        self.may_fold = true;
    }
}
