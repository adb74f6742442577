//! Envelope fields as names and values, such as a URL's query or a command line gives them.

use serde::Deserializer;
use serde::de::value::{
    BorrowedBytesDeserializer, BorrowedStrDeserializer, MapDeserializer, SeqDeserializer,
};
use serde::de::{IntoDeserializer, Visitor, value::Error};

/// A message of which `raw` is `octets`, as a deserializer: so there is one reading and one set of
/// rules for it.
pub(super) fn deserializer<'a, S: AsRef<str>>(
    octets: &'a [u8],
    envelope: &'a [(S, S)],
) -> impl Deserializer<'a, Error = Error> {
    let mut members: Vec<(&'a str, Value<'a>)> = vec![("raw", Value::Octets(octets))];
    for (name, value) in envelope {
        let (name, value) = (name.as_ref(), value.as_ref());
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, Value::Texts(texts))) => texts.push(value),
            // A second `raw`; the reading refuses it as a duplicate.
            Some(_) | None => members.push((name, Value::Texts(vec![value]))),
        }
    }
    MapDeserializer::new(members.into_iter())
}

/// A value as far as a list of texts can say it.
#[derive(Clone)]
enum Value<'a> {
    Octets(&'a [u8]),
    Texts(Vec<&'a str>),
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Octets(octets) => BorrowedBytesDeserializer::new(octets).deserialize_any(visitor),
            Self::Texts(texts) => match texts.as_slice() {
                ["true"] => visitor.visit_bool(true),
                ["false"] => visitor.visit_bool(false),
                [text] => BorrowedStrDeserializer::new(text).deserialize_any(visitor),
                _ => SeqDeserializer::new(texts.into_iter().map(Text)).deserialize_any(visitor),
            },
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'a> IntoDeserializer<'a> for Value<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A text that is lent, not copied.
struct Text<'a>(&'a str);

impl<'a> IntoDeserializer<'a> for Text<'a> {
    type Deserializer = BorrowedStrDeserializer<'a, Error>;

    fn into_deserializer(self) -> Self::Deserializer {
        BorrowedStrDeserializer::new(self.0)
    }
}
