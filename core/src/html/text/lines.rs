//! Turns the layout into text.

use super::super::marks::{Marked, Piece};
use super::signs;
use super::writer::Written;
use crate::template::{Tag, TagKind};

/// The text: statements get no lines of their own, and the addresses of its links follow at the end.
pub(super) fn finish(
    laid_out: &str,
    written: &Written,
    marked: &Marked<'_>,
    is_template: bool,
) -> String {
    let restorer = Restorer {
        words: &written.words,
        marked,
        is_template,
    };
    let mut lines = Lines {
        restorer: &restorer,
        out: String::with_capacity(laid_out.len()),
        is_blank: false,
        statements: String::new(),
        has_gap: false,
    };
    for line in laid_out.lines() {
        lines.add(line);
    }
    let mut text = lines.finish();
    if !written.links.is_empty() {
        text.push('\n');
    }
    for (index, link) in written.links.iter().enumerate() {
        text.extend(["\n[", &(index + 1).to_string(), "]: "]);
        restorer.push_marked(&mut text, link);
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

struct Lines<'r, 'm> {
    restorer: &'r Restorer<'r, 'm>,
    out: String,
    /// A blank line is due.
    is_blank: bool,
    /// Statements that the next line begins with, and a line end if a blank line is due among them.
    statements: String,
    /// That line end, or the blank line before the statements, is written.
    has_gap: bool,
}

impl Lines<'_, '_> {
    fn add(&mut self, line: &str) {
        let line = line.replace('\u{a0}', " ").replace(signs::FILLER, "");
        let line = line.trim_end();
        if line.is_empty() || line == ">" {
            self.add_blank();
        } else if let Some(statements) = self.restorer.statements(line) {
            self.end_line();
            self.statements.push_str(&statements);
        } else {
            self.end_line();
            self.out.push_str(&std::mem::take(&mut self.statements));
            self.has_gap = false;
            self.restorer.push_line(&mut self.out, line);
        }
    }

    fn add_blank(&mut self) {
        if self.statements.is_empty() {
            self.is_blank = !self.out.is_empty();
        } else if !std::mem::replace(&mut self.has_gap, true) {
            self.statements.push('\n');
        }
    }

    /// Ends the previous line, unless statements have done so.
    fn end_line(&mut self) {
        if !self.statements.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        if std::mem::take(&mut self.is_blank) {
            self.out.push('\n');
            self.has_gap = true;
        } else {
            self.has_gap = self.out.is_empty();
        }
    }

    fn finish(mut self) -> String {
        self.out.push_str(self.statements.trim_end());
        self.out
    }
}

/// Puts the tags in place of their marks.
struct Restorer<'r, 'm> {
    words: &'r [String],
    marked: &'r Marked<'m>,
    is_template: bool,
}

impl Restorer<'_, '_> {
    /// A laid out line.
    fn push_line(&self, out: &mut String, line: &str) {
        for part in line.split_inclusive(signs::is_sign) {
            let text = part.trim_end_matches(signs::is_sign);
            self.push_text(out, text);
            let number = part[text.len()..].chars().next().and_then(signs::number);
            let Some(number) = number else { continue };
            if let Some(tag) = self.marked.tag(number) {
                self.push_tag(out, tag);
            } else if let Some(word) = self.words.get(number - self.marked.tag_count()) {
                self.push_marked(out, word);
            }
        }
    }

    /// Text with marks.
    fn push_marked(&self, out: &mut String, text: &str) {
        for piece in self.marked.pieces(text) {
            match piece {
                Piece::Text(text) => self.push_text(out, text),
                Piece::Mark(number) => {
                    if let Some(tag) = self.marked.tag(number) {
                        self.push_tag(out, tag);
                    }
                }
            }
        }
    }

    /// In the text, no braces begin anything but a tag, so nothing in it is verbatim.
    fn push_tag(&self, out: &mut String, tag: &Tag) {
        if tag.kind != TagKind::Verbatim {
            push_tag(out, self.marked.tag_text(tag));
        }
    }

    /// Text that is the same for everybody: in a template, none of its braces may begin a tag.
    fn push_text(&self, out: &mut String, text: &str) {
        if !self.is_template {
            return out.push_str(text);
        }
        for (index, part) in text.split('{').enumerate() {
            if index > 0 {
                out.push_str("{{ \"{\" }}");
            }
            out.push_str(part);
        }
    }

    /// The statements of a line that contains nothing else, except the markers of a list or a quote.
    fn statements(&self, line: &str) -> Option<String> {
        let list_signs = |c: char| matches!(c, ' ' | '>' | '*' | '.') || c.is_ascii_digit();
        let mut out = String::new();
        for part in line.split_inclusive(signs::is_sign) {
            let text = part.trim_end_matches(signs::is_sign);
            if !text.trim_matches(list_signs).is_empty() {
                return None;
            }
            let sign = part[text.len()..].chars().next();
            if let Some(number) = sign.and_then(signs::number) {
                let tag = self.marked.tag(number).filter(|tag| !tag.kind.is_value())?;
                self.push_tag(&mut out, tag);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

/// A tag that strips no white space: the white space of the text is not that of the HTML.
fn push_tag(out: &mut String, tag: &str) {
    let signs = ['-', '+'];
    let is_signed =
        |tag: &str| tag.starts_with("{{-") || tag.starts_with("{%-") || tag.starts_with("{%+");
    let (start, rest) = if is_signed(tag) {
        (&tag[..2], &tag[3..])
    } else {
        tag.split_at(0)
    };
    let (rest, end) = match rest
        .len()
        .checked_sub(3)
        .and_then(|at| rest.split_at_checked(at))
    {
        Some((before, end))
            if end.starts_with(signs) && (end.ends_with("%}") || end.ends_with("}}")) =>
        {
            (before, &end[1..])
        }
        _ => (rest, ""),
    };
    for part in [start, rest, end] {
        out.push_str(part);
    }
}
