//! Checks of MJML before it is parsed.

use super::super::marks::Marked;
use super::{NO_ROOT, refusal, unread};
use crate::problem::{Code, Refusal};
use crate::template::TagKind;
use crate::text::nearest;
use htmlparser::{ElementEnd, StrSpan, Token, Tokenizer};

pub(super) struct Outline {
    /// For each tag, whether a placeholder may be missing from the HTML: in a comment, or in a value that no element
    /// may use.
    pub may_be_missing: Vec<bool>,
}

/// The known elements.
const ELEMENTS: [&str; 33] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
];

/// mrml recurses into each.
const DEEPEST: usize = 100;
/// A limit on inherited attributes in all elements.
const MOST_INHERITED: usize = 64 << 20;
/// Each generates rules for every other one.
const MOST_CAROUSEL_IMAGES: usize = 200;

const UNREADABLE_TEXT: &str = "write the first `>` of this text as `&gt;`.";
const TOO_MUCH: Refusal = Refusal::new(
    Code::TooLong,
    "This MJML has more than 200 `mj-carousel-image` elements, or its attributes add up to more than 64 MiB over all elements that \
     inherit them.",
);

struct Reader<'m> {
    marked: &'m Marked<'m>,
    /// The names of the open elements.
    open: Vec<&'m str>,
    /// The element whose attributes are being read.
    element: Option<StrSpan<'m>>,
    may_be_missing: Vec<bool>,
    elements: usize,
    carousel_images: usize,
    /// The size of attributes that other elements may inherit: of all defaults, and the maximum of one element.
    defaults: usize,
    attributes: usize,
    most_attributes: usize,
}

impl Outline {
    pub fn read(marked: &Marked<'_>) -> Result<Self, Refusal> {
        let mut reader = Reader {
            marked,
            open: Vec::new(),
            element: None,
            may_be_missing: vec![false; marked.tag_count()],
            elements: 0,
            carousel_images: 0,
            defaults: 0,
            attributes: 0,
            most_attributes: 0,
        };
        let mut tokens = Tokenizer::from(marked.text.as_str());
        let mut is_in_tag = false;
        loop {
            let ahead = tokens.stream().slice_tail();
            if is_broken_condition(&ahead) {
                return Err(reader.refusal(ahead, BROKEN_CONDITION));
            }
            if !is_in_tag && is_unreadable_text(&ahead) {
                return Err(reader.refusal(ahead, UNREADABLE_TEXT));
            }
            let Some(token) = tokens.next() else { break };
            let token = token.map_err(|error| unread(error.pos(), marked))?;
            is_in_tag = matches!(token, Token::ElementStart { .. } | Token::Attribute { .. });
            reader.take(&token)?;
        }
        let inherited = reader.defaults.saturating_add(reader.most_attributes);
        if inherited.saturating_mul(reader.elements) > MOST_INHERITED
            || reader.carousel_images > MOST_CAROUSEL_IMAGES
        {
            return Err(TOO_MUCH);
        }
        if reader.elements == 0 {
            return Err(NO_ROOT);
        }
        Ok(Self {
            may_be_missing: reader.may_be_missing,
        })
    }
}

/// Whether a malformed conditional comment follows. htmlparser, which mrml uses too, panics there.
fn is_broken_condition(text: &str) -> bool {
    const ENDIF: &str = "<![endif";
    const STARTS: [&str; 4] = ["<!--[if", "<![if", "<!--<![endif", ENDIF];

    let text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    let Some(start) = STARTS.into_iter().find(|start| text.starts_with(start)) else {
        return false;
    };
    let Some((condition, behind)) = text[start.len()..].split_once(']') else {
        return true;
    };
    let is_closed = behind.starts_with('>') || behind.starts_with("-->");
    !is_closed || start == ENDIF && !condition.is_empty()
}

/// Whether a text with a `>` shortly after a letter beyond ASCII follows. htmlparser looks for `]]>` two bytes before
/// the first `>`, and panics if that is in the middle of a letter.
fn is_unreadable_text(text: &str) -> bool {
    let text = text.split('<').next().unwrap_or(text);
    let position = text.find('>');
    position.is_some_and(|position| !text.is_char_boundary(position.saturating_sub(2)))
}

