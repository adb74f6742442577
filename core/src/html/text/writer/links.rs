//! Links, and what statements among their attributes decide.

use super::super::super::blocks::unpaired;
use super::super::super::marks::Piece;
use super::{AS_HTML, ATTRIBUTES, Element, LONGEST_WORD, Link, UNPAIRED, WORD_WIDTH, Writer};
use crate::problem::{Code, Refusal};
use crate::template::TagKind;
use html5gum::StartTag;

impl Writer<'_, '_> {
    /// The statements among the attributes of an element. Those in the address of a link are written with the address.
    pub(super) fn hide_attributes(&mut self, tag: &StartTag<usize>) -> Result<(), Refusal> {
        let range = tag.span.start..tag.span.end;
        let Some(whole) = self.marked.text.get(range) else {
            return Ok(());
        };
        let statements = self
            .marked
            .kinds(whole)
            .filter(|(_, kind)| !kind.is_value());
        let statements = unpaired(statements);
        if tag.name.as_slice() == b"a" && self.decides_address(whole) {
            return Err(self.refusal(tag.span.start, ATTRIBUTES));
        }
        if statements.is_empty() {
            return Ok(());
        }
        let is_set = |number: &usize| {
            let tag = self.marked.tag(*number);
            tag.is_some_and(|tag| tag.kind == TagKind::Silent)
        };
        if !statements.iter().all(is_set) {
            return Err(self.refusal(tag.span.start, UNPAIRED));
        }
        let silent = statements
            .into_iter()
            .map(|number| (number, TagKind::Silent));
        self.unseen.extend(silent);
        Ok(())
    }

    /// Whether statements decide if a tag has an address.
    pub(super) fn decides_address(&self, tag: &str) -> bool {
        let mut depth = 0_usize;
        self.marked.pieces(tag).any(|piece| match piece {
            Piece::Text(text) => depth > 0 && text.to_ascii_lowercase().contains("href"),
            Piece::Mark(number) => {
                match self.marked.tag(number).map(|tag| tag.kind) {
                    Some(TagKind::Opens) => depth += 1,
                    Some(TagKind::Closes) => depth = depth.saturating_sub(1),
                    _ => {}
                }
                false
            }
        })
    }

    /// A value that is HTML cannot become text.
    pub(super) fn check_values(&self, text: &str) -> Result<(), Refusal> {
        let mut kinds = self.marked.kinds(text);
        match kinds.find(|(_, kind)| matches!(kind, TagKind::Value { is_html: true })) {
            None => Ok(()),
            Some((number, _)) => {
                let place = self.marked.place_of_tag(number);
                let detail = format!("In {place} a value is inserted as HTML, {AS_HTML}");
                Err(Refusal::with_detail(Code::InvalidTemplate, detail))
            }
        }
    }

    pub(super) fn refusal(&self, at: usize, what: &str) -> Refusal {
        let detail = format!("In {} {what}", self.marked.place(at));
        Refusal::with_detail(Code::InvalidTemplate, detail)
    }

    pub(super) fn start_link(&mut self, tag: &StartTag<usize>) -> Element {
        let address = tag.attributes.get(b"href".as_slice());
        let address = address.map_or_else(String::new, |address| {
            let address = String::from_utf8_lossy(address);
            address.trim().replace(['\n', '\r', '\t'], "")
        });
        let scheme = address.get(..11).unwrap_or_default();
        if address.is_empty()
            || address.starts_with('#')
            || scheme.eq_ignore_ascii_case("javascript:")
        {
            return Element::Transparent;
        }
        self.link_text.clear();
        Element::Link(Link {
            address,
            // In columns there are no placeholders.
            is_in_block: self.depth > 0 && !self.is_in_columns,
        })
    }

    /// Writes the number of a link after its text, or its address if that is not in the list at the end of the text.
    pub(super) fn end_link(&mut self, link: Link) {
        let Link {
            address,
            is_in_block,
        } = link;
        let text = std::mem::take(&mut self.link_text);
        let text = text.trim();
        let plain = ["mailto:", "tel:", "https://", "http://"];
        let shown = plain.iter().find_map(|scheme| address.strip_prefix(scheme));
        if text == address || shown.is_some_and(|shown| shown.trim_end_matches('/') == text) {
            return;
        }
        if is_in_block {
            let words = format!(" <{address}>");
            // Values in it were looked at as those of an attribute.
            for word in words.split_inclusive(' ') {
                self.push_address(word);
            }
            return;
        }
        let next = self.out.links.len() + 1;
        let number = *self
            .numbers
            .entry(self.marked.put_back(&address))
            .or_insert(next);
        if number == next {
            self.out.links.push(address);
        }
        self.push_address(&format!(" [{number}]"));
    }

    pub(super) fn push_address(&mut self, text: &str) {
        if !self.is_in_columns && !self.is_preformatted {
            self.begin_line();
        }
        let word = text.trim_start();
        if word.len() < text.len() {
            self.out.html.push(' ');
        }
        if word.len() > LONGEST_WORD && word.is_ascii() {
            self.push_word(word, WORD_WIDTH);
        } else {
            self.push_signs(word);
        }
    }
}
