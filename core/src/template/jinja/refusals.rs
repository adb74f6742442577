//! What is told of minijinja's errors: what, where, and the name of the filter or variable.

use super::super::place::{FieldName, Place, sayable};
use crate::problem::{Code, Refusal};
use minijinja::{Error, ErrorKind};

pub(super) fn no_template(error: &Error, source: &str) -> Refusal {
    let detail = format!("This is no template: {}.", in_words(error, source));
    Refusal::with_detail(Code::InvalidTemplate, detail)
}

pub(super) fn not_worked_out(error: &Error, field: &FieldName, source: &str) -> Refusal {
    let why = in_words(error, source);
    let (code, detail) = match error.kind() {
        ErrorKind::UndefinedError => (
            Code::MissingVariable,
            format!("The template in {field} needs a variable that is not given: {why}."),
        ),
        _ => (
            Code::InvalidTemplate,
            format!("The template in {field} cannot be worked out with these values: {why}."),
        ),
    };
    Refusal::with_detail(code, detail)
}

/// What is wrong and where. It holds no value, and of the template the name of a filter, a function or a
/// variable alone.
fn in_words(error: &Error, source: &str) -> String {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it takes too long".to_owned(),
        kind => kind.to_string(),
    };
    let name = match (named(error, source), culprit(error, source)) {
        (Some(name), _) => format!(" `{name}`"),
        (None, Some(name)) => format!(" at `{name}`"),
        (None, None) => String::new(),
    };
    let place = match (error.range(), error.line()) {
        (Some(range), _) => format!(", in {}", Place::of(source, range.start)),
        (None, Some(line)) => format!(", in line {line}"),
        (None, None) => String::new(),
    };
    format!("{what}{name}{place}")
}

/// The filter, test, function or variable that is not there.
fn named<'e>(error: &'e Error, source: &'e str) -> Option<&'e str> {
    match error.kind() {
        // `filter upper is unknown`, `range is unknown`
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            let name = error.detail()?.strip_suffix(" is unknown")?;
            sayable(name.rsplit(' ').next()?)
        }
        ErrorKind::UndefinedError => sayable(source.get(error.range()?)?),
        _ => None,
    }
}

/// The filter, function or variable that is there and cannot be worked out: `join` of `join(1, 2)`.
fn culprit<'e>(error: &Error, source: &'e str) -> Option<&'e str> {
    if matches!(
        error.kind(),
        ErrorKind::SyntaxError | ErrorKind::OutOfFuel | ErrorKind::UndefinedError
    ) {
        return None;
    }
    let expression = source.get(error.range()?)?;
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    let end = expression.find(|c| !is_part(c)).unwrap_or(expression.len());
    let name = &expression[..end];
    // A number is a value, no name.
    let is_number = name.starts_with(|c: char| c.is_numeric());
    sayable(name).filter(|_| !is_number)
}
