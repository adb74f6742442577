//! The tags of the HTML, well nested, and the style sheets that apply to them.

use super::super::elements::{DEEPEST, OpenElements, is_void};
use super::super::marks::Marked;
use super::declarations::{self, without_statements};
use super::sheets::{self, Size};
use crate::problem::{Code, Refusal};
use crate::template::{Tag, TagKind, push_escaped};
use html5gum::emitters::default::DefaultEmitter;
use html5gum::{StartTag, Token, Tokenizer};
use std::ops::Range;

pub(super) struct Outline<'m> {
    /// What css-inline gets.
    pub html: String,
    pub elements: Vec<StyledElement>,
    pub sheets: Vec<Sheet>,
    /// Rules are needed as they are: by elements that get no attribute, and by programs that read comments or do not
    /// understand the last of several values of a property.
    pub has_others: bool,
    /// The attribute with the number of an element or a sheet.
    pub attribute: String,
    open: OpenElements<()>,
    deepest: usize,
    size: Size,
    marked: &'m Marked<'m>,
    tags: &'m [Tag],
    /// How many tags were passed, and how many statements are open.
    passed: usize,
    depth: usize,
}

/// An element; positions refer to the text with marks.
pub(super) struct StyledElement {
    pub number: usize,
    pub start: usize,
    /// End of its name.
    pub name_end: usize,
    pub style: Option<StyleAttribute>,
    /// Placeholders or statements decide which attributes it has.
    pub has_unknown_attributes: bool,
}

/// A `style` attribute.
pub(super) struct StyleAttribute {
    /// The complete attribute.
    pub range: Range<usize>,
    /// Its value, without the quotes.
    value: Range<usize>,
    quote: Option<u8>,
}

impl StyleAttribute {
    pub fn value<'t>(&self, text: &'t str) -> &'t str {
        &text[self.value.clone()]
    }

    /// The attribute with further declarations before its own, which take precedence.
    pub fn with(&self, declarations: &str, text: &str) -> String {
        let own = self.value(text);
        let between = if own.trim().is_empty() { "" } else { "; " };
        let quote = self.quote.unwrap_or(b'"');
        let declarations = declarations::escaped(declarations, quote);
        let sign = char::from(quote);
        let name = &text[self.range.start..self.range.start + b"style".len()];
        format!("{name}={sign}{declarations}{between}{own}{sign}")
    }
}

/// A `style` element.
pub(super) struct Sheet {
    pub number: usize,
    pub whole: Range<usize>,
    pub content: Range<usize>,
}

/// A limit on the comparisons of selectors with elements.
const MOST_STEPS: usize = 400_000_000;
/// A limit on the declarations that all elements can get.
const MOST_DECLARATIONS: usize = 10_000_000;

impl<'m> Outline<'m> {
    pub fn of(marked: &'m Marked<'m>, tags: &'m [Tag]) -> Result<Self, Refusal> {
        let mut outline = Self {
            html: String::from("<!DOCTYPE html>"),
            elements: Vec::new(),
            sheets: Vec::new(),
            has_others: false,
            attribute: format!("data-{}", marked.prefix()),
            open: OpenElements::new(),
            deepest: 0,
            size: Size::default(),
            marked,
            tags,
            passed: 0,
            depth: 0,
        };
        let mut emitter = DefaultEmitter::new_with_span();
        emitter.naively_switch_states(true);
        // A style element that is open, and where its content begins.
        let mut sheet = None;
        for token in Tokenizer::new_with_emitter(marked.text.as_bytes(), emitter) {
            let Ok(token) = token;
            match token {
                Token::StartTag(tag) if is_sheet(&tag) => {
                    sheet = Some((tag.span.start, tag.span.end));
                }
                Token::StartTag(tag) => outline.start(&tag)?,
                Token::EndTag(tag) if tag.name.as_slice() == b"style" => {
                    if let Some((start, content)) = sheet.take() {
                        outline.sheet(start..tag.span.end, content..tag.span.start)?;
                    }
                }
                Token::EndTag(tag) => outline.close_to(outline.open.left_by_end(&tag.name)),
                Token::String(text) if sheet.is_none() => outline.text(&text),
                // Outlook reads them.
                Token::Comment(text) => {
                    outline.has_others |=
                        memchr::memmem::find(&text, b"[if").is_some() && text.contains(&b'<');
                }
                _ => {}
            }
        }
        if let Some((start, content)) = sheet {
            let end = marked.text.len();
            outline.sheet(start..end, content..end)?;
        }
        outline.close_to(0);
        outline.has_others |= outline.size.has_alternatives;
        Ok(outline)
    }

