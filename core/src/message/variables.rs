//! The variables of JSON as templates take them.

use crate::json::{JsonNumber, JsonValue, JsonVariable, JsonVariables};
use crate::problem::{Code, Location, ProblemReport};
use crate::template::{Variable, VariableValue};

/// Names and values for the placeholders of a message's texts.
pub(super) fn variables(json: JsonVariables<'_>) -> impl Iterator<Item = Variable<'_>> {
    json.0.into_iter().map(|variable| {
        let JsonVariable {
            name,
            location,
            value,
        } = variable;
        Variable {
            name,
            location,
            value: variable_value(value),
        }
    })
}

fn variable_value(json: JsonValue<'_>) -> VariableValue<'_> {
    match json {
        JsonValue::Text(text) => VariableValue::Text(text),
        JsonValue::Number(JsonNumber::Integer(number)) => VariableValue::Integer(number),
        JsonValue::Number(JsonNumber::Float(number)) => VariableValue::Float(number),
        JsonValue::Boolean(boolean) => VariableValue::Boolean(boolean),
        JsonValue::List(list) => {
            VariableValue::List(list.into_iter().map(variable_value).collect())
        }
        JsonValue::Object(members) => {
            let members = members.into_iter();
            VariableValue::Object(
                members
                    .map(|(name, value)| (name, variable_value(value)))
                    .collect(),
            )
        }
    }
}

/// Notes that there are values and no word on how texts ask for them: they are not dropped without
/// one.
pub(super) fn require_language(report: &mut ProblemReport<'_>) {
    let detail = "Variables are given; say how the texts are read: `merge`, `jinja` or `none`.";
    report.missing(Location::ROOT, &["template"], Code::MissingField, detail);
}
