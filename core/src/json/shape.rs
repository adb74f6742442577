//! The one visitor behind every value: it accepts anything and reports what does not belong.

use super::definitions::Definitions;
use super::foreign::Foreign;
use super::literals::Ahead;
use super::row::Row;
pub(super) use super::state::{MemberName, ReadState};
use crate::number::Number;
use crate::problem::{Code, Location};
use crate::text::borrowed;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, marker::PhantomData};

/// A value and its location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub location: Location,
    pub value: T,
}

/// The types that a value may have. Each method handles one JSON type; those that a shape does not implement report a
/// wrong type.
pub(super) trait Shape<'a>: Sized {
    /// What the value should be, for the sentence "This must be …".
    const EXPECTED: &'static str;

    /// Whether it is a boolean, which a format that only has strings cannot tell from the words.
    const IS_BOOLEAN: bool = false;

    /// Whether its numbers keep the digits that they were written with.
    const KEEPS_DIGITS: bool = false;

    /// The JSON Schema of the value. Schemas with a name go into the definitions.
    fn schema(definitions: &mut Definitions) -> Value;

    fn text(state: &mut ReadState<'a>, location: Location, _text: Cow<'a, str>) -> Option<Self> {
        wrong_type::<Self>(state, location)
    }

    /// Bytes come from languages that have them; JSON does not.
    fn bytes(state: &mut ReadState<'a>, location: Location, _bytes: Cow<'a, [u8]>) -> Option<Self> {
        wrong_type_because::<Self>(state, location, ", not bytes: decode them first")
    }

    fn boolean(state: &mut ReadState<'a>, location: Location, _boolean: bool) -> Option<Self> {
        wrong_type::<Self>(state, location)
    }

    fn number(state: &mut ReadState<'a>, location: Location, _number: Number<'a>) -> Option<Self> {
        wrong_type::<Self>(state, location)
    }

    fn list<A: SeqAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut elements: A,
    ) -> Result<Option<Self>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        let why = if location == Location::ROOT {
            NOT_SEVERAL
        } else {
            ""
        };
        Ok(wrong_type_because::<Self>(state, location, why))
    }

    fn object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        mut members: A,
    ) -> Result<Option<Self>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(wrong_type::<Self>(state, location))
    }

    /// Like [`object`](Self::object) but boxed, for an object that is too large to be moved around.
    fn boxed_object<A: MapAccess<'a>>(
        state: &mut ReadState<'a>,
        location: Location,
        members: A,
    ) -> Result<Option<Box<Self>>, A::Error> {
        Ok(Self::object(state, location, members)?.map(Box::new))
    }
}

/// The problem of an array in place of a message.
const NOT_SEVERAL: &str = ", not an array. To send several messages as a batch, post them to \
                           /messages/batch or use `submit --batch`, `submit_many` in Python or \
                           `submitMany` in Node";

pub(super) fn wrong_type<'a, S: Shape<'a>>(
    state: &mut ReadState<'a>,
    location: Location,
) -> Option<S> {
    wrong_type_because(state, location, "")
}

/// `why` ends the sentence.
fn wrong_type_because<'a, S: Shape<'a>>(
    state: &mut ReadState<'a>,
    location: Location,
    why: &str,
) -> Option<S> {
    let detail = format!("This must be {}{why}.", S::EXPECTED);
    state.report.problem(location, Code::WrongType, detail);
    None
}

/// Reads one value of shape `S` at a location: `None` for null, and if it became a problem.
pub(super) struct ValueSeed<'r, 'a, S> {
    state: &'r mut ReadState<'a>,
    location: Location,
    refuses_stand_ins: bool,
    shape: PhantomData<S>,
}

