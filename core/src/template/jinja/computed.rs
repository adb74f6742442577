//! minijinja's own filters, tests and functions that work with numbers, for numbers that keep their
//! [`digits`](super::digits).
//!
//! ```text
//! round  sum  range  is odd …          get numbers
//! sort  min  unique  groupby …         choose by numbers among values that keep theirs
//! ```

use super::digits::{number, numbers};
use super::told::told;
use minijinja::value::{
    Enumerator, Kwargs, Object, ObjectRepr, Rest, Tuple, Value, ValueKind, ValueOrKwargs,
};
use minijinja::{Environment, Error, ErrorKind, State};
use minijinja::{filters, functions, tests};
use std::sync::Arc;

/// The fuel for a value while it is sorted with its key.
const PAIR_FUEL: u64 = 4;

/// Replaces minijinja's.
pub(super) fn add(environment: &mut Environment<'static>) {
    for (name, builtin) in [
        ("abs", Value::from_function(filters::abs)),
        ("batch", Value::from_function(filters::batch)),
        ("float", Value::from_function(filters::float)),
        ("format", Value::from_function(filters::format)),
        ("int", Value::from_function(filters::int)),
        ("round", Value::from_function(filters::round)),
        ("slice", Value::from_function(filters::slice)),
    ] {
        environment.add_filter(name, with(builtin, number));
    }
    environment.add_filter("sum", with(Value::from_function(filters::sum), numbers));
    environment.add_function(
        "range",
        with(Value::from_function(functions::range), number),
    );
    add_tests(environment);
    for (name, builtin) in [
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("sort", Value::from_function(filters::sort)),
        ("unique", Value::from_function(filters::unique)),
    ] {
        environment.add_filter(
            name,
            move |state: &mut State<'_, '_>, value: Value, named: Kwargs| {
                choose(state, name, &builtin, &value, &named)
            },
        );
    }
    environment.add_filter(
        "dictsort",
        |state: &mut State<'_, '_>, value: &Value, named: Kwargs| dictsort(state, value, &named),
    );
    environment.add_filter(
        "groupby",
        |state: &mut State<'_, '_>, value: &Value, attribute: Option<&str>, named: Kwargs| {
            groupby(state, value, attribute, &named)
        },
    );
}

fn add_tests(environment: &mut Environment<'static>) {
    for (name, builtin) in [
        ("even", Value::from_function(tests::is_even)),
        ("float", Value::from_function(tests::is_float)),
        ("int", Value::from_function(tests::is_integer)),
        ("integer", Value::from_function(tests::is_integer)),
        ("number", Value::from_function(tests::is_number)),
        ("odd", Value::from_function(tests::is_odd)),
        ("sameas", Value::from_function(tests::is_sameas)),
    ] {
        environment.add_test(name, with(builtin, number));
    }
    environment.add_test("divisibleby", divisible_by);
    for (names, builtin) in [
        (
            &["eq", "equalto", "=="] as &[_],
            Value::from_function(tests::is_eq),
        ),
        (&["ne", "!="], Value::from_function(tests::is_ne)),
        (&["lt", "lessthan", "<"], Value::from_function(tests::is_lt)),
        (&["le", "<="], Value::from_function(tests::is_le)),
        (
            &["gt", "greaterthan", ">"],
            Value::from_function(tests::is_gt),
        ),
        (&["ge", ">="], Value::from_function(tests::is_ge)),
        (&["in"], Value::from_function(tests::is_in)),
    ] {
        for name in names {
            environment.add_test(*name, with(builtin.clone(), numbers));
        }
    }
}