    /// Refuses work beyond a bound that no mail comes close to.
    pub fn check_work(&self) -> Result<(), Refusal> {
        let elements = self.elements.len();
        let steps = elements
            .saturating_mul(self.size.selectors)
            .saturating_mul(self.deepest.max(1))
            .saturating_add(
                elements
                    .saturating_mul(elements)
                    .saturating_mul(self.size.siblings),
            );
        let declarations = elements.saturating_mul(self.size.declarations);
        if steps > MOST_STEPS || declarations > MOST_DECLARATIONS || self.size.is_too_large() {
            return Err(TOO_MUCH);
        }
        Ok(())
    }

    fn start(&mut self, tag: &StartTag<usize>) -> Result<(), Refusal> {
        // What is in these is no HTML.
        const LEFT_OUT: [&[u8]; 11] = [
            b"title",
            b"script",
            b"textarea",
            b"iframe",
            b"noembed",
            b"noframes",
            b"noscript",
            b"xmp",
            b"plaintext",
            b"style",
            b"frameset",
        ];
        let name = tag.name.as_slice();
        if LEFT_OUT.contains(&name) {
            self.has_others |= !matches!(name, b"title" | b"script" | b"style");
            return Ok(());
        }
        self.has_others |= tag.attributes.contains_key(b"data-css-inline".as_slice());
        self.close_to(self.open.left_by_start(name));
        if self.open.len() >= DEEPEST {
            let detail = format!("In {} {TOO_DEEP}", self.marked.place(tag.span.start));
            return Err(Refusal::with_detail(Code::InvalidContent, detail));
        }
        let number = self.elements.len();
        let name_end = tag.span.start + 1 + name.len();
        self.write_tag(tag, number);
        let is_unknown = |name: &[u8]| {
            let name = String::from_utf8_lossy(name);
            self.marked.kinds(&name).next().is_some()
        };
        let has_unknown_attributes = tag.attributes.keys().any(|name| is_unknown(name));
        let style = tag.attributes.get(b"style".as_slice());
        let style = style
            .and_then(|style| style_attribute(&self.marked.text, style.span.start..style.span.end));
        self.elements.push(StyledElement {
            number,
            start: tag.span.start,
            name_end,
            style,
            has_unknown_attributes,
        });
        if is_void(name) {
            return Ok(());
        }
        if tag.self_closing && (matches!(name, b"svg" | b"math") || self.is_foreign()) {
            self.write_end(name);
            return Ok(());
        }
        self.open.push(name, ());
        self.deepest = self.deepest.max(self.open.len());
        Ok(())
    }

    fn is_foreign(&self) -> bool {
        self.open.contains(&[b"svg", b"math"])
    }

    fn write_tag(&mut self, tag: &StartTag<usize>, number: usize) {
        self.html.push('<');
        self.html.push_str(&String::from_utf8_lossy(&tag.name));
        let number = number.to_string();
        self.html
            .extend([" ", &self.attribute, "=\"", &number, "\""]);
        for (name, value) in &tag.attributes {
            let name = String::from_utf8_lossy(name);
            if name == "style" || self.marked.kinds(&name).next().is_some() {
                continue;
            }
            let value = String::from_utf8_lossy(value);
            let value = without_statements(&value, self.marked);
            self.html.extend([" ", &*name, "=\""]);
            push_escaped(&mut self.html, &value);
            self.html.push('"');
        }
        self.html.push('>');
    }

    fn write_end(&mut self, name: &[u8]) {
        self.html.push_str("</");
        self.html.push_str(&String::from_utf8_lossy(name));
        self.html.push('>');
    }