impl<'r, 'a, S: Shape<'a>> ValueSeed<'r, 'a, S> {
    pub fn new(state: &'r mut ReadState<'a>, location: Location) -> Self {
        Self {
            state,
            location,
            refuses_stand_ins: false,
            shape: PhantomData,
        }
    }

    /// Reads the value of a field.
    pub fn of_field(mut self, row: &Row) -> Self {
        self.refuses_stand_ins = row.is_content;
        self
    }

    fn take(self, text: Cow<'a, str>) -> Option<S> {
        if let Some(literals) = self.state.literals.as_mut().filter(|_| S::KEEPS_DIGITS) {
            literals.pass_text(borrowed(&text));
        }
        if self.state.has_lone_surrogate(self.location, &text) {
            return None;
        }
        S::text(self.state, self.location, text)
    }

    fn take_float(self, number: Option<Number<'a>>) -> Option<S> {
        let Some(number) = number else {
            // Some formats know numbers that JSON cannot say.
            let why = ", not NaN or infinity: leave it out, or give null";
            return wrong_type_because(self.state, self.location, why);
        };
        S::number(self.state, self.location, number)
    }
}

impl<'a, S: Shape<'a>> DeserializeSeed<'a> for ValueSeed<'_, 'a, S> {
    type Value = Option<S>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Option<S>, D::Error> {
        let literals = self.state.literals.as_mut().filter(|_| S::KEEPS_DIGITS);
        let Some(literals) = literals else {
            return deserializer.deserialize_any(self);
        };
        match literals.next() {
            Ahead::Number(literal) => {
                IgnoredAny::deserialize(deserializer)?;
                let number = Number::of_reader(literal);
                Ok(S::number(self.state, self.location, number))
            }
            Ahead::Other => deserializer.deserialize_any(self),
            // The value of the first name, which has escapes.
            Ahead::Unknown => {
                let value = <&RawValue>::deserialize(deserializer)?.get();
                literals.begin(value);
                let mut deserializer = serde_json::Deserializer::from_str(value);
                self.deserialize(&mut deserializer)
                    .map_err(D::Error::custom)
            }
        }
    }
}

