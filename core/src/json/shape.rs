//! The one visitor behind every value: it takes whatever comes and notes what should not have.

use super::NOT_UNICODE;
use super::recipients::JsonNumber;
use crate::problem::{Code, Location, ProblemReport};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, json};
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub location: Location,
    pub value: T,
}

/// What a reading carries from value to value.
pub(super) struct Reader<'a> {
    pub report: ProblemReport<'a>,
    /// Stands in a string for each half of a surrogate pair.
    lone_surrogate: Option<&'a str>,
}

impl<'a> Reader<'a> {
    pub fn new(lone_surrogate: Option<&'a str>) -> Self {
        Self {
            report: ProblemReport::new(),
            lone_surrogate,
        }
    }

    pub fn into_report(self) -> ProblemReport<'a> {
        self.report
    }

    /// Notes that the object at `parent` lacks a member that it must have.
    pub fn lacks(&mut self, parent: Location, name: &'static str) {
        let detail = "This must be given.";
        self.report
            .missing(parent, &[name], Code::MissingField, detail);
    }

    /// The location of a member; `None` where its name is no text, which is a problem then.
    pub fn member(&mut self, parent: Location, name: Cow<'a, str>) -> Option<Location> {
        let mark = self.lone_surrogate.unwrap_or(NOT_UNICODE);
        if !name.contains(mark) {
            return Some(self.report.member(parent, name));
        }
        let name = name.replace(mark, "\u{fffd}");
        let location = self.report.member(parent, name.into());
        let detail = "This name holds half of a surrogate pair, which is no character.";
        self.report.problem(location, Code::LoneSurrogate, detail);
        None
    }

    fn has_lone_surrogate(&self, text: &str) -> bool {
        std::ptr::eq(text, NOT_UNICODE)
            || self.lone_surrogate.is_some_and(|mark| text.contains(mark))
    }
}

/// The types that a value may have. Each method is one JSON type; those that a shape leaves alone
/// are the wrong type for it.
pub(super) trait Shape<'a>: Sized {
    /// What the value should be, for the sentence "This must be …".
    const EXPECTED: &'static str;

    /// The value's JSON Schema.
    fn schema() -> Value;

    fn text(reader: &mut Reader<'a>, location: Location, _text: Cow<'a, str>) -> Option<Self> {
        wrong_type::<Self>(reader, location)
    }

    /// Octets come from the doors of languages that have them; JSON has none.
    fn octets(reader: &mut Reader<'a>, location: Location, _octets: Cow<'a, [u8]>) -> Option<Self> {
        wrong_type::<Self>(reader, location)
    }

    fn boolean(reader: &mut Reader<'a>, location: Location, _boolean: bool) -> Option<Self> {
        wrong_type::<Self>(reader, location)
    }

    fn number(reader: &mut Reader<'a>, location: Location, _number: JsonNumber) -> Option<Self> {
        wrong_type::<Self>(reader, location)
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(wrong_type::<Self>(reader, location))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        mut members: A,
    ) -> Result<Option<Self>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(wrong_type::<Self>(reader, location))
    }
}

pub(super) fn wrong_type<'a, S: Shape<'a>>(
    reader: &mut Reader<'a>,
    location: Location,
) -> Option<S> {
    let detail = format!("This must be {}.", S::EXPECTED);
    reader.report.problem(location, Code::WrongType, detail);
    None
}

/// Reads one value of shape `S` at a location: `None` for null and for what became a problem.
pub(super) struct Seed<'r, 'a, S> {
    reader: &'r mut Reader<'a>,
    location: Location,
    shape: PhantomData<S>,
}

impl<'r, 'a, S: Shape<'a>> Seed<'r, 'a, S> {
    pub fn new(reader: &'r mut Reader<'a>, location: Location) -> Self {
        Self {
            reader,
            location,
            shape: PhantomData,
        }
    }

    fn take(self, text: Cow<'a, str>) -> Option<S> {
        if self.reader.has_lone_surrogate(&text) {
            let detail = "This holds half of a surrogate pair, which is no character.";
            self.reader
                .report
                .problem(self.location, Code::LoneSurrogate, detail);
            return None;
        }
        S::text(self.reader, self.location, text)
    }
}

