//! Operands. minijinja cannot be told what an operator does with a value of ours, so filters of ours are applied to the
//! operands:
//!
//! ```text
//! {{ price * 1.19 }}              as it is written
//! {{ price|_factor * 1.19|_factor }}
//! {% if price > 10 %}
//! {% if price|_numbers > 10 %}
//! ```
//!
//! minijinja's `*` also repeats lists, and nothing would limit what templates make of such a list: a factor must not be
//! a list. A text may be repeated, as in Python: fuel limits its length before it is made. The other filters turn
//! values that keep their [`digits`](super::digits) into numbers.

use super::digits::{number, numbers};
use super::invalid;
use super::tokens::Last;
use super::told::told;
use crate::problem::Refusal;
use minijinja::machinery::{Span, Token};
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind};

/// What is inserted into a template at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Insertion {
    pub at: usize,
    pub text: Inserted,
}

/// In their order at one offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Inserted {
    /// After a `-`, whose operand ends before its filters do.
    Open,
    Negated,
    Factor,
    /// For `+` and the like, which also accept lists, whose values are not changed.
    Number,
    /// For comparisons and `in`.
    Numbers,
}

impl Inserted {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "(",
            Self::Negated => "|_number)",
            Self::Factor => "|_factor",
            Self::Number => "|_number",
            Self::Numbers => "|_numbers",
        }
    }
}

/// Adds the filters.
pub(super) fn add_filters(environment: &mut Environment<'static>) {
    environment.add_filter(name(Inserted::Factor), factor);
    environment.add_filter(name(Inserted::Number), number);
    environment.add_filter(name(Inserted::Numbers), numbers);
}

fn name(inserted: Inserted) -> &'static str {
    &inserted.as_str()[1..]
}

fn factor(value: &Value) -> Result<Value, Error> {
    let detail = match value.kind() {
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable => {
            "a list or an object cannot be multiplied"
        }
        // Prices out of CSV are texts: `\"19.90\" * 2` would become `19.9019.90` in a mail.
        ValueKind::String if value.as_str().is_some_and(is_number) => {
            "to multiply a string that is a number, add `|float` or `|int` to it"
        }
        _ => return Ok(number(value)),
    };
    Err(told(ErrorKind::InvalidOperation, detail))
}

fn is_number(text: &str) -> bool {
    let text = text.trim();
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.parse::<f64>().is_ok()
}

/// What is inserted into a tag with these tokens, including its delimiters.
pub(super) fn insertions(
    tokens: &[(Token<'_>, Span)],
    into: &mut Vec<Insertion>,
) -> Result<(), Refusal> {
    let start = into.len();
    // What is put together by `~`, into a text.
    let mut joined = Vec::new();
    let mut awaits_in = matches!(tokens.get(1), Some((Token::Ident("for"), _)));
    for (index, (token, _)) in tokens.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &tokens[before].0);
        let is_name = matches!(before, Some(Token::Dot | Token::Pipe));
        match token {
            Token::Mul => factors(tokens, index, into)?,
            Token::Minus if !before.is_some_and(ends_value) => negated(tokens, index, into),
            Token::Plus | Token::Minus | Token::Div | Token::FloorDiv | Token::Mod => {
                operands(tokens, index, Inserted::Number, into);
            }
            Token::Eq | Token::Ne if is_beside_text(tokens, index) => {}
            Token::Eq | Token::Ne | Token::Lt | Token::Lte | Token::Gt | Token::Gte => {
                operands(tokens, index, Inserted::Numbers, into);
            }
            Token::Ident("in") if std::mem::take(&mut awaits_in) || is_name => {}
            Token::Ident("in") => operands(tokens, index, Inserted::Numbers, into),
            Token::Tilde => {
                joined.extend(before.map(|_| end(tokens, index - 1)));
                joined.extend(end_of_value(tokens, index + 1).map(|last| end(tokens, last)));
            }
            _ => {}
        }
    }
    let new = into.split_off(start);
    let is_needed = |insertion: &Insertion| {
        // `*` and `/` bind closer than `~`, the others do not.
        !matches!(insertion.text, Inserted::Number | Inserted::Numbers)
            || !joined.contains(&insertion.at)
    };
    into.extend(new.into_iter().filter(is_needed));
    into[start..].sort_unstable();
    // `a * b * c`. A factor is a number already, and one filter makes numbers of all.
    let is_filter = |text| {
        matches!(
            text,
            Inserted::Factor | Inserted::Number | Inserted::Numbers
        )
    };
    let mut last = None;
    let kept = into.split_off(start).into_iter().filter(|insertion| {
        let is_twin = is_filter(insertion.text) && last == Some(insertion.at);
        if is_filter(insertion.text) {
            last = Some(insertion.at);
        }
        !is_twin
    });
    into.extend(kept);
    Ok(())
}

