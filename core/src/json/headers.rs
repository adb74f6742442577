//! Header fields of the caller's own.

use super::definitions::Definitions;
use super::object::object;
use super::plain::{JsonTexts, OneOrMany};
use super::shape::{Located, MemberName, ReadState, Shape, ValueSeed};
use crate::problem::Location;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

object! {
    /// An additional header field, in the list form.
    JsonHeaderObject, "an object with `name` and `value`" {
        /// The field name.
        name("name"): Cow<'a, str> { required: true, example: "X-Campaign" },
        /// The field body; several make as many fields.
        value("value"): JsonTexts<'a> { required: true, example: "spring" },
    }
}

/// Header fields of the caller's own: an object of names and values, or a list of
/// `{name, value}`.
#[derive(Debug)]
pub(crate) struct JsonHeaders<'a>(pub Vec<JsonHeader<'a>>);

/// One name with its values.
#[derive(Debug)]
pub(crate) struct JsonHeader<'a> {
    pub name: Located<Cow<'a, str>>,
    pub values: Vec<Located<Cow<'a, str>>>,
}

impl<'a> Shape<'a> for JsonHeaders<'a> {
    const EXPECTED: &'static str =
        "an object of names and values, or an array of objects with `name` and `value`";

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.refer("JsonHeaders", |definitions| {
            let values = JsonTexts::schema(definitions);
            json!({
                "description": "Additional header fields: an object of names and values, or a list \
                                of objects.",
                "anyOf": [
                    {"type": "object", "additionalProperties": values},
                    Vec::<Located<JsonHeaderObject<'a>>>::schema(definitions),
                ],
            })
        })
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut headers = Vec::new();
        while let Some(name) = members.next_key::<MemberName<'a>>()? {
            let text = name.text.clone();
            let Some(location) = state.member(location, name) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let values =
                members.next_value_seed(ValueSeed::<JsonTexts<'a>>::new(state, location))?;
            if let Some(OneOrMany(values)) = values {
                let name = Located {
                    location,
                    value: text,
                };
                headers.push(JsonHeader { name, values });
            }
        }
        Ok(Some(Self(headers)))
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let Some(list) = Vec::<Located<JsonHeaderObject<'a>>>::list(state, location, elements)?
        else {
            return Ok(None);
        };
        let mut headers = Vec::with_capacity(list.len());
        for Located { location, value } in list {
            if value.name.is_none() {
                state.lacks(location, "name");
            }
            if value.value.is_none() {
                state.lacks(location, "value");
            }
            if let (Some(name), Some(values)) = (value.name, value.value) {
                let values = values.value.0;
                headers.push(JsonHeader { name, values });
            }
        }
        Ok(Some(Self(headers)))
    }
}
