//! Variables for minijinja.

use super::digits;
use crate::syntax::to_lf;
use crate::variable::{Variable, VariableValue};
use minijinja::value::{Enumerator, Object, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// Variables by their names.
pub(super) fn object(variables: &[Variable<'_>]) -> Value {
    let variables = variables.iter();
    let variables = variables.map(|variable| (&variable.name, &variable.value));
    members(variables)
}

fn value(value: &VariableValue<'_>) -> Value {
    match value {
        VariableValue::Text(text) => Value::from(to_lf(Cow::Borrowed(text)).as_ref()),
        VariableValue::Number(number) => digits::value(number.clone()),
        VariableValue::Boolean(boolean) => Value::from(*boolean),
        VariableValue::List(list) => {
            let values = list.iter();
            values.map(|one| self::value(one)).collect()
        }
        VariableValue::Object(object) => members(object.iter().map(|(name, value)| (name, value))),
    }
}

fn members<'v, 'a: 'v>(
    members: impl Iterator<Item = (&'v Cow<'a, str>, &'v VariableValue<'a>)>,
) -> Value {
    let members = members.map(|(name, member)| (name.to_string(), value(member)));
    Value::from_object(Members::new(members))
}

/// An object whose members keep their order, as in Python.
#[derive(Debug)]
struct Members {
    names: Vec<Value>,
    /// Sorted by name.
    values: Vec<(String, Value)>,
}

impl Members {
    fn new(members: impl Iterator<Item = (String, Value)>) -> Self {
        let mut values: Vec<_> = members.collect();
        let names = values.iter().map(|(name, _)| Value::from(name.as_str()));
        let names = names.collect();
        values.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        Self { names, values }
    }
}

impl Object for Members {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let found = self
            .values
            .binary_search_by(|(name, _)| name.as_str().cmp(key));
        Some(self.values[found.ok()?].1.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.names.clone())
    }
}