impl<'m> Reader<'m> {
    fn take(&mut self, token: &Token<'m>) -> Result<(), Refusal> {
        match token {
            Token::ElementStart {
                prefix,
                local,
                span,
            } => self.start(*prefix, *local, *span),
            Token::Attribute {
                local, value, span, ..
            } => {
                if self.has_marks(local) {
                    return Err(self.refusal(*span, IN_TAG));
                }
                if let Some(value) = value {
                    self.attributes += value.len();
                    if self.open.contains(&"mj-attributes") {
                        self.defaults += span.len();
                        self.allow_missing(value);
                    }
                }
                Ok(())
            }
            Token::ElementEnd { end, span } => self.end(end, *span),
            Token::Comment { text, .. } => {
                self.allow_missing(text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn start(
        &mut self,
        prefix: StrSpan<'m>,
        local: StrSpan<'m>,
        span: StrSpan<'m>,
    ) -> Result<(), Refusal> {
        let name = local.as_str();
        if self.has_marks(&local) || self.has_marks(&prefix) {
            return Err(self.refusal(span, IN_TAG));
        }
        let is_known = ELEMENTS.contains(&name) || !name.starts_with("mj-");
        if !is_known {
            let meant = nearest(ELEMENTS.into_iter(), name);
            let meant = meant.map_or_else(String::new, |meant| format!(" Did you mean `{meant}`?"));
            return Err(self.refusal(span, &format!("MJML has no such element.{meant}")));
        }
        self.elements += 1;
        self.carousel_images += usize::from(name == "mj-carousel-image");
        self.attributes = 0;
        self.element = Some(local);
        Ok(())
    }

    fn end(&mut self, end: &ElementEnd<'m>, span: StrSpan<'m>) -> Result<(), Refusal> {
        match end {
            ElementEnd::Open => {
                let Some(element) = self.take_element() else {
                    return Ok(());
                };
                if super::super::elements::is_void(element.as_str().as_bytes()) {
                    return Ok(());
                }
                if self.open.len() >= DEEPEST {
                    return Err(self.refusal(element, "elements are nested more than 100 deep."));
                }
                self.open.push(element.as_str());
            }
            ElementEnd::Empty => drop(self.take_element()),
            ElementEnd::Close(_, name) => {
                if self.open.pop() != Some(name.as_str()) {
                    return Err(self.refusal(span, "an end tag does not match the open element."));
                }
            }
        }
        Ok(())
    }

    fn take_element(&mut self) -> Option<StrSpan<'m>> {
        // What an element holds may take over attributes of these.
        const PARENTS: [&str; 13] = [
            "mj-social",
            "mj-navbar",
            "mj-accordion",
            "mj-accordion-element",
            "mj-carousel",
            "mj-hero",
            "mj-wrapper",
            "mj-section",
            "mj-group",
            "mj-column",
            "mj-body",
            "mjml",
            "mj-table",
        ];
        let element = self.element.take()?;
        if PARENTS.contains(&element.as_str()) {
            self.most_attributes = self.most_attributes.max(self.attributes);
        }
        Some(element)
    }

    fn has_marks(&self, name: &StrSpan<'m>) -> bool {
        self.marked.kinds(name.as_str()).next().is_some()
    }

    /// Placeholders may be missing from there; statements must not.
    fn allow_missing(&mut self, text: &StrSpan<'m>) {
        let marked = self.marked;
        for (number, kind) in marked.kinds(text.as_str()) {
            if matches!(kind, TagKind::Value { .. } | TagKind::Silent) {
                self.may_be_missing[number] = true;
            }
        }
    }

    fn refusal(&self, span: StrSpan<'_>, what: &str) -> Refusal {
        refusal(self.marked.place(span.start()), what)
    }
}

const BROKEN_CONDITION: &str =
    "a conditional comment does not have the form `<!--[if mso]>` … `<![endif]-->`.";

const IN_TAG: &str = "there is a placeholder or a statement in a tag, outside of an attribute value, which MJML does not \
                      allow.";