impl<'a, S: Shape<'a>> DeserializeSeed<'a> for Seed<'_, 'a, S> {
    type Value = Option<S>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Option<S>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a, S: Shape<'a>> Visitor<'a> for Seed<'_, 'a, S> {
    type Value = Option<S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(S::EXPECTED)
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Option<S>, E> {
        Ok(self.take(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<S>, E> {
        Ok(self.take(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Option<S>, E> {
        Ok(self.take(Cow::Owned(text)))
    }

    fn visit_borrowed_bytes<E>(self, octets: &'a [u8]) -> Result<Option<S>, E> {
        Ok(S::octets(self.reader, self.location, Cow::Borrowed(octets)))
    }

    fn visit_bytes<E>(self, octets: &[u8]) -> Result<Option<S>, E> {
        Ok(S::octets(
            self.reader,
            self.location,
            Cow::Owned(octets.to_owned()),
        ))
    }

    fn visit_byte_buf<E>(self, octets: Vec<u8>) -> Result<Option<S>, E> {
        Ok(S::octets(self.reader, self.location, Cow::Owned(octets)))
    }

    fn visit_unit<E>(self) -> Result<Option<S>, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Option<S>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'a>>(self, deserializer: D) -> Result<Option<S>, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Option<S>, E> {
        Ok(S::boolean(self.reader, self.location, boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<S>, E> {
        let number = JsonNumber::Integer(number.into());
        Ok(S::number(self.reader, self.location, number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<S>, E> {
        let number = JsonNumber::Integer(number.into());
        Ok(S::number(self.reader, self.location, number))
    }

    /// Too large for JSON's readers. Formats also give such a number for what JSON cannot say.
    fn visit_i128<E>(self, _: i128) -> Result<Option<S>, E> {
        Ok(wrong_type(self.reader, self.location))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<S>, E> {
        let number = JsonNumber::of_float(number);
        Ok(S::number(self.reader, self.location, number))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, elements: A) -> Result<Option<S>, A::Error> {
        S::list(self.reader, self.location, elements)
    }

    fn visit_map<A: MapAccess<'a>>(self, members: A) -> Result<Option<S>, A::Error> {
        S::object(self.reader, self.location, members)
    }
}

/// Text as it is.
impl<'a> Shape<'a> for Cow<'a, str> {
    const EXPECTED: &'static str = "a string";

    fn schema() -> Value {
        json!({"type": "string"})
    }

    fn text(_: &mut Reader<'a>, _: Location, text: Cow<'a, str>) -> Option<Self> {
        Some(text)
    }
}

/// Yes or no.
impl<'a> Shape<'a> for bool {
    const EXPECTED: &'static str = "true or false";

    fn schema() -> Value {
        json!({"type": "boolean"})
    }

    fn boolean(_: &mut Reader<'a>, _: Location, boolean: bool) -> Option<Self> {
        Some(boolean)
    }
}

/// A value that is too large to be moved about.
impl<'a, S: Shape<'a>> Shape<'a> for Box<S> {
    const EXPECTED: &'static str = S::EXPECTED;

    fn schema() -> Value {
        S::schema()
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(S::object(reader, location, members)?.map(Self::new))
    }
}

/// An array of one shape; `null` elements are as absent.
impl<'a, S: Shape<'a>> Shape<'a> for Vec<Located<S>> {
    const EXPECTED: &'static str = "an array";

    fn schema() -> Value {
        json!({"type": "array", "items": S::schema()})
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        let mut list = Self::with_capacity(elements.size_hint().unwrap_or(0).min(1024));
        for index in 0.. {
            let location = reader.report.element(location, index);
            match elements.next_element_seed(Seed::<S>::new(reader, location))? {
                None => break,
                Some(None) => {}
                Some(Some(value)) => list.push(Located { location, value }),
            }
        }
        Ok(Some(list))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Message, NOT_UNICODE};
    use serde::de::value::{BorrowedBytesDeserializer, Error, MapDeserializer};
    use serde::de::{Deserializer, IntoDeserializer, Visitor, value::BorrowedStrDeserializer};

    /// A value of a format that can lend octets.
    enum Value {
        Text(&'static str),
        Octets(&'static [u8]),
    }

    impl<'de> Deserializer<'de> for Value {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Text(text) => BorrowedStrDeserializer::new(text).deserialize_any(visitor),
                Self::Octets(octets) => {
                    BorrowedBytesDeserializer::new(octets).deserialize_any(visitor)
                }
            }
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
            ignored_any
        }
    }

    impl IntoDeserializer<'_> for Value {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }

    #[test]
    fn null_is_no_message() {
        let problems = Message::from_json(b"null").unwrap_err();
        let seen: Vec<_> = problems
            .iter()
            .map(|problem| problem.code().as_str())
            .collect();
        assert_eq!(seen, ["wrong_type"]);
    }

    #[test]
    fn other_formats_lend_octets_and_say_what_is_not_unicode() {
        let members = [
            ("from", Value::Text("a@example.com")),
            ("to", Value::Octets(b"b@example.org")),
            ("subject", Value::Text(NOT_UNICODE)),
            (
                "text",
                Value::Text(concat!("\u{fdd0}half of a surrogate pair", "\u{fdd1}")),
            ),
        ];
        let message = MapDeserializer::new(members.into_iter());
        let problems = Message::from_deserializer(message).unwrap().unwrap_err();
        let seen: Vec<_> = problems
            .iter()
            .map(|problem| (problem.pointer(), problem.code().as_str()))
            .collect();
        assert_eq!(
            seen,
            [("/to", "wrong_type"), ("/subject", "lone_surrogate")]
        );
    }
}
