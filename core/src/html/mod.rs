//! Conversions of HTML: MJML to HTML, style sheets to `style` attributes, and HTML to text.
//!
//! HTML that is a template remains one. Its placeholders and statements are replaced with marks, words that occur
//! nowhere else in it, and put back into the converted text. So the conversion runs once for all recipients, and its
//! result is a template like any other.
//!
//! ```text
//! mjml          HTML from MJML
//! inline_css    style sheets in `style` attributes
//! text          the text part
//! elements      which elements are open
//! blocks        which statements match
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
    /// Whether it is a template, even without tags.
    pub is_template: bool,
}

/// The libraries for HTML recurse into nested elements. Their depth is bounded, and this stack has room for it, however
/// little the caller's stack has left.
const STACK: usize = 8 << 20;

const NO_THREAD: Refusal = Refusal::new(
    Code::InvalidContent,
    "The HTML cannot be processed: there is not enough memory, or a library failed on it.",
);

/// Runs some work on a separate stack.
fn on_own_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Refusal> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK);
        let done = thread.spawn_scoped(scope, work).map_err(|_| NO_THREAD)?;
        done.join().map_err(|_| NO_THREAD)
    })
}