fn end(tokens: &[(Token<'_>, Span)], index: usize) -> usize {
    tokens[index].1.end_offset as usize
}

fn factors(
    tokens: &[(Token<'_>, Span)],
    index: usize,
    into: &mut Vec<Insertion>,
) -> Result<(), Refusal> {
    // `f(*list)`
    let before = index
        .checked_sub(1)
        .filter(|before| ends_value(&tokens[*before].0))
        .ok_or(UNBOUNDED)?;
    let last = end_of_value(tokens, index + 1).ok_or(NO_FACTOR)?;
    into.extend([before, last].map(|factor| Insertion {
        at: end(tokens, factor),
        text: Inserted::Factor,
    }));
    Ok(())
}

fn negated(tokens: &[(Token<'_>, Span)], index: usize, into: &mut Vec<Insertion>) {
    let first = index + 1;
    let starts_literal = matches!(
        tokens.get(first),
        None | Some((
            Token::Minus | Token::Int(_) | Token::Int128(_) | Token::Float(_),
            _
        ))
    );
    if starts_literal {
        return;
    }
    // What is no value is no template.
    if let Some(last) = end_of_operand(tokens, first, false) {
        into.push(Insertion {
            at: tokens[first].1.start_offset as usize,
            text: Inserted::Open,
        });
        into.push(Insertion {
            at: end(tokens, last),
            text: Inserted::Negated,
        });
    }
}

/// Applies a filter to both operands that are not literals. If something is not a value, the template is invalid
/// anyway.
fn operands(tokens: &[(Token<'_>, Span)], index: usize, text: Inserted, into: &mut Vec<Insertion>) {
    let is_word =
        |index: usize, word: &str| matches!(&tokens[index].0, Token::Ident(is) if *is == word);
    // `a not in b`
    let left = match index.checked_sub(1) {
        Some(not) if text == Inserted::Numbers && is_word(not, "not") => not.checked_sub(1),
        left => left,
    };
    // `a is in b` is a test.
    let Some(left) = left.filter(|left| ends_value(&tokens[*left].0)) else {
        return;
    };
    let Some(right) = end_of_value(tokens, index + 1) else {
        return;
    };
    let is_literal = |index: usize| {
        matches!(
            tokens[index].0,
            Token::Str(_) | Token::String(_) | Token::Int(_) | Token::Int128(_) | Token::Float(_)
        )
    };
    // `a.0` ends with a number, too.
    let is_alone = |first: usize| !matches!(tokens[first - 1].0, Token::Dot);
    if !(is_literal(left) && left > 0 && is_alone(left)) {
        into.push(Insertion {
            at: end(tokens, left),
            text,
        });
    }
    if !(right == index + 1 && is_literal(right)) {
        into.push(Insertion {
            at: end(tokens, right),
            text,
        });
    }
}

/// Whether one side is a text: a number differs from it in any case.
fn is_beside_text(tokens: &[(Token<'_>, Span)], index: usize) -> bool {
    let sides = [index.checked_sub(1), Some(index + 1)];
    sides.into_iter().flatten().any(|side| {
        matches!(
            tokens.get(side),
            Some((Token::Str(_) | Token::String(_), _))
        )
    })
}

pub(super) const UNBOUNDED: Refusal = invalid(
    "Templates do not support `**`, `*` before an argument, or recursive loops: their output would \
     have no limit.",
);
const NO_FACTOR: Refusal = invalid("This is not a valid template: nothing follows a `*`.");

fn ends_value(token: &Token<'_>) -> bool {
    Last::of(token, Last::Other) == Last::Value
        || matches!(token, Token::Int(_) | Token::Int128(_) | Token::Float(_))
}

/// The last token of the operand that starts at a token: brackets, calls and filters bind more tightly than `*`.
fn end_of_value(tokens: &[(Token<'_>, Span)], mut at: usize) -> Option<usize> {
    while matches!(tokens.get(at)?.0, Token::Minus | Token::Plus) {
        at += 1;
    }
    end_of_operand(tokens, at, true)
}

fn end_of_operand(tokens: &[(Token<'_>, Span)], start: usize, has_filters: bool) -> Option<usize> {
    let mut at = end_of_group(tokens, start)?;
    loop {
        match tokens.get(at + 1)?.0 {
            Token::Dot => at += 2,
            Token::Pipe if has_filters => at += 2,
            Token::BracketOpen | Token::ParenOpen => at = end_of_group(tokens, at + 1)?,
            _ => return tokens.get(at).map(|_| at),
        }
    }
}

/// The token that closes the bracket of this one; the token itself if it opens none.
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

    fn with_filters(source: &str) -> Result<String, Refusal> {
        let tokens = tokenize(source, false, SyntaxConfig::default());
        let tokens: Vec<_> = tokens.map(Result::unwrap).collect();
        let mut into = Vec::new();
        let tags = tokens
            .split_inclusive(|(token, _)| matches!(token, Token::VariableEnd | Token::BlockEnd));
        for tag in tags {
            insertions(tag, &mut into)?;
        }
        Ok(Source::new(source, &into).text)
    }

    #[test]
    fn both_sides_are_checked() {
        for (source, expected) in [
            ("{{ a*b }}", "{{ a|_factor*b|_factor }}"),
            ("{{ a * b * c }}", "{{ a|_factor * b|_factor * c|_factor }}"),
            (
                "{{ (a + 1) * -b.c[1](2)|abs ~ d }}",
                "{{ (a|_number + 1)|_factor * -(b.c[1](2)|_number)|abs|_factor ~ d }}",
            ),
            (
                "{% if f(2 * [1, (3)]) is odd %}*{% endif %}",
                "{% if f(2|_factor * [1, (3)]|_factor) is odd %}*{% endif %}",
            ),
            (
                "{{ x|round(1)*1.5 - 2 }}",
                "{{ x|round(1)|_factor*1.5|_factor - 2 }}",
            ),
            ("{{ a > 1 }}", "{{ a|_numbers > 1 }}"),
            (
                "{{ a == 'b' }}{{ 'b' != a }}",
                "{{ a == 'b' }}{{ 'b' != a }}",
            ),
            (
                "{% for a in b if a not in c %}",
                "{% for a in b if a|_numbers not in c|_numbers %}",
            ),
            (
                "{{ a.0 - 1 ~ b > c }}",
                "{{ a.0|_number - 1 ~ b > c|_numbers }}",
            ),
            ("{{ -a.b|c }}", "{{ -(a.b|_number)|c }}"),
            (
                "{{ a * -b > 2 }}",
                "{{ a|_factor * -(b|_number)|_factor > 2 }}",
            ),
            (
                "{{ a is in b }}{{ a is not in b }}",
                "{{ a is in b }}{{ a is not in b }}",
            ),
        ] {
            assert_eq!(with_filters(source).unwrap(), expected, "{source}");
        }
        for source in ["{{ f(*a) }}", "{{ f(1, *a) }}", "{{ * }}", "{{ 1 * }}"] {
            assert!(with_filters(source).is_err(), "{source}");
        }
    }
}
