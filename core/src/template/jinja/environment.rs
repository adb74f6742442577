//! minijinja, set up for templates of mail.

use super::super::{html, marked_value};
use super::computed;
use super::digits::number;
use super::filters;
use super::kinds::{CALENDAR, HTML, is_calendar};
use super::operands;
use super::told::told;
use crate::syntax::to_lf;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use std::borrow::Cow;

/// minijinja without anything unbounded, and with additional filters.
pub(super) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_formatter(write_value);
    environment.set_auto_escape_callback(|name| {
        if name.starts_with(HTML) {
            AutoEscape::Html
        } else if name.starts_with(CALENDAR) {
            AutoEscape::Custom(CALENDAR.into())
        } else {
            AutoEscape::None
        }
    });
    // It shows all variables, those of nobody's business too.
    environment.remove_global("debug");
    // With these, what a loop makes outlives it, and could double each time.
    environment.remove_global("namespace");
    environment.remove_filter("chain");
    environment.remove_filter("zip");
    environment.add_filter("times", times);
    operands::add_filters(&mut environment);
    computed::add(&mut environment);
    filters::add(&mut environment);
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    let syntax = syntax.build();
    environment.set_syntax(syntax.expect("the delimiters are minijinja's own"));
    environment
}

/// The product of two numbers.
fn times(one: &Value, other: &Value) -> Result<Value, Error> {
    let (one, other) = (&number(one), &number(other));
    let product = match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.checked_mul(other).map(Value::from),
        _ => None,
    };
    let number = |value: &Value| f64::try_from(value.clone());
    match (product, number(one), number(other)) {
        (Some(product), ..) => Ok(product),
        (None, Ok(one), Ok(other)) => Ok(Value::from(one * other)),
        _ => Err(told(
            ErrorKind::InvalidOperation,
            "`times` takes two numbers",
        )),
    }
}

/// Values in HTML are escaped as in the other language.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    if matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Map | ValueKind::Iterable
    ) {
        return Err(told(
            ErrorKind::InvalidOperation,
            "a list or an object is not text",
        ));
    }
    let escapes_html = *state.auto_escape() == AutoEscape::Html;
    if is_calendar(state) && *state.auto_escape() != AutoEscape::None {
        return write_calendar_value(out, value, escapes_html);
    }
    match value.as_str() {
        // As the other language writes them.
        None if value.kind() == ValueKind::Bool => {
            let word = if value.is_true() { "true" } else { "false" };
            out.write_str(word).map_err(Error::from)
        }
        Some(text) if escapes_html && !value.is_safe() => {
            out.write_str(&html::escaped(text)).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

/// Writes a value of an iCalendar object between the marks by which it is found again.
fn write_calendar_value(
    out: &mut Output<'_>,
    value: &Value,
    escapes_html: bool,
) -> Result<(), Error> {
    let text = match value.as_str() {
        None if value.kind() == ValueKind::Bool => value.is_true().to_string(),
        // What was put together from values has them in it already.
        Some(text) if value.is_safe() => return out.write_str(text).map_err(Error::from),
        _ => to_lf(Cow::Owned(value.to_string())).into_owned(),
    };
    // Some properties hold HTML.
    let text = if escapes_html {
        html::escaped(&text)
    } else {
        text
    };
    let marked = marked_value(&text).ok_or_else(|| {
        told(
            ErrorKind::InvalidOperation,
            "a value in a calendar contains a control character",
        )
    })?;
    out.write_str(&marked).map_err(Error::from)
}
