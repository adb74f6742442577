//! Writes HTML of few elements, which is laid out as the text shall be.

use super::super::blocks::unpaired;
use super::super::elements::{OpenElements, is_block, is_void};
use super::super::marks::{Marked, Piece};
use super::outline::Outline;
use super::signs;
use crate::problem::{Code, Refusal};
use crate::template::{TagKind, push_escaped};
use html5gum::{StartTag, Token};
use std::collections::HashMap;

/// What is laid out, and what belongs to it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub html: String,
    /// What the signs stand for whose numbers follow those of the tags: words that must not be torn apart.
    pub words: Vec<String>,
    /// The addresses of links, with marks.
    pub links: Vec<String>,
}

/// What an element is while it is open.
#[derive(Debug)]
enum Element {
    /// What is in it is written as if it were not there.
    Transparent,
    /// A line begins with it, and another one behind it.
    Lines(Gap),
    /// It is written with this end.
    Written {
        end: &'static str,
        /// Whether something stood in what it is in.
        had_text: bool,
        is_preformatted: bool,
    },
    /// It is written so, within a table of columns.
    InColumns(&'static str),
    /// A table whose rows are paragraphs.
    Stack,
    /// What is in it nobody sees.
    Hidden,
    Link(Link),
}

/// A link that is open.
#[derive(Debug)]
struct Link {
    address: String,
    /// Whether a statement around it decides whether it is there.
    is_in_block: bool,
}

/// What stands between two pieces of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    Nothing,
    LineEnd,
    BlankLine,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each says where the writer is in another respect"
)]
pub(super) struct Writer<'m, 's> {
    marked: &'m Marked<'s>,
    outline: Outline,
    out: Written,
    /// The numbers of addresses.
    numbers: HashMap<String, usize>,
    /// What is written of the link that is open.
    link_text: String,
    open: OpenElements<Element>,
    gap: Gap,
    /// Something stands in the element that is written.
    has_text: bool,
    /// Text can follow in the same line.
    is_in_line: bool,
    /// White space is as it is.
    is_preformatted: bool,
    is_in_columns: bool,
    /// In the row a statement begins, so each cell may be the first or not.
    has_statement: bool,
    /// How many elements are open that nobody sees.
    hidden: usize,
    /// Statements in what nobody sees.
    unseen: Vec<(usize, TagKind)>,
    /// How many statements are open.
    depth: usize,
    /// How many elements are open that are written.
    nested: usize,
    /// There are more tags and words than signs.
    is_full: bool,
}

/// How many columns more than one a value takes, and a word that is kept whole.
const VALUE_WIDTH: usize = 7;
const WORD_WIDTH: usize = 39;

/// Lists and quotes that are deeper are not indented any more.
const MOST_NESTED: usize = 8;
/// A word of ASCII that is longer is kept whole, as addresses are.
const LONGEST_WORD: usize = 60;

impl<'m, 's> Writer<'m, 's> {
    pub fn new(marked: &'m Marked<'s>, outline: Outline) -> Self {
        Self {
            marked,
            outline,
            out: Written::default(),
            numbers: HashMap::new(),
            link_text: String::new(),
            open: OpenElements::new(),
            gap: Gap::Nothing,
            has_text: false,
            is_in_line: false,
            is_preformatted: false,
            is_in_columns: false,
            has_statement: false,
            hidden: 0,
            unseen: Vec::new(),
            depth: 0,
            nested: 0,
            is_full: false,
        }
    }

