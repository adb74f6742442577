//! What is made of HTML, and what HTML is made of: MJML in its place, style sheets in `style` attributes, and the text
//! part.
//!
//! HTML that is a template stays one. Its placeholders and statements are covered by marks, which are words that stand
//! nowhere else in it; what is made of the text with marks gets the placeholders back. So it is made once for all
//! recipients, and is a template like one that was given.
//!
//! ```text
//! mjml          HTML from MJML
//! inline_css    style sheets in `style` attributes
//! text          the text part
//! elements      which elements are open
//! blocks        which statements belong together
//! marks
//! ```
//! Each file imports only from the lines below its own.

mod blocks;
mod elements;
#[cfg(feature = "inline-css")]
mod inline_css;
mod marks;
#[cfg(feature = "mjml")]
mod mjml;
#[cfg(feature = "text-from-html")]
mod text;

#[cfg(feature = "inline-css")]
pub(crate) use inline_css::inline_css;
#[cfg(feature = "mjml")]
pub(crate) use mjml::mjml_to_html;
#[cfg(feature = "text-from-html")]
pub(crate) use text::html_to_text;

use crate::problem::{Code, Refusal};
use crate::template::Tag;
use std::thread;

/// A text, and the placeholders and statements in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'s> {
    /// Its lines end with LF.
    pub text: &'s str,
    pub tags: &'s [Tag],
    /// Whether it is a template, with tags or without.
    pub is_template: bool,
}

/// The libraries that work on HTML call themselves for each element that is in another one. How deep that is has a
/// bound, and here is room for it, whatever the caller's stack has left.
const STACK: usize = 8 << 20;

const NO_THREAD: Refusal = Refusal::new(
    Code::InvalidContent,
    "The HTML cannot be processed: there is not enough memory, or a library failed on it.",
);

/// Does some work on a stack of its own.
fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Refusal> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let done = thread.spawn_scoped(scope, work).map_err(|_| NO_THREAD)?;
        done.join().map_err(|_| NO_THREAD)
    })
}
