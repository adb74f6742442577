//! The shapes of the message's values.

use super::object::{Name, object};
use super::shape::{Located, Reader, Seed, Shape};
use crate::problem::Location;
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

object! {
    /// A mailbox as an object.
    JsonMailboxParts, "an object with `name` and `address`" {
        /// Its display name.
        name("name"): Cow<'a, str>,
        /// Its addr-spec.
        address("address", "email"): Cow<'a, str>,
    }
}

/// A mailbox as JSON writes it.
#[derive(Debug)]
pub(crate) enum JsonMailbox<'a> {
    /// In the form of RFC 5322.
    Text(Cow<'a, str>),
    /// Name and address apart.
    Parts(Box<JsonMailboxParts<'a>>),
}

impl<'a> Shape<'a> for JsonMailbox<'a> {
    const EXPECTED: &'static str = "a mailbox: a string, or an object with `name` and `address`";

    fn schema() -> Value {
        json!({"anyOf": [{"type": "string"}, JsonMailboxParts::schema()]})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let parts = JsonMailboxParts::object(reader, location, members)?;
        Ok(parts.map(|parts| Self::Parts(Box::new(parts))))
    }
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

    fn schema() -> Value {
        json!({"anyOf": [JsonMailbox::schema(), Vec::<Located<JsonMailbox<'a>>>::schema()]})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::One(JsonMailbox::Text(text)))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(JsonMailbox::object(reader, location, members)?.map(Self::One))
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(Vec::list(reader, location, elements)?.map(Self::List))
    }
}

/// One text or several.
#[derive(Debug)]
pub(crate) struct JsonTexts<'a>(pub Vec<Located<Cow<'a, str>>>);

impl<'a> Shape<'a> for JsonTexts<'a> {
    const EXPECTED: &'static str = "a string or an array of strings";

    fn schema() -> Value {
        json!({"anyOf": [Cow::<str>::schema(), Vec::<Located<Cow<'a, str>>>::schema()]})
    }

    fn text(_: &mut Reader<'a>, location: Location, value: Cow<'a, str>) -> Option<Self> {
        Some(Self(vec![Located { location, value }]))
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(Vec::list(reader, location, elements)?.map(Self))
    }
}

/// Content of an attachment: text of some encoding, or octets where the language has them.
#[derive(Debug)]
pub(crate) enum JsonContent<'a> {
    /// Text; what it stands for is said beside it.
    Text(Cow<'a, str>),
    /// The octets themselves.
    Octets(Cow<'a, [u8]>),
}

impl<'a> Shape<'a> for JsonContent<'a> {
    const EXPECTED: &'static str = "a string";

    fn schema() -> Value {
        // Languages that have octets may give them instead.
        json!({"type": "string", "contentEncoding": "base64"})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn octets(_: &mut Reader<'a>, _: Location, octets: Cow<'a, [u8]>) -> Option<Self> {
        Some(Self::Octets(octets))
    }
}

object! {
    /// A file that travels with the message.
    JsonAttachment, "an object: one attachment" {
        /// Its name, as the reader shall see it.
        filename("filename"): Cow<'a, str>,
        /// Base64, unless `encoding` says otherwise.
        content("content"): JsonContent<'a>,
        /// In multipart/form-data, in place of `content`: the name of the form's part with the file.
        part("part"): Cow<'a, str>,
        /// Its media type; made from the name when absent.
        content_type("contentType"): Cow<'a, str>,
        /// The name by which the HTML refers to it (`cid:`); makes it inline.
        cid("cid", "contentId"): Cow<'a, str>,
        /// `attachment` or `inline`.
        disposition("disposition"): Cow<'a, str>,
        /// How `content` is written: `base64` or `utf8`.
        encoding("encoding"): Cow<'a, str>,
    }
}

object! {
    /// A finished message as an object.
    JsonRawParts, "an object with `content`" {
        /// The message.
        content("content"): JsonContent<'a>,
        /// How `content` is written: `utf8` or `base64`.
        encoding("encoding"): Cow<'a, str>,
    }
}

/// A finished message.
#[derive(Debug)]
pub(crate) enum JsonRaw<'a> {
    /// As it is.
    Content(JsonContent<'a>),
    /// With its encoding.
    Parts(JsonRawParts<'a>),
}

impl<'a> Shape<'a> for JsonRaw<'a> {
    const EXPECTED: &'static str = "a string, or an object with `content` and `encoding`";

    fn schema() -> Value {
        json!({"anyOf": [{"type": "string"}, JsonRawParts::schema()]})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Content(JsonContent::Text(text)))
    }

    fn octets(_: &mut Reader<'a>, _: Location, octets: Cow<'a, [u8]>) -> Option<Self> {
        Some(Self::Content(JsonContent::Octets(octets)))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(JsonRawParts::object(reader, location, members)?.map(Self::Parts))
    }
}

object! {
    /// An invitation or its like (RFC 5546).
    JsonCalendar, "an object with `method` and `content`" {
        /// The iTIP method, such as REQUEST.
        method("method"): Cow<'a, str>,
        /// The iCalendar object.
        content("content"): Cow<'a, str>,
    }
}

object! {
    /// Ways to leave the list.
    JsonUnsubscribe, "an object with `url` or `mailto`" {
        /// A web address.
        url("url"): Cow<'a, str>,
        /// An address to which a mail is sent.
        mailto("mailto"): Cow<'a, str>,
        /// Whether one POST to `url` is enough (RFC 8058).
        one_click("oneClick"): bool,
    }
}

object! {
    /// Which key signs.
    JsonDkim, "an object with `selector`, `domain`, `identity`, `keyList`" {
        /// s=
        selector("selector"): Cow<'a, str>,
        /// d=
        domain("domain"): Cow<'a, str>,
        /// i=
        identity("identity"): Cow<'a, str>,
        /// key-list=
        key_list("keyList"): Cow<'a, str>,
    }
}

object! {
    /// A time in which the message may be delivered.
    JsonWindow, "an object with `start` and `end`" {
        /// RFC 3339.
        start("start"): Cow<'a, str>,
        /// RFC 3339.
        end("end"): Cow<'a, str>,
    }
}

object! {
    /// Delivery status notifications (RFC 3461).
    JsonDsn, "an object with `notify` and `ret`" {
        /// For which events.
        notify("notify"): JsonTexts<'a>,
        /// How much of the message comes back: `full` or `headers`.
        ret("ret"): Cow<'a, str>,
    }
}

object! {
    /// A header field of the caller's own, in the list form.
    JsonHeaderParts, "an object with `name` and `value`" {
        /// Its name.
        name("name"): Cow<'a, str>,
        /// Its body; several make as many fields.
        value("value"): JsonTexts<'a>,
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

    fn schema() -> Value {
        json!({"anyOf": [
            {"type": "object", "additionalProperties": JsonTexts::schema()},
            Vec::<Located<JsonHeaderParts<'a>>>::schema(),
        ]})
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        mut members: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut headers = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            let Some(location) = reader.member(location, name.clone()) else {
                members.next_value::<IgnoredAny>()?;
                continue;
            };
            let values = members.next_value_seed(Seed::<JsonTexts<'a>>::new(reader, location))?;
            if let Some(JsonTexts(values)) = values {
                let name = Located {
                    location,
                    value: name,
                };
                headers.push(JsonHeader { name, values });
            }
        }
        Ok(Some(Self(headers)))
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let Some(list) = Vec::<Located<JsonHeaderParts<'a>>>::list(reader, location, elements)?
        else {
            return Ok(None);
        };
        let mut headers = Vec::with_capacity(list.len());
        for Located {
            location,
            value: parts,
        } in list
        {
            match (parts.name, parts.value) {
                (Some(name), Some(values)) => headers.push(JsonHeader {
                    name,
                    values: values.value.0,
                }),
                (name, values) => {
                    if name.is_none() {
                        reader.lacks(location, "name");
                    }
                    if values.is_none() {
                        reader.lacks(location, "value");
                    }
                }
            }
        }
        Ok(Some(Self(headers)))
    }
}
