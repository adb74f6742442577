//! The shapes of mail merge: recipients with values of their own.

use super::object::{Name, object};
use super::shape::{Reader, Seed, Shape, wrong_type};
use super::values::JsonMailboxParts;
use crate::problem::Location;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

object! {
    /// A recipient of a mail merge as an object.
    JsonRecipientParts, "an object with `name`, `address` and what is this recipient's own" {
        /// Its display name.
        name("name"): Cow<'a, str>,
        /// Its addr-spec.
        address("address", "email"): Cow<'a, str>,
        /// Values for the template; they win over the message's.
        variables("variables"): JsonVariables<'a>,
        /// Envelope sender address; `"<>"` is the null reverse-path.
        sender("sender"): Cow<'a, str>,
        /// PowerMTA's envelope id; made when absent.
        envid("envid"): Cow<'a, str>,
        /// PowerMTA's job.
        job("job"): Cow<'a, str>,
        /// The virtual MTA, or pool, to send through.
        vmta("vmta"): Cow<'a, str>,
        /// `high`, `normal` or `low`, or PowerMTA's priority from 1 to 100.
        priority("priority"): JsonPriority<'a>,
    }
}

impl<'a> JsonRecipientParts<'a> {
    /// Name and address alone.
    pub fn take_mailbox(&mut self) -> JsonMailboxParts<'a> {
        JsonMailboxParts {
            name: self.name.take(),
            address: self.address.take(),
        }
    }
}

/// A recipient of a mail merge.
#[derive(Debug)]
pub(crate) enum JsonRecipient<'a> {
    /// A mailbox in the form of RFC 5322.
    Text(Cow<'a, str>),
    /// With what is its own.
    Parts(Box<JsonRecipientParts<'a>>),
}

impl<'a> Shape<'a> for JsonRecipient<'a> {
    const EXPECTED: &'static str =
        "a recipient: a string, or an object with `name`, `address` and `variables`";

    fn schema() -> Value {
        json!({"anyOf": [{"type": "string"}, JsonRecipientParts::schema()]})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let parts = JsonRecipientParts::object(reader, location, members)?;
        Ok(parts.map(|parts| Self::Parts(Box::new(parts))))
    }
}

/// How urgent a message is, in words or as PowerMTA counts.
#[derive(Debug)]
pub(crate) enum JsonPriority<'a> {
    Word(Cow<'a, str>),
    Number(JsonNumber),
}

impl<'a> Shape<'a> for JsonPriority<'a> {
    const EXPECTED: &'static str = "`high`, `normal`, `low` or a number from 1 to 100";

    fn schema() -> Value {
        json!({"anyOf": [
            {"type": "string"},
            {"type": "integer", "minimum": 1, "maximum": 100},
        ]})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Word(text))
    }

    fn number(_: &mut Reader<'a>, _: Location, number: JsonNumber) -> Option<Self> {
        Some(Self::Number(number))
    }
}

/// Values by their names, in the order of the document. A name that comes again is a problem.
#[derive(Debug, Default)]
pub(crate) struct JsonVariables<'a>(pub Vec<JsonVariable<'a>>);

/// One value with its name.
#[derive(Debug)]
pub(crate) struct JsonVariable<'a> {
    pub name: Cow<'a, str>,
    pub location: Location,
    pub value: JsonValue<'a>,
}

impl<'a> Shape<'a> for JsonVariables<'a> {
    const EXPECTED: &'static str = "an object of names and values";

    fn schema() -> Value {
        json!({"type": "object"})
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut variables = Vec::with_capacity(members.size_hint().unwrap_or(0).min(64));
        read_members(reader, location, members, |name, location, value| {
            variables.push(JsonVariable {
                name,
                location,
                value,
            });
        })?;
        Ok(Some(Self(variables)))
    }
}

/// A value of any type. `null` is as absent and is none.
#[derive(Debug, Clone)]
pub(crate) enum JsonValue<'a> {
    Text(Cow<'a, str>),
    Number(JsonNumber),
    Boolean(bool),
    List(Vec<JsonValue<'a>>),
    Object(Vec<(Cow<'a, str>, JsonValue<'a>)>),
}

/// A number. One without a fraction is an integer, however it is written: not every language can
/// tell 1.0 from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum JsonNumber {
    Integer(i128),
    Float(f64),
}

impl JsonNumber {
    /// A number of the floating kind.
    pub fn of_float(number: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && number.abs() <= EXACT {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "it is an integer of 54 bits"
            )]
            return Self::Integer(number as i128);
        }
        Self::Float(number)
    }
}

impl<'a> Shape<'a> for JsonValue<'a> {
    const EXPECTED: &'static str = "a value";

    fn schema() -> Value {
        json!({})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn boolean(_: &mut Reader<'a>, _: Location, boolean: bool) -> Option<Self> {
        Some(Self::Boolean(boolean))
    }

    fn number(reader: &mut Reader<'a>, location: Location, number: JsonNumber) -> Option<Self> {
        // Some formats know numbers that JSON cannot say.
        if matches!(number, JsonNumber::Float(number) if !number.is_finite()) {
            return wrong_type(reader, location);
        }
        Some(Self::Number(number))
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut list = Vec::with_capacity(elements.size_hint().unwrap_or(0).min(64));
        for index in 0.. {
            let location = reader.report.element(location, index);
            match elements.next_element_seed(Seed::<Self>::new(reader, location))? {
                None => break,
                Some(value) => list.extend(value),
            }
        }
        Ok(Some(Self::List(list)))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut object = Vec::with_capacity(members.size_hint().unwrap_or(0).min(64));
        read_members(reader, location, members, |name, _, value| {
            object.push((name, value));
        })?;
        Ok(Some(Self::Object(object)))
    }
}

/// Reads the members of an object whose names are the caller's.
fn read_members<'a, A: MapAccess<'a>>(
    reader: &mut Reader<'a>,
    parent: Location,
    mut members: A,
    mut take: impl FnMut(Cow<'a, str>, Location, JsonValue<'a>),
) -> Result<(), A::Error> {
    let mut names = Names::default();
    while let Some(Name(name)) = members.next_key()? {
        let Some(location) = reader.member(parent, name.clone()) else {
            members.next_value::<IgnoredAny>()?;
            continue;
        };
        if !names.insert(name.clone()) {
            super::names::repeated(&mut reader.report, location);
            members.next_value::<IgnoredAny>()?;
            continue;
        }
        let seed = Seed::<JsonValue<'a>>::new(reader, location);
        if let Some(value) = members.next_value_seed(seed)? {
            take(name, location, value);
        }
    }
    Ok(())
}

/// The names that were seen.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: std::collections::HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    /// Up to here comparing each with each is quicker than hashing.
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
