//! Products. minijinja's `*` repeats lists as well, and nothing would bound what templates make of such
//! a list. So what stands on both sides of it goes through a filter, which takes no list:
//!
//! ```text
//! {{ price * 1.19 }}     as it is written
//! {{ price|_factor * 1.19|_factor }}
//! ```
//!
//! A text may be repeated, as in Python: fuel bounds how long that gets, before it is made.

use super::invalid;
use super::refusals::told;
use super::source::FILTER;
use super::tokens::Last;
use crate::problem::Refusal;
use minijinja::machinery::{Span, Token};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

/// Adds the filter.
pub(super) fn add_filter(environment: &mut Environment<'static>) {
    environment.add_filter(&FILTER[1..], factor);
}

fn factor(value: &Value) -> Result<Value, Error> {
    let detail = match value.kind() {
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            "a list or an object is not multiplied"
        }
        // Prices out of CSV are texts: `\"19.90\" * 2` would become `19.9019.90` in a mail.
        ValueKind::String if value.as_str().is_some_and(is_number) => {
            "a text that is a number is multiplied as one with `|float` or `|int` behind it"
        }
        _ => return Ok(value.clone()),
    };
    Err(told(ErrorKind::InvalidOperation, detail))
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// Where the filter is to stand, in a template of these tokens.
pub(super) fn factors(tokens: &[(Token<'_>, Span)]) -> Result<Vec<usize>, Refusal> {
    let mut factors = Vec::new();
    for (index, (token, _)) in tokens.iter().enumerate() {
        if !matches!(token, Token::Mul) {
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        // `f(*list)`
        let (_, span) = before
            .filter(|(token, _)| ends_value(token))
            .ok_or(UNBOUNDED)?;
        factors.push(span.end_offset as usize);
        factors.push(end_of_value(tokens, index + 1).ok_or(NO_FACTOR)?);
    }
    factors.sort_unstable();
    // `a * b * c`
    factors.dedup();
    Ok(factors)
}

pub(super) const UNBOUNDED: Refusal = invalid(
    "Templates have no `**`, no `*` before an argument and no recursive loops: nothing would bound \
     what they make of a list.",
);
const NO_FACTOR: Refusal = invalid("This is no template: nothing stands behind a `*`.");

fn ends_value(token: &Token<'_>) -> bool {
    Last::of(token, Last::Other) == Last::Value
        || matches!(token, Token::Int(_) | Token::Int128(_) | Token::Float(_))
}

/// Where the operand ends that begins at a token: brackets, calls and filters bind closer than `*`.
fn end_of_value(tokens: &[(Token<'_>, Span)], mut at: usize) -> Option<usize> {
    while matches!(tokens.get(at)?.0, Token::Minus | Token::Plus) {
        at += 1;
    }
    at = end_of_group(tokens, at)?;
    loop {
        match tokens.get(at + 1)?.0 {
            Token::Dot | Token::Pipe => at += 2,
            Token::BracketOpen | Token::ParenOpen => at = end_of_group(tokens, at + 1)?,
            _ => return Some(tokens.get(at)?.1.end_offset as usize),
        }
    }
}

/// The token that closes the bracket of this one; itself if it opens none.
fn end_of_group(tokens: &[(Token<'_>, Span)], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (index, (token, _)) in tokens.iter().enumerate().skip(start) {
        match token {
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => depth += 1,
            Token::BracketClose | Token::ParenClose | Token::BraceClose => {
                depth = depth.checked_sub(1)?;
            }
            Token::VariableEnd | Token::BlockEnd => return None,
            _ => {}
        }
        if depth == 0 {
            return Some(index);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;
    use minijinja::machinery::tokenize;
    use minijinja::syntax::SyntaxConfig;

    fn with_factors(source: &str) -> Result<String, Refusal> {
        let tokens = tokenize(source, false, SyntaxConfig::default());
        let tokens: Vec<_> = tokens.map(Result::unwrap).collect();
        factors(&tokens).map(|factors| Source::new(source, factors).text)
    }

    #[test]
    fn both_sides_are_looked_at() {
        for (source, expected) in [
            ("{{ a*b }}", "{{ a|_factor*b|_factor }}"),
            ("{{ a * b * c }}", "{{ a|_factor * b|_factor * c|_factor }}"),
            (
                "{{ (a + 1) * -b.c[1](2)|abs ~ d }}",
                "{{ (a + 1)|_factor * -b.c[1](2)|abs|_factor ~ d }}",
            ),
            (
                "{% if f(2 * [1, (3)]) is odd %}*{% endif %}",
                "{% if f(2|_factor * [1, (3)]|_factor) is odd %}*{% endif %}",
            ),
            (
                "{{ x|round(1)*1.5 - 2 }}",
                "{{ x|round(1)|_factor*1.5|_factor - 2 }}",
            ),
        ] {
            assert_eq!(with_factors(source).unwrap(), expected, "{source}");
        }
        for source in ["{{ f(*a) }}", "{{ f(1, *a) }}", "{{ * }}", "{{ 1 * }}"] {
            assert!(with_factors(source).is_err(), "{source}");
        }
    }
}
