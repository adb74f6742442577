//! Recipients of a mail merge, with values of their own.

use super::choice::{Choice, JsonWord};
use super::definitions::Definitions;
use super::headers::JsonHeaders;
use super::mailbox::JsonMailboxObject;
use super::object::object;
use super::plain::{TextForm, TextOr};
use super::shape::{ReadState, Shape, wrong_type};
use super::words::Priority;
use crate::number::Number;
use crate::problem::Location;
use crate::variable::{Variable, VariableValue};
use serde::de::MapAccess;
use serde_json::{Value, json};
use std::borrow::Cow;

object! {
    /// A recipient of a mail merge as an object.
    JsonRecipientObject,
    "a recipient: a string, or an object with `name`, `address` and `variables`" {
        /// Its display name.
        name("name"): Cow<'a, str> { example: "Ann Lee" },
        /// Its addr-spec.
        address("address", "email"): Cow<'a, str> {
            required: true, format: "idn-email", example: "ann@example.com"
        },
        /// Values for the template; they win over the message's.
        variables("variables"): Vec<Variable<'a>>,
        /// Envelope sender address; `"<>"` is the null reverse-path.
        sender("sender"): Cow<'a, str> { example: "bounces@example.com" },
        /// PowerMTA's envelope id; made when absent.
        envid("envid"): Cow<'a, str> { example: "ann-42" },
        /// PowerMTA's job.
        job("job"): Cow<'a, str> { example: "spring" },
        /// The virtual MTA, or pool, to send through.
        vmta("vmta"): Cow<'a, str> { example: "bulk" },
        /// PowerMTA's subaccount id.
        subaccount_id("subaccountId"): Cow<'a, str> { example: "shop-7" },
        /// PowerMTA's custom message id.
        custom_message_id("customMessageId"): Cow<'a, str> { example: "spring-42-ann" },
        /// Its own header fields. Each stands in place of the message's fields of this name, or beside
        /// the message's others. `To` and `Cc` are shown and deliver nothing.
        headers("headers"): JsonHeaders<'a>,
        /// `high`, `normal` or `low` for the header, or PowerMTA's own priority from 1 to 100.
        priority("priority"): JsonPriority<'a>,
    }
}

impl<'a> JsonRecipientObject<'a> {
    /// Name and address alone.
    pub fn take_mailbox(&mut self) -> JsonMailboxObject<'a> {
        JsonMailboxObject {
            name: self.name.take(),
            address: self.address.take(),
        }
    }
}

/// A recipient of a mail merge: a mailbox as a text, or with what is its own.
pub(crate) type JsonRecipient<'a> = TextOr<'a, JsonRecipientObject<'a>>;

impl TextForm for JsonRecipientObject<'_> {
    const NAME: &'static str = "JsonRecipient";
    const DESCRIPTION: &'static str =
        "A recipient of a mail merge: a mailbox, or an object with what is this recipient's own.";
}

/// How urgent a message is, in words or as PowerMTA counts.
#[derive(Debug)]
pub(crate) enum JsonPriority<'a> {
    Word(JsonWord<'a, Priority>),
    Number(Number<'a>),
}

impl<'a> Shape<'a> for JsonPriority<'a> {
    const EXPECTED: &'static str = "`high`, `normal`, `low` or a number from 1 to 100";

    fn schema(definitions: &mut Definitions) -> Value {
        json!({"anyOf": [
            Priority::schema(definitions),
            {"type": "integer", "minimum": 1, "maximum": 100},
        ]})
    }

    fn text(state: &mut ReadState<'a>, location: Location, text: Cow<'a, str>) -> Option<Self> {
        JsonWord::text(state, location, text).map(Self::Word)
    }

    fn number(_: &mut ReadState<'a>, _: Location, number: Number<'a>) -> Option<Self> {
        Some(Self::Number(number))
    }

    /// Some formats have no other form for numbers that keep their digits.
    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        match VariableValue::object(state, location, members)? {
            Some(VariableValue::Number(number)) => Ok(Some(Self::Number(number))),
            _ => Ok(wrong_type(state, location)),
        }
    }
}
