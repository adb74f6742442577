//! Moves style sheets into the `style` attributes of the elements that they apply to.
//!
//! The crate css-inline matches selectors and resolves the cascade. It gets an outline of the HTML: only the tags, well
//! nested, each with a number. From its output only the styles are taken and put into the HTML, of which nothing else
//! changes: comments, white space and placeholders stay where and as they are.
//!
//! ```text
//! <table>{% for i in items %}<tr class="a">…          the HTML
//! <table n="0"><tr class="a" n="1"></tr></table>      the outline
//! <tr class="a" n="1" style="color: red">             what css-inline makes of it
//! <table>{% for i in items %}<tr style="color: red" class="a">…
//! ```

mod declarations;
mod outline;
mod sheets;
mod styles;

use super::marks::Marked;
use super::{Source, on_own_stack};
use crate::problem::{Code, Refusal};
use css_inline::CSSInliner;
use outline::{Outline, Sheet, StyledElement};
use std::io::{self, Write};
use styles::Styles;

/// The maximum size of the styles of all elements, and of the HTML.
const MOST_BYTES: usize = 64 << 20;

const TOO_LARGE: Refusal = Refusal::new(
    Code::TooLong,
    "The HTML would be larger than 64 MiB with its style sheets inlined into `style` attributes.",
);

const NOT_READ: Refusal = Refusal::new(
    Code::InvalidContent,
    "The style sheets of this HTML cannot be inlined into `style` attributes.",
);

/// The HTML with its style sheets in `style` attributes. What an attribute cannot express, such as media queries and
/// `:hover`, stays in its sheet. Whole sheets stay if something else may need them, for example what values insert into
/// a template. An error says what is wrong, and where if that is known.
pub(crate) fn inline_css(source: Source<'_>) -> Result<String, Refusal> {
    let marked = Marked::new(source, true)?;
    let outline = Outline::of(&marked, source.tags)?;
    if outline.sheets.is_empty() {
        return Ok(source.text.to_owned());
    }
    outline.check_work()?;
    let keeps_sheets = !source.tags.is_empty() || outline.has_others;
    let inlined = on_own_stack(|| inlined(&outline.html, keeps_sheets))??;
    let styles = Styles::read(&inlined, &outline);
    let keeps_sheets = keeps_sheets || styles.has_others;
    let edits = edits(&marked, &outline, &styles, keeps_sheets)?;
    let html = marked.put_back(&edited(&marked.text, edits)?);
    if html.len() > MOST_BYTES {
        Err(TOO_LARGE)
    } else {
        Ok(html)
    }
}

/// What css-inline makes of an outline.
fn inlined(outline: &str, keeps_sheets: bool) -> Result<Vec<u8>, Refusal> {
    let inliner = CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_style_tags(true)
        .keep_link_tags(true)
        .keep_at_rules(true)
        .remove_inlined_selectors(!keeps_sheets)
        .build();
    let mut out = Bounded {
        bytes: Vec::with_capacity(outline.len() * 2),
        is_full: false,
    };
    match inliner.inline_to(outline, &mut out) {
        Ok(()) => Ok(out.bytes),
        Err(_) if out.is_full => Err(TOO_LARGE),
        Err(_) => Err(NOT_READ),
    }
}

/// The replacement of a range of the text.
struct Edit {
    at: std::ops::Range<usize>,
    text: String,
}

fn edits(
    marked: &Marked<'_>,
    outline: &Outline<'_>,
    styles: &Styles,
    keeps_sheets: bool,
) -> Result<Vec<Edit>, Refusal> {
    let mut edits = Vec::new();
    for element in &outline.elements {
        let Some(style) = styles.of(element.number) else {
            continue;
        };
        edits.extend(edit_of(marked, element, style)?);
    }
    if !keeps_sheets {
        for sheet in &outline.sheets {
            edits.extend(edit_of_sheet(sheet, styles));
        }
    }
    edits.sort_by_key(|edit| edit.at.start);
    Ok(edits)
}

fn edit_of(
    marked: &Marked<'_>,
    element: &StyledElement,
    style: &str,
) -> Result<Option<Edit>, Refusal> {
    let existing = element
        .style
        .as_ref()
        .map(|style| style.value(&marked.text));
    let declarations = declarations::of_sheets(style, existing, marked);
    if declarations.is_empty() {
        return Ok(None);
    }
    if element.has_unknown_attributes {
        let place = marked.place(element.start);
        let detail = format!("In {place} {UNKNOWN_ATTRIBUTES}");
        return Err(Refusal::with_detail(Code::InvalidTemplate, detail));
    }
    Ok(Some(match &element.style {
        None => Edit {
            at: element.name_end..element.name_end,
            text: format!(" style=\"{}\"", declarations::escaped(&declarations, b'"')),
        },
        Some(style) => Edit {
            at: style.range.clone(),
            text: style.with(&declarations, &marked.text),
        },
    }))
}

const UNKNOWN_ATTRIBUTES: &str = "the template decides which attributes an element has, and a style \
                                  sheet applies to that element: use the template only inside \
                                  attribute values, or give the element `data-css-inline=\"ignore\"`.";

/// What is left of a sheet; if nothing is, its tags are removed as well.
fn edit_of_sheet(sheet: &Sheet, styles: &Styles) -> Option<Edit> {
    let left = styles.of_sheet(sheet.number)?.trim();
    Some(if left.is_empty() {
        Edit {
            at: sheet.whole.clone(),
            text: String::new(),
        }
    } else {
        Edit {
            at: sheet.content.clone(),
            text: format!("\n{left}\n"),
        }
    })
}

fn edited(text: &str, edits: Vec<Edit>) -> Result<String, Refusal> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for edit in edits {
        out.push_str(&text[at..edit.at.start]);
        out.push_str(&edit.text);
        at = edit.at.end;
        if out.len() > MOST_BYTES {
            return Err(TOO_LARGE);
        }
    }
    out.push_str(&text[at..]);
    Ok(out)
}

/// Accepts only this many bytes.
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MOST_BYTES {
            self.is_full = true;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
