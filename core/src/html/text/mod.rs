//! The text part of a message from its HTML.
//!
//! The crate html2text does the layout: it wraps lines, indents lists and quotes, and aligns the columns of tables. It
//! gets HTML with only a few elements, in which each mark, and everything else that must not be split, is a single
//! character, called a sign:
//!
//! ```text
//! HTML with marks → outline    which tables have columns, which lists have statements between their items
//!                 → writer     HTML of few elements; links with their numbers
//!                 → html2text
//!                 → lines      statements without lines of their own; the tags in the places of the signs
//! ```

mod lines;
mod outline;
mod signs;
mod writer;

use super::marks::Marked;
use super::{Source, on_own_stack};
use crate::problem::{Code, Refusal};
use html2text::config;
use html2text::render::PlainDecorator;
use html5gum::Tokenizer;
use html5gum::emitters::default::DefaultEmitter;
use outline::Outline;
use writer::Writer;

/// The maximum number of columns of a line, unless a word is longer.
const WIDTH: usize = 76;

const NO_LAYOUT: Refusal = Refusal::new(
    Code::InvalidContent,
    "No text can be made from this HTML: give `text`.",
);

/// The text of HTML; a template if the HTML is one. An error says what cannot be converted, and where.
pub(crate) fn html_to_text(source: Source<'_>) -> Result<String, Refusal> {
    let marked = Marked::new(source, false)?;
    let mut emitter = DefaultEmitter::new_with_span();
    // In scripts and style sheets there are no tags.
    emitter.naively_switch_states(true);
    let tokens: Vec<_> = Tokenizer::new_with_emitter(marked.text.as_bytes(), emitter)
        .map(|token| {
            let Ok(token) = token;
            token
        })
        .collect();
    let outline = Outline::of(&tokens, &marked);
    let written = Writer::new(&marked, outline).write(tokens)?;
    let text = on_own_stack(|| {
        let config = config::with_decorator(PlainDecorator::new())
            .no_table_borders()
            .allow_width_overflow();
        config.string_from_read(written.html.as_bytes(), WIDTH)
    })?;
    let text = text.map_err(|_| NO_LAYOUT)?;
    Ok(lines::finish(&text, &written, &marked, source.is_template))
}

#[cfg(test)]
mod tests;
