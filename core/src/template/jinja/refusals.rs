//! How minijinja's errors are reported: what, where, and the name of the filter or variable.

use super::super::place::{FieldName, Place, sayable};
use super::source::Source;
use super::told::Told;
use crate::problem::{Code, Refusal};
use minijinja::{Error, ErrorKind};
use std::error::Error as _;

/// The text cannot be read.
pub(super) fn no_template(error: &Error, source: &Source) -> Refusal {
    not_constant(error, &source.text, source, |offset| offset)
}

/// A part that depends on no variable cannot be evaluated. `part` is the text of the error, and `offset_of` its
/// position in the source.
pub(super) fn not_constant(
    error: &Error,
    part: &str,
    source: &Source,
    offset_of: impl Fn(usize) -> usize,
) -> Refusal {
    let why = in_words(error, part, |offset| source.place(offset_of(offset)));
    let detail = format!("This is not a valid template: {why}.");
    Refusal::with_detail(Code::InvalidTemplate, detail)
}

/// There is no filter, test or function with this name.
pub(super) fn unknown(
    what: &str,
    name: &str,
    meant: Option<&'static str>,
    place: Place,
) -> Refusal {
    let name = sayable(name).map_or_else(String::new, |name| format!(" `{name}`"));
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    let end = if meant.is_empty() { "." } else { "" };
    let detail =
        format!("This is not a valid template: unknown {what}{name}, in {place}{meant}{end}");
    Refusal::with_detail(Code::InvalidTemplate, detail)
}

/// A filter, test or function of minijinja does not accept its arguments.
pub(super) fn misused(what: &str, name: &str, place: Place) -> Refusal {
    let detail = format!(
        "This is not a valid template: the {what} `{name}` does not take these arguments, in {place}."
    );
    Refusal::with_detail(Code::InvalidTemplate, detail)
}

/// A filter of ours does not.
pub(super) fn misused_own(name: &str, usage: &str, place: Place) -> Refusal {
    let detail =
        format!("This is not a valid template: `{name}` is written `{usage}`, in {place}.");
    Refusal::with_detail(Code::InvalidTemplate, detail)
}

/// The text cannot be evaluated for some recipient.
pub(super) fn not_worked_out(error: &Error, field: &FieldName, source: &Source) -> Refusal {
    let why = in_words(error, &source.text, |offset| source.place(offset));
    let (code, detail) = match error.kind() {
        ErrorKind::UndefinedError => (
            Code::MissingVariable,
            format!("The template in {field} needs a variable that is not given: {why}."),
        ),
        _ => (
            Code::InvalidTemplate,
            format!("The template in {field} cannot be evaluated with these values: {why}."),
        ),
    };
    Refusal::with_detail(code, detail)
}

/// What is wrong and where. It contains no values, and nothing of the template except the name of a filter, a function
/// or a variable. `part` is the text that it is about.
fn in_words(error: &Error, part: &str, place: impl Fn(usize) -> Place) -> String {
    let what = match error.kind() {
        ErrorKind::OutOfFuel => "it takes too long".to_owned(),
        kind => kind.to_string(),
    };
    let own = error
        .source()
        .and_then(|source| source.downcast_ref::<Told>());
    let what = match (own, named(error, part), culprit(error, part)) {
        (Some(told), ..) => told.to_string(),
        (_, Some(name), _) => format!("{what} `{name}`"),
        (_, None, Some(name)) => format!("{what} at `{name}`"),
        (_, None, None) => what,
    };
    match error.range() {
        Some(range) => format!("{what}, in {}", place(range.start)),
        None => what,
    }
}

/// The missing filter, test, function or variable.
fn named<'e>(error: &'e Error, source: &'e str) -> Option<&'e str> {
    match error.kind() {
        // `filter upper is unknown`, `range is unknown`
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => {
            let name = error.detail()?.strip_suffix(" is unknown")?;
            sayable(name.rsplit(' ').next()?)
        }
        ErrorKind::UndefinedError => {
            let expression = source.get(error.range()?)?;
            // Where a filter is told of, its operand is meant: `` `x` is undefined ``.
            let operand = error.detail().and_then(|detail| {
                let name = detail.strip_prefix('`')?.strip_suffix("` is undefined")?;
                sayable(name)
            });
            sayable(expression).or(operand)
        }
        _ => None,
    }
}

/// The existing filter, function or variable that cannot be evaluated: `join` of `join(1, 2)`.
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
