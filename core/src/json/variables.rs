//! Values for templates, whose names are the caller's.

use super::definitions::Definitions;
use super::names;
use super::shape::{MemberName, ReadState, Shape, ValueSeed};
use crate::number::Number;
use crate::problem::Location;
use crate::text::borrowed;
use crate::variable::{Variable, VariableValue};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Values by their names, in the order of the document. A name that comes again is a problem.
impl<'a> Shape<'a> for Vec<Variable<'a>> {
    const EXPECTED: &'static str = "an object of names and values";

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.refer("JsonVariables", |_| {
            json!({
                "type": "object",
                "description": "Values for the template, by name.",
                "additionalProperties": true,
            })
        })
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut variables = Vec::with_capacity(members.size_hint().unwrap_or(0).min(64));
        // Those in between were not followed.
        if let Some(literals) = &mut state.literals {
            literals.lose();
        }
        read_members(state, location, members, |name, location, value| {
            variables.push(Variable {
                name,
                location,
                value,
            });
        })?;
        Ok(Some(variables))
    }
}

impl<'a> Shape<'a> for VariableValue<'a> {
    const EXPECTED: &'static str = "a string, a number, true or false, an array or an object";
    const KEEPS_DIGITS: bool = true;

    fn schema(_: &mut Definitions) -> Value {
        json!({})
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn boolean(_: &mut ReadState<'a>, _: Location, boolean: bool) -> Option<Self> {
        Some(Self::Boolean(boolean))
    }

    fn number(_: &mut ReadState<'a>, _: Location, number: Number<'a>) -> Option<Self> {
        Some(Self::Number(number))
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut list = Vec::with_capacity(elements.size_hint().unwrap_or(0).min(64));
        for index in 0.. {
            let location = state.report.element(location, index);
            match elements.next_element_seed(ValueSeed::<Self>::new(state, location))? {
                None => break,
                Some(value) => list.extend(value),
            }
        }
        Ok(Some(Self::List(list)))
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut object = Vec::with_capacity(members.size_hint().unwrap_or(0).min(64));
        read_members(state, location, members, |name, _, value| {
            object.push((name, value));
        })?;
        Ok(Some(number_of(&object).unwrap_or(Self::Object(object))))
    }
}

/// How `serde_json` represents a number if the program enables its feature `arbitrary_precision`: as an object with its
/// digits, also in a `serde_json::Value`.
fn number_of<'a>(object: &[(Cow<'a, str>, VariableValue<'a>)]) -> Option<VariableValue<'a>> {
    let [(name, VariableValue::Text(digits))] = object else {
        return None;
    };
    let is_number = name == "$serde_json::private::Number";
    let number = is_number.then(|| Number::new(digits.clone())).flatten();
    number.map(VariableValue::Number)
}

/// Reads the members of an object whose names are the caller's.
fn read_members<'a, A: MapAccess<'a>>(
    state: &mut ReadState<'a>,
    parent: Location,
    mut members: A,
    mut take: impl FnMut(Cow<'a, str>, Location, VariableValue<'a>),
) -> Result<(), A::Error> {
    let mut known = Names::default();
    while let Some(name) = members.next_key::<MemberName<'a>>()? {
        let text = name.text.clone();
        if let Some(literals) = &mut state.literals {
            literals.pass_text(borrowed(&text));
        }
        let Some(location) = state.member(parent, name) else {
            ignore_value(state, &mut members)?;
            continue;
        };
        if !known.insert(text.clone()) {
            names::repeated(&mut state.report, location);
            ignore_value(state, &mut members)?;
            continue;
        }
        let problems = state.report.len();
        let seed = ValueSeed::<VariableValue<'a>>::new(state, location);
        match members.next_value_seed(seed)? {
            Some(value) => take(text, location, value),
            // What is of the wrong type is there: a template must not ask for it once more.
            None if state.report.len() > problems => {
                take(text, location, VariableValue::Text(Cow::Borrowed("")));
            }
            None => {}
        }
    }
    Ok(())
}

fn ignore_value<'a, A: MapAccess<'a>>(
    state: &mut ReadState<'a>,
    members: &mut A,
) -> Result<(), A::Error> {
    members.next_value::<IgnoredAny>()?;
    if let Some(literals) = &mut state.literals {
        literals.skip_value();
    }
    Ok(())
}

/// The names seen so far.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: std::collections::HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Up to this number, comparing all pairs is faster than hashing.
    const FEW: usize = 16;

    /// Whether the name is new.
    fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.len() < Self::FEW {
            let is_new = !self.few.contains(&name);
            self.few.push(name);
            return is_new;
        }
        !self.few.contains(&name) && self.many.insert(name)
    }
}