    pub fn write(mut self, tokens: Vec<Token<usize>>) -> Result<Written, Refusal> {
        for (index, token) in tokens.into_iter().enumerate() {
            match token {
                Token::StartTag(tag) => self.start(index, &tag)?,
                Token::EndTag(tag) => self.close_to(self.open.left_by_end(&tag.name)),
                Token::String(text) => self.text(&String::from_utf8_lossy(&text))?,
                Token::Comment(text) => self.hide(&String::from_utf8_lossy(&text)),
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        self.close_to(0);
        self.show_statements();
        self.end_line();
        if self.is_full {
            Err(TOO_MANY)
        } else {
            Ok(self.out)
        }
    }

    fn start(&mut self, index: usize, tag: &StartTag<usize>) -> Result<(), Refusal> {
        let name = tag.name.as_slice();
        self.close_to(self.open.left_by_start(name));
        self.hide_attributes(tag)?;
        let is_hidden = self.hidden > 0 || is_hidden(tag);
        if is_void(name) {
            return if is_hidden { Ok(()) } else { self.void(tag) };
        }
        if is_hidden {
            self.hidden += 1;
            self.open.push(name, Element::Hidden);
            return Ok(());
        }
        let element = if self.is_in_columns {
            self.start_in_columns(tag)
        } else {
            self.start_element(index, tag)
        };
        self.open.push(name, element);
        Ok(())
    }

    fn start_element(&mut self, index: usize, tag: &StartTag<usize>) -> Element {
        match tag.name.as_slice() {
            b"a" => self.start_link(tag),
            b"ol" if !self.outline.without_numbers.contains(&index) => {
                self.start_written("<ol>", "</ol>", Gap::BlankLine)
            }
            b"ul" | b"ol" => self.start_written("<ul>", "</ul>", Gap::BlankLine),
            b"li" if self.is_in_list() => self.start_written("<li>", "</li>", Gap::Nothing),
            b"blockquote" => self.start_written("<blockquote>", "</blockquote>", Gap::BlankLine),
            b"h1" => self.start_written("<h1>", "</h1>", Gap::BlankLine),
            b"h2" => self.start_written("<h2>", "</h2>", Gap::BlankLine),
            b"h3" | b"h4" | b"h5" | b"h6" => self.start_written("<h3>", "</h3>", Gap::BlankLine),
            b"pre" | b"listing" | b"xmp" | b"plaintext" if !self.is_preformatted => {
                self.start_preformatted()
            }
            b"table" if self.outline.columns.contains(&index) => {
                self.is_in_columns = true;
                self.start_written("<table>", "</table>", Gap::BlankLine)
            }
            b"td" | b"th" => {
                self.start_cell();
                Element::Transparent
            }
            b"tr" => {
                self.has_statement = false;
                self.start_lines(if self.is_stacked() {
                    Gap::BlankLine
                } else {
                    Gap::LineEnd
                })
            }
            b"table" if self.outline.stacked.contains(&index) => {
                self.break_line(Gap::BlankLine);
                Element::Stack
            }
            b"p" | b"section" | b"article" | b"header" | b"footer" | b"table" | b"dl" | b"form" => {
                self.start_lines(Gap::BlankLine)
            }
            b"caption" | b"option" => self.start_lines(Gap::LineEnd),
            name if is_block(name) => self.start_lines(Gap::LineEnd),
            _ => Element::Transparent,
        }
    }

    /// Keeps a cell apart from what stands before it in the row.
    fn start_cell(&mut self) {
        if self.has_statement {
            self.begin_line();
        }
        if self.is_in_line {
            self.out.html.push_str("&nbsp;&nbsp;");
        }
    }

    /// An element of a table whose cells have text alone.
    fn start_in_columns(&mut self, tag: &StartTag<usize>) -> Element {
        let (start, end) = match tag.name.as_slice() {
            b"tr" => ("<tr>", "</tr>"),
            // A blank more between the columns.
            b"td" | b"th" => ("<td>", "&nbsp;</td>"),
            b"a" => return self.start_link(tag),
            _ => return Element::Transparent,
        };
        self.out.html.push_str(start);
        Element::InColumns(end)
    }

    fn void(&mut self, tag: &StartTag<usize>) -> Result<(), Refusal> {
        match tag.name.as_slice() {
            b"br" if self.is_preformatted => self.out.html.push('\n'),
            b"br" if self.is_in_columns => self.out.html.push(' '),
            b"br" if self.is_in_line => self.out.html.push_str("<br>"),
            b"br" => self.break_line(Gap::BlankLine),
            b"hr" => {
                self.break_line(Gap::BlankLine);
                self.text(&"-".repeat(40))?;
                self.break_line(Gap::BlankLine);
            }
            b"img" => {
                if let Some(alt) = tag.attributes.get(b"alt".as_slice()) {
                    self.text(&String::from_utf8_lossy(alt))?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn close_to(&mut self, left: usize) {
        while self.open.len() > left {
            let Some((name, element)) = self.open.pop() else {
                break;
            };
            match element {
                Element::Transparent => {}
                Element::Lines(gap) => self.break_line(gap),
                Element::Stack => self.break_line(Gap::BlankLine),
                Element::Written {
                    end,
                    had_text,
                    is_preformatted,
                } => {
                    self.is_in_columns &= *name != *b"table";
                    self.end_written(end, had_text, is_preformatted);
                }
                Element::InColumns(end) => self.out.html.push_str(end),
                Element::Hidden => self.hidden -= 1,
                Element::Link(link) => self.end_link(link),
            }
        }
    }

    fn start_lines(&mut self, gap: Gap) -> Element {
        self.break_line(gap);
        Element::Lines(gap)
    }

    fn start_written(&mut self, start: &str, end: &'static str, gap: Gap) -> Element {
        if self.nested >= MOST_NESTED && !self.is_in_columns {
            return self.start_lines(gap.max(Gap::LineEnd));
        }
        self.show_statements();
        self.break_line(gap);
        self.fill_gap();
        self.nested += 1;
        self.out.html.push_str(start);
        Element::Written {
            end,
            had_text: std::mem::replace(&mut self.has_text, false),
            is_preformatted: false,
        }
    }

    fn start_preformatted(&mut self) -> Element {
        let mut element = self.start_written("<pre>", "</pre>", Gap::BlankLine);
        if let Element::Written {
            is_preformatted, ..
        } = &mut element
        {
            *is_preformatted = true;
            self.is_preformatted = true;
        }
        element
    }

    fn end_written(&mut self, end: &'static str, had_text: bool, is_preformatted: bool) {
        self.show_statements();
        self.end_line();
        if is_preformatted {
            self.is_preformatted = false;
        }
        self.nested -= 1;
        self.out.html.push_str(end);
        self.has_text |= had_text;
        self.gap = if end == "</li>" {
            Gap::Nothing
        } else {
            Gap::BlankLine
        };
    }

    /// Whether the innermost table has rows of one cell.
    fn is_stacked(&self) -> bool {
        let of_table = |name: &[u8]| matches!(name, b"tbody" | b"thead" | b"tfoot");
        match self.open.last() {
            Some((name, Element::Transparent)) if of_table(name) => self.open.before_last(),
            last => last,
        }
        .is_some_and(|(_, element)| matches!(element, Element::Stack))
    }

    fn is_in_list(&self) -> bool {
        matches!(
            self.open.last(),
            Some((b"ul" | b"ol", Element::Written { .. }))
        )
    }

    /// Notes that a line ends here, and whether a blank one follows.
    fn break_line(&mut self, gap: Gap) {
        self.end_line();
        self.gap = self.gap.max(gap);
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.is_in_line) {
            self.out.html.push_str("</div>");
        }
    }

    fn begin_line(&mut self) {
        if !self.is_in_line {
            self.fill_gap();
            self.out.html.push_str("<div>");
            self.is_in_line = true;
        }
    }

    fn fill_gap(&mut self) {
        if std::mem::replace(&mut self.gap, Gap::Nothing) == Gap::BlankLine && self.has_text {
            self.out.html.push_str("<div>&nbsp;</div>");
        }
        self.has_text = true;
    }

    /// Text, and marks among it.
    fn text(&mut self, text: &str) -> Result<(), Refusal> {
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

    /// What stands between two blanks.
    fn word(&mut self, word: &str) -> Result<(), Refusal> {
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

    /// A word that stays whole.
    fn push_word(&mut self, word: &str, more: usize) {
        let number = self.marked.tag_count() + self.out.words.len();
        self.out.words.push(word.to_owned());
        self.push_sign(number, more);
    }

    /// A statement between lines.
    fn statement(&mut self, number: usize) {
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

    fn push_text(&mut self, text: &str) {
        self.link_text.push_str(text);
        self.push_signs(text);
    }

    /// Text with signs in the places of its marks.
    fn push_signs(&mut self, text: &str) {
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

    /// A sign, and what makes it so many columns wider.
    fn push_sign(&mut self, number: usize, more: usize) {
        if let Some(sign) = signs::sign(number) {
            self.out.html.push(sign);
            self.out
                .html
                .extend(std::iter::repeat_n(signs::FILLER, more));
        } else {
            self.is_full = true;
        }
    }

    /// What nobody sees. Its statements count even so: they may set what is written elsewhere.
    fn hide(&mut self, text: &str) {
        let statements = self.marked.kinds(text).filter(|(_, kind)| !kind.is_value());
        self.unseen.extend(statements);
    }

    /// Writes the statements of what nobody sees, unless they do nothing there.
    fn show_statements(&mut self) {
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

    /// The statements among the attributes of an element. Those in the address of a link are written with it.
    fn hide_attributes(&mut self, tag: &StartTag<usize>) -> Result<(), Refusal> {
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
    fn decides_address(&self, tag: &str) -> bool {
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

    /// A value that is HTML cannot be text.
    fn check_values(&self, text: &str) -> Result<(), Refusal> {
        let mut kinds = self.marked.kinds(text);
        match kinds.find(|(_, kind)| matches!(kind, TagKind::Value { is_html: true })) {
            None => Ok(()),
            Some((number, _)) => {
                let place = self.marked.place_of_tag(number);
                let detail = format!("In {place} a value is put in as HTML, {AS_HTML}");
                Err(Refusal::with_detail(Code::InvalidTemplate, detail))
            }
        }
    }

    fn refusal(&self, at: usize, what: &str) -> Refusal {
        let detail = format!("In {} {what}", self.marked.place(at));
        Refusal::with_detail(Code::InvalidTemplate, detail)
    }

    fn count_depth(&mut self, text: &str) {
        for (_, kind) in self.marked.kinds(text) {
            self.count(kind);
        }
    }

    fn count(&mut self, kind: TagKind) {
        match kind {
            TagKind::Opens => {
                self.depth += 1;
                self.has_statement = true;
            }
            TagKind::Closes => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn start_link(&mut self, tag: &StartTag<usize>) -> Element {
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

    /// Behind the text of a link its number, or its address where that stands in no list of the whole text.
    fn end_link(&mut self, link: Link) {
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

    fn push_address(&mut self, text: &str) {
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

const TOO_MANY: Refusal = Refusal::new(
    Code::TooLong,
    "The HTML has more than 130,000 placeholders, statements and long words, too many to make a text of: give `text`.",
);

const AS_HTML: &str =
    "and would be so in the text as well: let it be put in as text, or give `text`.";

const ATTRIBUTES: &str = "a statement decides which attributes a link has, so its address cannot stand in the text: write the \
                          statement within the value of `href`, or give `text`.";

const UNPAIRED: &str = "a statement begins or ends among the attributes of an element and not within them, so the text cannot \
                        be made of it: give `text`.";

/// Whether nobody sees what is in an element.
fn is_hidden(tag: &StartTag<usize>) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"head",
        b"title",
        b"style",
        b"script",
        b"template",
        b"svg",
        b"math",
        b"object",
        b"audio",
        b"video",
        b"iframe",
    ];
    let style = tag.attributes.get(b"style".as_slice());
    let is_in_style = style.is_some_and(|style| {
        let style: Vec<u8> = style
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(u8::to_ascii_lowercase)
            .collect();
        style
            .split(|byte| *byte == b';')
            .any(|one| one.starts_with(b"display:none"))
    });
    NAMES.contains(&tag.name.as_slice())
        || tag.attributes.contains_key(b"hidden".as_slice())
        || is_in_style
}