/// A function that calls `builtin` with numbers.
fn with(
    builtin: Value,
    numbers: fn(&Value) -> Value,
) -> impl Fn(&mut State<'_, '_>, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync {
    move |state, arguments| {
        let arguments = arguments.into_values().into_iter().map(|argument| {
            if !argument.is_kwargs() {
                return Ok(numbers(&argument));
            }
            let named = Kwargs::try_from(argument)?;
            let pairs = named
                .args()
                .map(|name| Ok((name, numbers(&named.peek(name)?))));
            Ok(pairs.collect::<Result<Kwargs, Error>>()?.into())
        });
        let arguments: Vec<Value> = arguments.collect::<Result<_, Error>>()?;
        builtin.call(state, &arguments)
    }
}

/// `divisibleby`, which refuses zero.
fn divisible_by(value: &Value, by: &Value) -> Result<bool, Error> {
    let (value, by) = (number(value), number(by));
    let is_number = |value: &Value| matches!(value.kind(), ValueKind::Number | ValueKind::Bool);
    if is_number(&value) && is_number(&by) && !by.is_true() {
        return Err(told(
            ErrorKind::InvalidOperation,
            "nothing is divisible by zero",
        ));
    }
    Ok(tests::is_divisibleby(&value, &by))
}

/// Calls a filter that chooses or orders values on pairs of a key and the value, and returns the values.
fn choose(
    state: &mut State<'_, '_>,
    name: &str,
    builtin: &Value,
    value: &Value,
    named: &Kwargs,
) -> Result<Value, Error> {
    // What is wrong with the arguments, minijinja tells.
    let attribute = match named.peek::<Option<&str>>("attribute") {
        Ok(attribute) if is_list(value) => attribute,
        _ => return builtin.call(state, &[value.clone(), Value::from(named.clone())]),
    };
    let of_pair = |attribute: &str| format!("0.{attribute}");
    let attribute = match attribute {
        Some(several) if name == "sort" => {
            let several = several.split(',').map(str::trim);
            let several = several.filter(|one| !one.is_empty()).map(of_pair);
            several.collect::<Vec<_>>().join(",")
        }
        Some(attribute) => of_pair(attribute),
        None => "0".to_owned(),
    };
    let pairs = pairs(state, value)?;
    let chosen = builtin.call(state, &[pairs, by(named, &attribute, "attribute")?])?;
    let value_of = |pair: &Value| pair.get_item_by_index(1);
    // `min` and `max` choose one.
    match name {
        "min" | "max" if chosen.is_undefined() => Ok(chosen),
        "min" | "max" => value_of(&chosen),
        _ => {
            let values = chosen.try_iter()?.map(|pair| value_of(&pair));
            Ok(Value::from(values.collect::<Result<Vec<_>, _>>()?))
        }
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// The named arguments, with another attribute in place of `instead`.
fn by(named: &Kwargs, attribute: &str, instead: &str) -> Result<Value, Error> {
    let mut pairs = vec![("attribute", Value::from(attribute))];
    for name in named.args().filter(|name| *name != instead) {
        pairs.push((name, named.peek(name)?));
    }
    Ok(pairs.into_iter().collect::<Kwargs>().into())
}

/// Pairs of a key and the value.
fn pairs(state: &State<'_, '_>, values: &Value) -> Result<Value, Error> {
    let mut pairs = Vec::new();
    for value in values.try_iter()?.checked() {
        state.consume_fuel(PAIR_FUEL)?;
        let value = value?;
        pairs.push(Value::from(vec![numbers(&value), value]));
    }
    Ok(Value::from(pairs))
}

/// Jinja's `dictsort(case_sensitive=false, by='key', reverse=false)`.
fn dictsort(state: &mut State<'_, '_>, value: &Value, named: &Kwargs) -> Result<Value, Error> {
    if value.kind() != ValueKind::Map {
        let detail = "`dictsort` takes an object";
        return Err(told(ErrorKind::InvalidOperation, detail));
    }
    let by_value = named.peek::<Option<&str>>("by")? == Some("value");
    let mut members = Vec::new();
    for name in value.try_iter()?.checked() {
        state.consume_fuel(PAIR_FUEL)?;
        let name = name?;
        let member = value.get_item(&name)?;
        members.push(Value::from(Tuple::from([name, member])));
    }
    let pairs = pairs(state, &Value::from(members))?;
    let attribute = if by_value { "0.1" } else { "0.0" };
    let arguments = [pairs, by(named, attribute, "by")?];
    let sorted = filters_sort().call(state, &arguments)?;
    let members = sorted.try_iter()?.map(|pair| pair.get_item_by_index(1));
    Ok(Value::from(members.collect::<Result<Vec<_>, _>>()?))
}

fn filters_sort() -> Value {
    Value::from_function(filters::sort)
}

/// Jinja's `groupby(attribute, default=none, case_sensitive=false)`.
fn groupby(
    state: &mut State<'_, '_>,
    value: &Value,
    attribute: Option<&str>,
    named: &Kwargs,
) -> Result<Value, Error> {
    let attribute = match attribute {
        Some(attribute) => attribute,
        None => named.get::<&str>("attribute")?,
    };
    let default = named.get::<Option<Value>>("default")?.unwrap_or_default();
    let case_sensitive = named
        .get::<Option<bool>>("case_sensitive")?
        .unwrap_or(false);
    named.assert_all_used()?;
    let value = if is_list(value) {
        value
    } else {
        // What is no list of anything is refused there.
        &filters_sort().call(state, std::slice::from_ref(value))?
    };
    let mut keyed = Vec::new();
    for item in value.try_iter()?.checked() {
        state.consume_fuel(PAIR_FUEL)?;
        let item = item?;
        let key = at_path(&item, attribute).unwrap_or_else(|| default.clone());
        keyed.push(Value::from(vec![numbers(&key), key, item]));
    }
    let order = [
        ("attribute", Value::from("0")),
        ("case_sensitive", Value::from(case_sensitive)),
    ];
    let order = Value::from(order.into_iter().collect::<Kwargs>());
    let sorted = filters_sort().call(state, &[Value::from(keyed), order])?;
    // As Jinja does, a group is named as the first of its items names it.
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    let mut key_before = None;
    for keyed in sorted.try_iter()? {
        let key = folded(keyed.get_item_by_index(0)?, case_sensitive);
        let item = keyed.get_item_by_index(2)?;
        match groups.last_mut() {
            Some((_, list)) if key_before.as_ref() == Some(&key) => list.push(item),
            _ => groups.push((keyed.get_item_by_index(1)?, vec![item])),
        }
        key_before = Some(key);
    }
    let groups = groups.into_iter().map(|(grouper, list)| {
        Value::from_object(Group {
            grouper,
            list: Value::from(list),
        })
    });
    Ok(groups.collect())
}

fn folded(key: Value, case_sensitive: bool) -> Value {
    match key.as_str() {
        Some(text) if !case_sensitive => Value::from(text.to_lowercase()),
        _ => key,
    }
}

/// The value at `a.0.b`.
fn at_path(value: &Value, path: &str) -> Option<Value> {
    let mut value = value.clone();
    for part in path.split('.') {
        let found = match part.parse() {
            Ok(index) => value.get_item_by_index(index),
            Err(_) => value.get_attr(part),
        };
        value = found.ok()?;
    }
    (!value.is_undefined()).then_some(value)
}

/// `{% for grouper, list in … %}`, or `group.grouper` and `group.list`.
#[derive(Debug)]
struct Group {
    grouper: Value,
    list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_usize(), key.as_str()) {
            (Some(0), None) | (None, Some("grouper")) => Some(self.grouper.clone()),
            (Some(1), None) | (None, Some("list")) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}
