//! HTML from MJML, with the crate mrml.
//!
//! Its tokens are examined first: mrml recurses into nested elements, accepts any end tag for any element, and does not
//! touch MJML elements that it does not know.

mod outline;

use super::blocks::Pairs;
use super::marks::{Marked, Piece};
use super::{Source, on_own_stack};
use crate::problem::{Code, Refusal};
use crate::template::Place;
use htmlparser::TextPos;
use mrml::prelude::parser::{Error, Span, WarningKind};
use mrml::prelude::render::RenderOptions;
use outline::Outline;

/// The maximum size of the HTML.
const MOST_BYTES: usize = 64 << 20;

const TOO_LARGE: Refusal = Refusal::new(
    Code::TooLong,
    "The HTML made from this MJML would be larger than 64 MiB.",
);

const NO_ROOT: Refusal = Refusal::new(
    Code::InvalidContent,
    "This is not MJML, which must start with `<mjml>` and end with `</mjml>`.",
);

/// The HTML of MJML; a template if the MJML is one. With `inlines_css`, the style sheets that MJML marks for it are
/// moved into `style` attributes. An error says what is wrong and where.
pub(crate) fn mjml_to_html(source: Source<'_>, inlines_css: bool) -> Result<String, Refusal> {
    let marked = Marked::new(source, true)?;
    let outline = Outline::read(&marked)?;
    let html = on_own_stack(|| made(&marked, inlines_css))??;
    check_tags(&html, &outline, &marked)?;
    Ok(marked.put_back(&html))
}

fn made(marked: &Marked<'_>, inlines_css: bool) -> Result<String, Refusal> {
    let parsed = mrml::parse(&marked.text).map_err(|error| unreadable(&error, marked))?;
    for warning in parsed.warnings {
        let what = match warning.kind {
            WarningKind::InlineStyleUnsupported if inlines_css => continue,
            WarningKind::InlineStyleUnsupported => {
                "a style sheet asks to be inlined into `style` attributes: set `inlineCss` for that."
            }
            WarningKind::UnexpectedAttribute => {
                "an element has an attribute that MJML does not allow on it."
            }
        };
        return Err(refusal(marked.place(warning.span.start), what));
    }
    let html = parsed.element.render(&RenderOptions::default());
    let html = html.map_err(|_| NO_ROOT)?;
    if html.len() > MOST_BYTES {
        Err(TOO_LARGE)
    } else {
        Ok(html)
    }
}

/// Checks that all placeholders are in the HTML, and that statements still match.
fn check_tags(html: &str, outline: &Outline, marked: &Marked<'_>) -> Result<(), Refusal> {
    let mut is_there = vec![false; outline.may_be_missing.len()];
    let mut pairs = Pairs::of(marked.kinds(&marked.text));
    for piece in marked.pieces(html) {
        let Piece::Mark(number) = piece else { continue };
        let Some(tag) = marked.tag(number) else {
            continue;
        };
        if let Some(is_there) = is_there.get_mut(number) {
            *is_there = true;
        }
        if !pairs.pass(number, tag.kind) {
            return Err(moved(number, marked));
        }
    }
    if let Some(open) = pairs.open() {
        return Err(moved(open, marked));
    }
    let missing = is_there.iter().zip(&outline.may_be_missing);
    let missing = missing
        .enumerate()
        .find(|(_, (is_there, may_be_missing))| !**is_there && !**may_be_missing);
    match missing {
        None => Ok(()),
        Some((number, _)) => Err(refusal(marked.place_of_tag(number), LOST)),
    }
}

fn moved(number: usize, marked: &Marked<'_>) -> Refusal {
    refusal(marked.place_of_tag(number), MOVED)
}

const LOST: &str = "there is a placeholder or a statement where MJML computes with the value, such as a width, or writes nothing: it \
                    would be lost.";

const MOVED: &str = "there is a statement where MJML moves or repeats the text around it: put the statement between whole elements.";

fn refusal(place: Place, what: &str) -> Refusal {
    Refusal::with_detail(Code::InvalidContent, format!("In {place} {what}"))
}

fn unreadable(error: &Error, marked: &Marked<'_>) -> Refusal {
    let at = |span: &Span| marked.place(span.start);
    match error {
        Error::UnexpectedElement { position, .. } => refusal(
            at(position),
            "there is an element that MJML does not allow there.",
        ),
        Error::UnexpectedToken { position, .. } => refusal(
            at(position),
            "there is something that MJML does not allow there.",
        ),
        Error::MissingAttribute { name, position, .. } => refusal(
            at(position),
            &format!("an MJML element is missing its attribute `{name}`."),
        ),
        Error::InvalidAttribute { position, .. } | Error::InvalidFormat { position, .. } => {
            refusal(
                at(position),
                "an attribute has a value that MJML does not allow.",
            )
        }
        Error::IncludeLoaderError { position, .. } => refusal(
            at(position),
            "another file is included: replace the include with the contents of that file.",
        ),
        Error::EndOfStream { .. } => refusal(
            marked.place(marked.text.len()),
            "the MJML ends inside an element.",
        ),
        Error::ParserError { source, .. } => unread(source.pos(), marked),
        Error::NoRootNode => NO_ROOT,
        Error::SizeLimit { .. } => TOO_LARGE,
    }
}

/// What is not an element, an attribute or text.
fn unread(position: TextPos, marked: &Marked<'_>) -> Refusal {
    let (row, column) = (position.row as usize, position.col as usize);
    let start: usize = marked
        .text
        .split_inclusive('\n')
        .take(row.saturating_sub(1))
        .map(str::len)
        .sum();
    let line = &marked.text[start..];
    let at = line
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(line.len(), |(at, _)| at);
    refusal(marked.place(start + at), "the MJML is not well-formed.")
}

#[cfg(test)]
mod tests;
