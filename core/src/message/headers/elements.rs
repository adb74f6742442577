//! Lists of addresses and URLs with placeholders: a value fills an element in, and adds none.
//!
//! ```text
//! Reply-To: "{{ friend }} via Shop" <reply@example.com>      friend: x" <eve@example.org>, "y
//! ```

use crate::header::{Body, Grammar, KnownField};
use crate::problem::{Code, Refusal};
use crate::syntax::Cursor;
use crate::template::TemplateText;

const CHANGED: Refusal = Refusal::new(
    Code::InvalidHeaderValue,
    "With these values this header field has more or fewer addresses or URLs than its template; a value may be a list only where it \
     is everything between two commas.",
);

/// Represents a value. No text of a header contains it.
const VALUE: &str = "\0";

/// Checks that the filled-in field `name` has as many elements as its template, unless a value is a complete element:
/// then it may itself be a list.
pub(crate) fn check_elements(
    name: &str,
    template: &TemplateText<'_>,
    filled: &str,
) -> Result<(), Refusal> {
    let of_urls = match KnownField::named(name).map(|known| known.body) {
        Some(Body::Structured(Grammar::Addresses(_))) => false,
        Some(Body::Structured(Grammar::Uris | Grammar::UrisOrNo)) => true,
        _ => return Ok(()),
    };
    let outline = template.fill(|_| VALUE);
    let written = elements(&outline, of_urls);
    let is_value = |element: &&str| !element.contains(|c| !matches!(c, '\0' | ' ' | '\t'));
    if written.iter().any(is_value) || written.len() == elements(filled, of_urls).len() {
        return Ok(());
    }
    Err(CHANGED)
}

/// The elements between the commas. In a list of URLs, a quote is an ordinary character.
fn elements(list: &str, of_urls: bool) -> Vec<&str> {
    let mut elements = Vec::with_capacity(2);
    let mut cursor = Cursor::new(list);
    let mut start = 0;
    while let Some(byte) = cursor.peek() {
        let at = cursor.position();
        // What is not closed ends with the list, and is refused where the list is read.
        match byte {
            b'"' if !of_urls => {
                let _ = cursor.quoted_string();
            }
            b'(' => {
                let _ = cursor.comment();
            }
            b'<' if of_urls => {
                cursor.take_while(|byte| byte != b'>');
            }
            b',' => {
                elements.push(&list[start..at]);
                cursor.bump();
                start = cursor.position();
            }
            _ => cursor.bump(),
        }
    }
    elements.push(&list[start..]);
    elements
}
