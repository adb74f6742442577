//! What a style sheet may hold, and how much work it is.

use super::super::marks::{Marked, Piece};
use crate::problem::{Code, Refusal};
use crate::template::{Place, TagKind};
use crate::text::starts_with_ignoring_case;
use std::collections::HashSet;

/// The amount of work in style sheets, overestimated rather than underestimated.
#[derive(Debug, Default)]
pub(super) struct Size {
    pub selectors: usize,
    pub declarations: usize,
    /// Combinators that compare an element with all of its siblings.
    pub siblings: usize,
    /// A rule has several values for a property; programs use the last one that they understand.
    pub has_alternatives: bool,
    properties: HashSet<Box<str>>,
}

/// The maximum number of selectors and declarations of all sheets.
const MOST: usize = 20_000;
/// The maximum number of property names; each element may have all of them.
const MOST_PROPERTIES: usize = 300;
/// The maximum nesting of brackets; the parser of selectors recurses into each.
const DEEPEST: usize = 32;

const TOO_DEEP: Refusal = Refusal::new(
    Code::InvalidContent,
    "A style sheet has brackets nested more than 32 deep and cannot be inlined into `style` attributes.",
);

impl Size {
    pub fn add(&mut self, css: &str) -> Result<(), Refusal> {
        let mut depth = 0_usize;
        let mut name_start = None;
        // The properties of the rule, if they are not too many to be of one.
        let mut of_rule = Vec::new();
        for (at, byte) in css.bytes().enumerate() {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(TOO_DEEP);
            }
            match byte {
                b'{' => {
                    self.selectors += 1;
                    self.declarations += 1;
                    name_start = Some(at + 1);
                    of_rule.clear();
                }
                b',' => self.selectors += 1,
                b';' => {
                    self.declarations += 1;
                    name_start = Some(at + 1);
                }
                b'~' => self.siblings += 1,
                b':' => {
                    self.siblings += usize::from(is_has(&css[at..]));
                    if let Some(start) = name_start.take()
                        && self.properties.len() <= MOST_PROPERTIES
                    {
                        let name: Box<str> = css[start..at].trim().to_ascii_lowercase().into();
                        self.has_alternatives |= of_rule.contains(&name);
                        if of_rule.len() < MOST_PROPERTIES {
                            of_rule.push(name.clone());
                        }
                        self.properties.insert(name);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub fn is_too_large(&self) -> bool {
        self.selectors > MOST || self.declarations > MOST || self.properties.len() > MOST_PROPERTIES
    }
}

/// Whether everything in an element, or after it, is searched.
fn is_has(css: &str) -> bool {
    starts_with_ignoring_case(css, ":has(")
}

/// The style sheet without template comments. Refuses statements, and placeholders outside of declarations and of what
/// stays.
pub(super) fn plain(css: &str, marked: &Marked<'_>) -> Result<String, Refusal> {
    let mut out = String::with_capacity(css.len());
    let mut depth = 0_usize;
    // The rule, outside of all blocks, begins with `@`.
    let mut is_at_rule = false;
    let mut is_begun = false;
    for piece in marked.pieces(css) {
        match piece {
            Piece::Mark(number) => {
                match marked.tag(number).map(|tag| tag.kind) {
                    Some(TagKind::Value { .. }) | None => {}
                    Some(TagKind::Silent) => continue,
                    Some(_) => return Err(refusal(marked.place_of_tag(number), STATEMENT)),
                }
                out.push_str(&marked.mark(number));
                if depth == 0 && !is_at_rule {
                    return Err(refusal(marked.place_of_tag(number), BETWEEN_RULES));
                }
            }
            Piece::Text(text) => {
                out.push_str(text);
                for byte in text.bytes() {
                    match byte {
                        b'{' => depth += 1,
                        b'}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth == 0 && matches!(byte, b'}' | b';') {
                        (is_at_rule, is_begun) = (false, false);
                    } else if !byte.is_ascii_whitespace() && !is_begun {
                        (is_at_rule, is_begun) = (byte == b'@', true);
                    }
                }
            }
        }
    }
    Ok(out)
}

pub(super) fn refusal(place: Place, what: &str) -> Refusal {
    Refusal::with_detail(Code::InvalidTemplate, format!("In {place} {what}"))
}

pub(super) const WITHIN_STATEMENT: &str = "a style sheet starts inside a statement, so not every \
                                           recipient gets it: give it `data-css-inline=\"ignore\"`, \
                                           which leaves it in place.";

const STATEMENT: &str = "a style sheet contains a statement, so its rules are not the same for every recipient: move the statement \
                         into a separate sheet with `data-css-inline=\"ignore\"`, which is left in place.";

const BETWEEN_RULES: &str = "a style sheet contains a placeholder outside of a declaration, so it is unknown what the rule applies \
                             to: move the rule into a separate sheet with `data-css-inline=\"ignore\"`, which is left in place.";
