//! Attachments and finished messages: fields that may be bytes.

use super::choice::JsonWord;
use super::definitions::Definitions;
use super::object::object;
use super::shape::{Located, ReadState, Shape};
use super::words::{DispositionWord, Encoding};
use crate::problem::{Code, Location};
use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Content of an attachment: text of some encoding, or bytes where the language has them.
#[derive(Debug)]
pub(crate) enum JsonContent<'a> {
    /// Text; `encoding` says how it is written.
    Text(Cow<'a, str>),
    /// The bytes themselves.
    Bytes(Cow<'a, [u8]>),
}

impl<'a> Shape<'a> for JsonContent<'a> {
    const EXPECTED: &'static str = "a string, or bytes in languages that have them";

    fn schema(_: &mut Definitions) -> Value {
        // Languages that have bytes may give these instead.
        json!({"type": "string", "contentMediaType": "application/octet-stream"})
    }

    fn text(_: &mut ReadState<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn bytes(_: &mut ReadState<'a>, _: Location, bytes: Cow<'a, [u8]>) -> Option<Self> {
        Some(Self::Bytes(bytes))
    }

    /// What a language gives piece by piece: a generator, a set, a stream.
    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        let detail = "This must be the whole content as a string or bytes, not an array of pieces.";
        state.report.problem(location, Code::WrongType, detail);
        Ok(None)
    }
}

object! {
    /// An attached file or inline image.
    JsonAttachment,
    "an object with `filename` and `content`; a path is not read (Python: `pmtaemail.attachment`)" {
        /// The file name that readers see.
        filename("filename"): Cow<'a, str> { example: "report.pdf" },
        /// The content: base64 unless `encoding` says otherwise; bytes are taken as they are.
        content("content"): JsonContent<'a> {
            content: true, content_encoding: "base64", example: "JVBERi0xLjc="
        },
        /// In multipart/form-data, instead of `content`: the name of the part with the file.
        part("part"): Cow<'a, str> { example: "file1" },
        /// The media type; derived from the file name by default.
        content_type("contentType"): Cow<'a, str> { example: "application/pdf" },
        /// The name by which the HTML refers to it (`cid:`), which makes it inline.
        cid("cid", "contentId"): Cow<'a, str> { example: "logo" },
        /// Whether it is shown as an attachment or inline.
        disposition("disposition"): JsonWord<'a, DispositionWord>,
        /// How `content` is encoded; `base64` by default.
        encoding("encoding"): JsonWord<'a, Encoding>,
    }
}

object! {
    /// A finished message, as an object.
    JsonRawObject, "an object with `content`" {
        /// The message.
        content("content"): JsonContent<'a> { content: true, required: true },
        /// How `content` is encoded; `utf8` by default.
        encoding("encoding"): JsonWord<'a, Encoding>,
    }
}

/// A finished message. A text, or bytes, is the same as an object with `content` alone.
#[derive(Debug)]
pub(crate) struct JsonRaw<'a>(pub JsonRawObject<'a>);

impl<'a> JsonRaw<'a> {
    fn plain(location: Location, value: JsonContent<'a>) -> Self {
        Self(JsonRawObject {
            content: Some(Located { location, value }),
            encoding: None,
        })
    }
}

impl<'a> Shape<'a> for JsonRaw<'a> {
    const EXPECTED: &'static str = "a string, or an object with `content` and `encoding`";

    fn schema(definitions: &mut Definitions) -> Value {
        definitions.refer("JsonRaw", |definitions| {
            json!({
                "description": "A finished message (RFC 5322), or an object that says how it is \
                                written.",
                "anyOf": [
                    {"type": "string", "contentMediaType": "message/rfc822"},
                    JsonRawObject::schema(definitions),
                ],
            })
        })
    }

    fn text(_: &mut ReadState<'a>, location: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::plain(location, JsonContent::Text(text)))
    }

    fn bytes(_: &mut ReadState<'a>, location: Location, bytes: Cow<'a, [u8]>) -> Option<Self> {
        Some(Self::plain(location, JsonContent::Bytes(bytes)))
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(JsonRawObject::object(state, location, members)?.map(Self))
    }
}
