//! Basic shapes: strings, booleans, arrays, one or many, a string or an object.

use super::definitions::Definitions;
use super::shape::{Located, ReadState, Shape, ValueSeed};
use crate::problem::Location;
use serde::de::{Error, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Text as it is.
impl<'a> Shape<'a> for Cow<'a, str> {
    const EXPECTED: &'static str = "a string";

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "string"})
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(text)
    }
}

/// Yes or no.
impl<'a> Shape<'a> for bool {
    const EXPECTED: &'static str = "true or false";
    const IS_BOOLEAN: bool = true;

    fn schema(_: &mut Definitions) -> Value {
        json!({"type": "boolean"})
    }

    fn boolean(_: &mut ReadState<'a>, _: Location, boolean: bool) -> Option<Self> {
        Some(boolean)
    }
}

/// A value that is too large to be moved about.
impl<'a, S: Shape<'a>> Shape<'a> for Box<S> {
    const EXPECTED: &'static str = S::EXPECTED;

    fn schema(definitions: &mut Definitions) -> Value {
        S::schema(definitions)
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        S::boxed_object(state, location, members)
    }
}

/// An array of one shape; `null` elements are as absent.
impl<'a, S: Shape<'a>> Shape<'a> for Vec<Located<S>> {
    const EXPECTED: &'static str = "an array (in Python and JavaScript any iterable)";

    fn schema(definitions: &mut Definitions) -> Value {
        json!({"type": "array", "items": S::schema(definitions)})
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut list = Self::with_capacity(elements.size_hint().unwrap_or(0).min(1024));
        for index in 0.. {
            let location = state.report.element(location, index);
            match elements.next_element_seed(ValueSeed::<S>::new(state, location))? {
                None => break,
                Some(None) => {}
                Some(Some(value)) => list.push(Located { location, value }),
            }
            if state.interruption.is_wanted() {
                return Err(A::Error::custom("interrupted"));
            }
        }
        Ok(Some(list))
    }
}

/// One value or an array of them.
#[derive(Debug)]
pub(crate) struct OneOrMany<S>(pub Vec<Located<S>>);

/// One string or several.
pub(crate) type JsonTexts<'a> = OneOrMany<Cow<'a, str>>;

impl<'a, S: Shape<'a>> Shape<'a> for OneOrMany<S> {
    const EXPECTED: &'static str = "a string or an array of strings";

    fn schema(definitions: &mut Definitions) -> Value {
        json!({"anyOf": [S::schema(definitions), Vec::<Located<S>>::schema(definitions)]})
    }

    fn text(state: &mut ReadState<'a>, location: Location, text: Cow<'a, str>) -> Option<Self> {
        let value = S::text(state, location, text)?;
        Some(Self(vec![Located { location, value }]))
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(Vec::list(state, location, elements)?.map(Self))
    }
}

/// An object that can also be written as a string.
pub(super) trait TextForm {
    /// The name of either form in the schema.
    const NAME: &'static str;
    const DESCRIPTION: &'static str;
}

/// A string, or an object that says the same with its members.
#[derive(Debug)]
pub(crate) enum TextOr<'a, O> {
    Text(Cow<'a, str>),
    Object(Box<O>),
}

impl<'a, O: Shape<'a> + TextForm> Shape<'a> for TextOr<'a, O> {
    const EXPECTED: &'static str = O::EXPECTED;

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.refer(O::NAME, |definitions| {
            json!({
                "description": O::DESCRIPTION,
                "anyOf": [{"type": "string"}, O::schema(definitions)],
            })
        })
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(O::boxed_object(state, location, members)?.map(Self::Object))
    }
}
