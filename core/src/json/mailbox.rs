//! Mailboxes.

use super::definitions::Definitions;
use super::object::object;
use super::plain::{TextForm, TextOr};
use super::shape::{Located, ReadState, Shape};
use crate::problem::Location;
use serde::de::{MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

object! {
    /// A mailbox, as an object.
    JsonMailboxObject, "a mailbox: a string, or an object with `name` and `address`" {
        /// The display name.
        name("name"): Cow<'a, str> { example: "Ann Lee" },
        /// The address.
        address("address", "email"): Cow<'a, str> {
            required: true, format: "idn-email", example: "ann@example.com"
        },
    }
}

/// A mailbox: a text in the form of RFC 5322, or name and address apart.
pub(crate) type JsonMailbox<'a> = TextOr<'a, JsonMailboxObject<'a>>;

impl TextForm for JsonMailboxObject<'_> {
    const NAME: &'static str = "JsonMailbox";
    const DESCRIPTION: &'static str =
        "A mailbox: `ann@example.com`, `Ann Lee <ann@example.com>`, or an object.";
}

/// One or several mailboxes.
#[derive(Debug)]
pub(crate) enum JsonMailboxes<'a> {
    /// A string (which may be a comma-separated list) or one object.
    One(JsonMailbox<'a>),
    /// An array of mailboxes.
    List(Vec<Located<JsonMailbox<'a>>>),
}

impl<'a> Shape<'a> for JsonMailboxes<'a> {
    const EXPECTED: &'static str =
        "a mailbox (a string, or an object with `name` and `address`) or an array of them";

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.refer("JsonMailboxes", |definitions| {
            json!({
                "description": "A mailbox, an array of them, or a string that separates them with commas.",
                "anyOf": [
                    JsonMailbox::schema(definitions),
                    Vec::<Located<JsonMailbox<'a>>>::schema(definitions),
                ],
            })
        })
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::One(JsonMailbox::Text(text)))
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(JsonMailbox::object(state, location, members)?.map(Self::One))
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(Vec::list(state, location, elements)?.map(Self::List))
    }
}
