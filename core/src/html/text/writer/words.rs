//! Words, and the signs in them.

use super::super::super::blocks::unpaired;
use super::super::super::marks::Piece;
use super::super::signs;
use super::{Gap, LONGEST_WORD, VALUE_WIDTH, WORD_WIDTH, Writer};
use crate::problem::Refusal;
use crate::template::{TagKind, push_escaped};

impl Writer<'_, '_> {
    /// Text with marks.
    pub(super) fn text(&mut self, text: &str) -> Result<(), Refusal> {
        if self.hidden > 0 {
            self.hide(text);
            return Ok(());
        }
        if self.is_preformatted || self.is_in_columns {
            self.check_values(text)?;
            self.count_depth(text);
            self.push_text(text);
            return Ok(());
        }
        // White space between lines is nothing.
        let mut rest = if self.is_in_line {
            text
        } else {
            text.trim_ascii_start()
        };
        while !rest.is_empty() {
            let blank = rest.len() - rest.trim_ascii_start().len();
            if blank > 0 {
                if self.is_in_line {
                    self.push_text(" ");
                }
                rest = &rest[blank..];
                continue;
            }
            let end = rest
                .find(|c: char| c.is_ascii_whitespace())
                .unwrap_or(rest.len());
            self.word(&rest[..end])?;
            rest = &rest[end..];
        }
        Ok(())
    }

    /// What is between two blanks.
    pub(super) fn word(&mut self, word: &str) -> Result<(), Refusal> {
        self.check_values(word)?;
        let marked = self.marked;
        let is_statement = |piece: Piece<'_>| match piece {
            Piece::Text(_) => false,
            Piece::Mark(number) => marked.tag(number).is_some_and(|tag| !tag.kind.is_value()),
        };
        let mut rest = word;
        for piece in marked.pieces(word) {
            // Where no line has begun, a statement begins none.
            if self.is_in_line || !is_statement(piece) {
                break;
            }
            if let Piece::Mark(number) = piece {
                let mark = marked.mark(number);
                rest = &rest[mark.len()..];
                self.statement(number);
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        self.count_depth(rest);
        self.show_statements();
        self.begin_line();
        if rest.len() > LONGEST_WORD && rest.is_ascii() {
            self.link_text.push_str(rest);
            self.push_word(rest, WORD_WIDTH);
        } else {
            self.push_text(rest);
        }
        Ok(())
    }

    /// A word that is kept whole.
    pub(super) fn push_word(&mut self, word: &str, more: usize) {
        let number = self.marked.tag_count() + self.out.words.len();
        self.out.words.push(word.to_owned());
        self.push_sign(number, more);
    }

    /// A statement between lines.
    pub(super) fn statement(&mut self, number: usize) {
        let Some(tag) = self.marked.tag(number) else {
            return;
        };
        self.count(tag.kind);
        if tag.kind == TagKind::Verbatim {
            return;
        }
        self.end_line();
        let (start, end) = if self.is_in_list() {
            ("<li>", "</li>")
        } else {
            ("<div>", "</div>")
        };
        if self.gap == Gap::BlankLine {
            self.fill_gap();
        }
        self.out.html.push_str(start);
        self.push_sign(number, 0);
        self.out.html.push_str(end);
    }

    pub(super) fn push_text(&mut self, text: &str) {
        self.link_text.push_str(text);
        self.push_signs(text);
    }

    /// Text with signs in place of its marks.
    pub(super) fn push_signs(&mut self, text: &str) {
        for piece in self.marked.pieces(text) {
            match piece {
                Piece::Text(text) => {
                    // What looks like a sign gets one.
                    for part in text.split_inclusive(signs::is_sign) {
                        let plain = part.trim_end_matches(signs::is_sign);
                        push_escaped(&mut self.out.html, plain);
                        if plain.len() < part.len() {
                            self.push_word(&part[plain.len()..], 0);
                        }
                    }
                }
                Piece::Mark(number) => {
                    let tag = self.marked.tag(number);
                    let is_value = tag.is_some_and(|tag| tag.kind.is_value());
                    self.push_sign(number, if is_value { VALUE_WIDTH } else { 0 });
                }
            }
        }
    }

    /// A sign, and fillers that make it this many columns wider.
    pub(super) fn push_sign(&mut self, number: usize, more: usize) {
        if let Some(sign) = signs::sign(number) {
            self.out.html.push(sign);
            self.out
                .html
                .extend(std::iter::repeat_n(signs::FILLER, more));
        } else {
            self.is_full = true;
        }
    }

    /// Invisible content. Its statements matter nevertheless: they may set what is written elsewhere.
    pub(super) fn hide(&mut self, text: &str) {
        let statements = self.marked.kinds(text).filter(|(_, kind)| !kind.is_value());
        self.unseen.extend(statements);
    }

    /// Writes the statements of invisible content, unless they have no effect there.
    pub(super) fn show_statements(&mut self) {
        if self.unseen.is_empty() {
            return;
        }
        let unseen = std::mem::take(&mut self.unseen);
        for number in unpaired(unseen.into_iter()) {
            if self.is_in_line || self.is_preformatted || self.is_in_columns {
                if let Some(tag) = self.marked.tag(number) {
                    self.count(tag.kind);
                }
                self.push_sign(number, 0);
            } else {
                self.statement(number);
            }
        }
    }

    pub(super) fn count_depth(&mut self, text: &str) {
        for (_, kind) in self.marked.kinds(text) {
            self.count(kind);
        }
    }

    pub(super) fn count(&mut self, kind: TagKind) {
        match kind {
            TagKind::Opens => {
                self.depth += 1;
                self.has_statement = true;
            }
            TagKind::Closes => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