impl<'a, S: Shape<'a>> Visitor<'a> for ValueSeed<'_, 'a, S> {
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

    fn visit_borrowed_bytes<E>(self, bytes: &'a [u8]) -> Result<Option<S>, E> {
        Ok(S::bytes(self.state, self.location, Cow::Borrowed(bytes)))
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Option<S>, E> {
        Ok(S::bytes(
            self.state,
            self.location,
            Cow::Owned(bytes.to_owned()),
        ))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Option<S>, E> {
        Ok(S::bytes(self.state, self.location, Cow::Owned(bytes)))
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

    /// A string that represents an object of another kind, such as a path or a date.
    fn visit_newtype_struct<D: Deserializer<'a>>(
        self,
        deserializer: D,
    ) -> Result<Option<S>, D::Error> {
        if S::KEEPS_DIGITS {
            // One of a decimal type is a number then.
            return deserializer.deserialize_f64(self);
        }
        if !self.refuses_stand_ins {
            return deserializer.deserialize_any(self);
        }
        let why = ", not a path or another object that converts to text: give the text itself, \
                   because no file is read here";
        Ok(wrong_type_because(self.state, self.location, why))
    }

    fn visit_bool<E>(self, boolean: bool) -> Result<Option<S>, E> {
        Ok(S::boolean(self.state, self.location, boolean))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<S>, E> {
        Ok(S::number(self.state, self.location, number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<S>, E> {
        Ok(S::number(self.state, self.location, number.into()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Option<S>, E> {
        Ok(S::number(self.state, self.location, number.into()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Option<S>, E> {
        let number = Number::new(number.to_string().into()).expect("an integer is a number");
        Ok(S::number(self.state, self.location, number))
    }

    fn visit_f32<E>(self, number: f32) -> Result<Option<S>, E> {
        Ok(self.take_float(Number::of_float(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Option<S>, E> {
        Ok(self.take_float(Number::of_float(number)))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, elements: A) -> Result<Option<S>, A::Error> {
        S::list(self.state, self.location, elements)
    }

    fn visit_enum<A: EnumAccess<'a>>(self, access: A) -> Result<Option<S>, A::Error> {
        match Foreign::read(access, &self)? {
            Foreign::Text(_) => self.state.lone_surrogate(self.location),
            Foreign::Number(number) => {
                return Ok(S::number(self.state, self.location, number));
            }
            Foreign::Value(what) => {
                let why = format!("; it is {what}");
                return Ok(wrong_type_because(self.state, self.location, &why));
            }
        }
        Ok(None)
    }

    fn visit_map<A: MapAccess<'a>>(self, members: A) -> Result<Option<S>, A::Error> {
        S::object(self.state, self.location, members)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Message, NotJson, NotUnicode};
    use serde::de::value::{
        BorrowedBytesDeserializer, Error, MapAccessDeserializer, MapDeserializer,
    };
    use serde::de::{Deserializer, IntoDeserializer, Visitor, value::BorrowedStrDeserializer};

    /// A value of a format that has bytes, and texts that are not Unicode.
    enum Value {
        Text(&'static str),
        Bytes(&'static [u8]),
        NotUnicode(&'static str),
        NotJson(&'static str),
    }

    impl<'de> Deserializer<'de> for Value {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Text(text) => BorrowedStrDeserializer::new(text).deserialize_any(visitor),
                Self::Bytes(bytes) => {
                    BorrowedBytesDeserializer::new(bytes).deserialize_any(visitor)
                }
                Self::NotUnicode(lossy) => NotUnicode::new(lossy).visit(visitor),
                Self::NotJson(what) => NotJson::new(what).visit(visitor),
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
    fn other_formats_give_bytes_and_texts_that_are_not_unicode() {
        let members = [
            (Value::Text("from"), Value::Text("a@example.com")),
            (Value::Text("to"), Value::Bytes(b"b@example.org")),
            (Value::Text("subject"), Value::NotUnicode("H\u{fffd}")),
            (Value::Text("text"), Value::Text("NotUnicode")),
            (Value::Text("nonsense"), Value::NotUnicode("\u{fffd}")),
            (Value::NotUnicode("ht\u{fffd}ml"), Value::Text("Hello")),
            (Value::Text("html"), Value::NotJson("a stream")),
            (Value::Text("no field"), Value::NotJson("a stream")),
            (Value::NotJson("a symbol"), Value::Text("Hello")),
        ];
        let message = MapDeserializer::new(members.into_iter());
        let problems = Message::from_deserializer(message).unwrap().unwrap_err();
        let seen: Vec<_> = problems
            .iter()
            .map(|problem| (problem.pointer(), problem.code().as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                ("", "wrong_type"),
                ("/to", "wrong_type"),
                ("/subject", "lone_surrogate"),
                ("/nonsense", "unknown_field"),
                ("/ht\u{fffd}ml", "lone_surrogate"),
                ("/html", "wrong_type"),
                ("/no field", "unknown_field"),
            ]
        );
    }

    #[test]
    fn a_variant_of_a_format_is_not_mistaken_for_invalid_unicode() {
        let variant = EnumOfOthers("Tagged");
        let message = MapDeserializer::new([("subject", variant)].into_iter());
        let error = Message::from_deserializer(message).unwrap_err();
        assert_eq!(error.to_string(), "invalid type: enum, expected a string");
    }

    /// A format with enums of its own.
    struct EnumOfOthers(&'static str);

    impl<'de> Deserializer<'de> for EnumOfOthers {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            let variant = MapDeserializer::new(std::iter::once((self.0, "text")));
            visitor.visit_enum(MapAccessDeserializer::new(variant))
        }

        serde::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
            ignored_any
        }
    }

    impl IntoDeserializer<'_> for EnumOfOthers {
        type Deserializer = Self;

        fn into_deserializer(self) -> Self {
            self
        }
    }
}
