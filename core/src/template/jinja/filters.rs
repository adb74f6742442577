//! The filters of both languages, as called by minijinja.

use super::super::VALUE_MARKS;
use super::super::filters::{Argument, Arguments, Case, FILTERS, Filter, FilterRow, Operand, Work};
use super::digits;
use super::kinds::is_calendar;
use super::told::told;
use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

/// The maximum number of values in a list or an object, including nested ones, that becomes JSON.
const MOST_VALUES: usize = 100_000;

/// Adds the filters under their names in Jinja.
pub(super) fn add(environment: &mut Environment<'static>) {
    for name in ["default", "d"] {
        environment.add_filter(
            name,
            |value: &Value, other: Option<Value>, boolean: Option<bool>, named: Kwargs| {
                default(value, other, boolean, &named)
            },
        );
    }
    for row in FILTERS {
        for name in row.jinja {
            environment.add_filter(
                *name,
                move |state: &State<'_, '_>, value: &Value, args: Rest<Value>, named: Kwargs| {
                    apply(row, name, state, value, &args, &named)
                },
            );
        }
    }
}

/// Jinja's `default(default_value='', boolean=false)`, for which minijinja accepts no named arguments.
fn default(
    value: &Value,
    default_value: Option<Value>,
    boolean: Option<bool>,
    named: &Kwargs,
) -> Result<Value, Error> {
    let default_value = match default_value {
        Some(given) => given,
        None => named
            .get::<Option<Value>>("default_value")?
            .unwrap_or_else(|| Value::from("")),
    };
    let replaces_empty = match boolean {
        Some(given) => given,
        None => named.get::<Option<bool>>("boolean")?.unwrap_or(false),
    };
    named.assert_all_used()?;
    let is_replaced = value.is_undefined() || (replaces_empty && !value.is_true());
    Ok(if is_replaced {
        default_value
    } else {
        value.clone()
    })
}

/// Our filter with this name in minijinja.
pub(super) fn row(name: &str) -> Option<&'static FilterRow> {
    FILTERS.iter().find(|row| row.jinja.contains(&name))
}

/// The arguments of a filter; `None` if one is a list or an object.
pub(super) fn arguments<'v>(
    positional: impl IntoIterator<Item = &'v Value>,
    named: impl IntoIterator<Item = (&'v str, Value)>,
) -> Option<Arguments> {
    let named = named
        .into_iter()
        .map(|(name, value)| Some((name.to_owned(), argument(&value)?)));
    Some(Arguments {
        positional: positional
            .into_iter()
            .map(argument)
            .collect::<Option<_>>()?,
        named: named.collect::<Option<_>>()?,
    })
}

fn argument(value: &Value) -> Option<Argument> {
    Some(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Argument::Nil,
        ValueKind::Bool => Argument::Boolean(value.is_true()),
        ValueKind::Number => Argument::Number(value.to_string()),
        ValueKind::String => Argument::Text(value.as_str()?.to_owned()),
        _ => Argument::Number(digits::of(value)?.to_owned()),
    })
}

fn apply(
    row: &FilterRow,
    name: &str,
    state: &State<'_, '_>,
    value: &Value,
    args: &Rest<Value>,
    named: &Kwargs,
) -> Result<Value, Error> {
    if value.is_undefined() || (value.is_none() && !row.makes_html) {
        return Ok(value.clone());
    }
    let misused = || {
        let usage = row.jinja_usage();
        told(
            ErrorKind::InvalidOperation,
            format!("`{name}` is written `{usage}`"),
        )
    };
    let mut pairs = Vec::new();
    for name in named.args() {
        pairs.push((name, named.peek::<Value>(name)?));
    }
    let arguments = arguments(args.iter(), pairs).ok_or_else(misused)?;
    let filter = row.prepare(arguments).map_err(|_| misused())?;
    if value.is_none() {
        return Ok(Value::from_safe_string("null".to_owned()));
    }
    let mut left = MOST_VALUES;
    let mut operand = operand(value, &mut left)?;
    // What was put together for an iCalendar object has marks in it, which only these leave alone.
    let is_calendar = is_calendar(state);
    let keeps_marks = matches!(filter, Filter::Case(Case::Upper | Case::Lower));
    if let Operand::Text(text) = &mut operand
        && is_calendar
        && !keeps_marks
        && value.is_safe()
    {
        *text = text.replace([VALUE_MARKS.0, VALUE_MARKS.1], "").into();
    }
    state.consume_fuel((MOST_VALUES - left) as u64)?;
    let made = Work::new().apply(&filter, operand).map_err(|fault| {
        told(
            ErrorKind::InvalidOperation,
            format!("`{name}` {}", fault.takes),
        )
    })?;
    let text = made.into_text().unwrap_or_default().into_owned();
    let is_html = if is_calendar {
        keeps_marks && value.is_safe()
    } else {
        row.makes_html || (row.keeps_html && value.is_safe())
    };
    Ok(if is_html {
        Value::from_safe_string(text)
    } else {
        Value::from(text)
    })
}

/// A value as filters take it. `left` counts how many more values there may be.
fn operand(value: &Value, left: &mut usize) -> Result<Operand<'static>, Error> {
    *left = left.checked_sub(1).ok_or_else(|| {
        told(
            ErrorKind::InvalidOperation,
            "a list of more than 100,000 values cannot be converted to JSON",
        )
    })?;
    Ok(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Operand::Absent,
        ValueKind::Bool => Operand::Boolean(value.is_true()),
        ValueKind::Number => Operand::Number(value.to_string().into()),
        ValueKind::Seq | ValueKind::Iterable => {
            let values = value.try_iter()?;
            let values = values.map(|value| operand(&value, left));
            Operand::List(values.collect::<Result<_, _>>()?)
        }
        ValueKind::Map => {
            let names = value.try_iter()?;
            let members = names.map(|name| {
                let value = operand(&value.get_item(&name)?, left)?;
                Ok((name.to_string().into(), value))
            });
            Operand::Object(members.collect::<Result<_, Error>>()?)
        }
        _ => match digits::of(value) {
            Some(digits) => Operand::Number(digits.to_owned().into()),
            None => Operand::Text(value.to_string().into()),
        },
    })
}