    fn close_to(&mut self, left: usize) {
        while self.open.len() > left {
            if let Some((name, ())) = self.open.pop() {
                self.write_end(&name);
            }
        }
    }

    /// Records that there is text, which matters for `:empty`. Not where a parser would move it.
    fn text(&mut self, text: &[u8]) {
        const ELSEWHERE: [&[u8]; 8] = [
            b"html",
            b"head",
            b"table",
            b"tbody",
            b"thead",
            b"tfoot",
            b"tr",
            b"colgroup",
        ];
        if text.trim_ascii().is_empty() {
            // Some white space is something, and no parser moves it.
            self.html.push(' ');
            return;
        }
        if let Some((name, ())) = self.open.last()
            && !ELSEWHERE.contains(&name)
        {
            self.html.push('x');
        }
    }

    fn sheet(&mut self, whole: Range<usize>, content: Range<usize>) -> Result<(), Refusal> {
        let offset = self.marked.offset(whole.start);
        while let Some(tag) = self
            .tags
            .get(self.passed)
            .filter(|tag| tag.range.end <= offset)
        {
            match tag.kind {
                TagKind::Opens => self.depth += 1,
                TagKind::Closes => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.passed += 1;
        }
        if self.depth > 0 {
            let place = self.marked.place(whole.start);
            return Err(sheets::refusal(place, sheets::WITHIN_STATEMENT));
        }
        let css = sheets::plain(&self.marked.text[content.clone()], self.marked)?;
        self.size.add(&css)?;
        let number = self.sheets.len();
        let attribute = &self.attribute;
        let text = number.to_string();
        self.html
            .extend(["<style ", attribute, "=\"", &text, "\">", &css, "</style>"]);
        self.sheets.push(Sheet {
            number,
            whole,
            content,
        });
        Ok(())
    }
}

const TOO_DEEP: &str = "elements are nested more than 250 deep, which is too deep to inline style sheets into `style` \
                        attributes.";

const TOO_MUCH: Refusal = Refusal::new(
    Code::InvalidContent,
    "There are too many style rules and elements to inline the style sheets into `style` attributes.",
);

/// Whether a tag starts a sheet that is moved into attributes: not one for other media, or one that must stay.
fn is_sheet(tag: &StartTag<usize>) -> bool {
    let attribute = |name: &[u8]| {
        let value = tag.attributes.get(name)?;
        Some(String::from_utf8_lossy(value).trim().to_ascii_lowercase())
    };
    let media = attribute(b"media").unwrap_or_default();
    let of_type = attribute(b"type").unwrap_or_default();
    tag.name.as_slice() == b"style"
        && matches!(media.as_str(), "" | "all" | "screen")
        && matches!(of_type.as_str(), "" | "text/css")
        && !tag.attributes.contains_key(b"data-embed".as_slice())
        && !matches!(
            attribute(b"data-css-inline").as_deref(),
            Some("ignore" | "keep")
        )
}

/// Position of the value of the attribute in this range.
fn style_attribute(text: &str, range: Range<usize>) -> Option<StyleAttribute> {
    let whole = text.get(range.clone())?;
    let name = b"style".len();
    let behind = whole.get(name..)?;
    let blanks = behind.len() - behind.trim_ascii_start().len();
    let Some(value) = behind.trim_ascii_start().strip_prefix('=') else {
        let end = range.start + name;
        return Some(StyleAttribute {
            range: range.start..end,
            value: end..end,
            quote: None,
        });
    };
    let more = value.len() - value.trim_ascii_start().len();
    let start = range.start + name + blanks + 1 + more;
    let value = value.trim_ascii_start();
    let quote = value
        .bytes()
        .next()
        .filter(|sign| matches!(sign, b'"' | b'\''));
    let (value, end) = if let Some(quote) = quote {
        let length = value[1..].find(char::from(quote))?;
        (start + 1..start + 1 + length, start + length + 2)
    } else {
        let length = value.find(|c: char| c.is_ascii_whitespace() || c == '>');
        let end = start + length.unwrap_or(value.len());
        (start..end, end)
    };
    Some(StyleAttribute {
        range: range.start..end,
        value,
        quote,
    })
}
