//! Writes HTML with few elements, which is laid out as the text should be.

mod links;
mod words;

use super::super::elements::{OpenElements, is_block, is_void};
use super::super::marks::Marked;
use super::outline::Outline;
use crate::problem::{Code, Refusal};
use crate::template::TagKind;
use html5gum::{StartTag, Token};
use std::collections::HashMap;

/// What is to be laid out, and what belongs to it.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub html: String,
    /// The words that must not be split; their signs have the numbers after those of the tags.
    pub words: Vec<String>,
    /// The addresses of links, with marks.
    pub links: Vec<String>,
}

/// How an open element is treated.
#[derive(Debug)]
enum Element {
    /// Its content is written as if it were not there.
    Transparent,
    /// It starts a new line, and so does what follows it.
    Lines(Gap),
    /// It is written, with this end tag.
    Written {
        end: &'static str,
        /// Whether its parent already had text.
        had_text: bool,
        is_preformatted: bool,
    },
    /// It is written like this, within a table with columns.
    InColumns(&'static str),
    /// A table whose rows are paragraphs.
    Stack,
    /// Its content is invisible.
    Hidden,
    Link(Link),
}

/// An open link.
#[derive(Debug)]
struct Link {
    address: String,
    /// Whether it is within a statement that decides whether it exists.
    is_in_block: bool,
}

/// What is between two pieces of text.
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
    /// The text of the open link so far.
    link_text: String,
    open: OpenElements<Element>,
    gap: Gap,
    /// The element that is being written has text.
    has_text: bool,
    /// Text can follow on the same line.
    is_in_line: bool,
    /// White space is preserved.
    is_preformatted: bool,
    is_in_columns: bool,
    /// A statement starts in the row, so any cell may or may not be the first.
    has_statement: bool,
    /// The number of open invisible elements.
    hidden: usize,
    /// Statements in invisible content.
    unseen: Vec<(usize, TagKind)>,
    /// The number of open statements.
    depth: usize,
    /// The number of open elements that are written.
    nested: usize,
    /// There are more tags and words than signs.
    is_full: bool,
}

/// How many columns more than one a value takes, and a word that is kept whole.
const VALUE_WIDTH: usize = 7;
const WORD_WIDTH: usize = 39;

/// Deeper lists and quotes are not indented further.
const MOST_NESTED: usize = 8;
/// A longer word of ASCII is kept whole, as addresses are.
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

    /// Separates a cell from what precedes it in the row.
    fn start_cell(&mut self) {
        if self.has_statement {
            self.begin_line();
        }
        if self.is_in_line {
            self.out.html.push_str("&nbsp;&nbsp;");
        }
    }

    /// Starts an element of a table whose cells contain only text.
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

    /// Whether the innermost table has one cell per row.
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

    /// Records that a line ends here, and whether a blank one follows.
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
}

const TOO_MANY: Refusal = Refusal::new(
    Code::TooLong,
    "The HTML has more than 130,000 placeholders, statements and long words, too many to make a text from: give `text`.",
);

const AS_HTML: &str = "which would also appear in the text: insert it as text, or give `text`.";

const ATTRIBUTES: &str = "a statement decides which attributes a link has, so the link cannot be written in the text: move the \
                          statement inside the value of `href`, or give `text`.";

const UNPAIRED: &str = "a statement starts or ends between the attributes of an element and not inside a value, so no text can be \
                        made from it: give `text`.";

/// Whether the content of an element is invisible.
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
