//! Values that other languages have but JSON or serde does not, in serde's data model: as variants of an enum, since a
//! message has no other enums.

use crate::number::Number;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{EnumAccess, Error, Unexpected, VariantAccess, Visitor};

/// A string that is not valid Unicode. Strings in Python and JavaScript can contain half of a surrogate pair. A data
/// format that meets one, as a value or as a name, gives this instead, and it becomes the problem `lone_surrogate`.
///
/// In serde's data model it is the variant `NotUnicode` of an enum, since a message has no other enums.
///
/// ```
/// use pmtaemail::{Message, NotUnicode};
/// use serde::de::value::{Error, MapDeserializer};
/// use serde::de::{Deserializer, IntoDeserializer, Visitor, value::BorrowedStrDeserializer};
///
/// /// A string in UTF-16.
/// struct Utf16(&'static [u16]);
///
/// impl<'de> Deserializer<'de> for Utf16 {
///     type Error = Error;
///
///     fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
///         match String::from_utf16(self.0) {
///             Ok(text) => visitor.visit_string(text),
///             Err(_) => NotUnicode::new(&String::from_utf16_lossy(self.0)).visit(visitor),
///         }
///     }
///
///     serde::forward_to_deserialize_any! {
///         bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
///         option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
///         ignored_any
///     }
/// }
///
/// impl IntoDeserializer<'_> for Utf16 {
///     type Deserializer = Self;
///
///     fn into_deserializer(self) -> Self {
///         self
///     }
/// }
///
/// let message = MapDeserializer::new([("subject", Utf16(&[0x48, 0xd800]))].into_iter());
/// let problems = Message::from_deserializer(message)?.unwrap_err();
/// assert_eq!(problems.iter().next().unwrap().code().as_str(), "lone_surrogate");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotUnicode<'s> {
    lossy: &'s str,
}

const NOT_UNICODE: &str = "NotUnicode";

impl<'s> NotUnicode<'s> {
    /// `lossy` is the string with U+FFFD in place of each half of a surrogate pair. If the string is a name, the
    /// problem's pointer shows it.
    pub fn new(lossy: &'s str) -> Self {
        Self { lossy }
    }

    /// Calls `visitor`; for the `deserialize_any` of a data format.
    pub fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visit(NOT_UNICODE, self.lossy, visitor)
    }
}

/// A value that JSON cannot express, such as a function or a stream. A data format that meets one gives this instead,
/// and it becomes the problem `wrong_type`.
///
/// In serde's data model it is the variant `NotJson` of an enum, since a message has no other enums.
///
/// ```
/// use pmtaemail::{Message, NotJson};
/// use serde::de::value::{Error, MapDeserializer};
/// use serde::de::{Deserializer, IntoDeserializer, Visitor};
///
/// struct Promise;
///
/// impl<'de> Deserializer<'de> for Promise {
///     type Error = Error;
///
///     fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
///         NotJson::new("a promise: await it first").visit(visitor)
///     }
///
///     serde::forward_to_deserialize_any! {
///         bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
///         option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
///         ignored_any
///     }
/// }
///
/// impl IntoDeserializer<'_> for Promise {
///     type Deserializer = Self;
///
///     fn into_deserializer(self) -> Self {
///         self
///     }
/// }
///
/// let message = MapDeserializer::new([("subject", Promise)].into_iter());
/// let problems = Message::from_deserializer(message)?.unwrap_err();
/// let detail = problems.iter().next().unwrap().detail();
/// assert_eq!(detail, "This must be a string; it is a promise: await it first.");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotJson {
    what: &'static str,
}

const NOT_JSON: &str = "NotJson";

impl NotJson {
    /// `what` says what the value is and what to give instead: the end of the sentence "This must be a string; it is
    /// …".
    pub const fn new(what: &'static str) -> Self {
        Self { what }
    }

    /// Calls `visitor`; for the `deserialize_any` of a data format.
    pub fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visit(NOT_JSON, self.what, visitor)
    }
}

/// A number with the digits that it was written with, for example of a decimal type or an integer of more than 128
/// bits. A data format gives this in place of a number that serde's types would round, so that `19.90` stays `19.90` in
/// a message.
///
/// In serde's data model it is the variant `NumberLiteral` of an enum, since a message has no other enums.
///
/// ```
/// use pmtaemail::NumberLiteral;
///
/// assert!(NumberLiteral::new("12345678901234567890123.450").is_some());
/// assert!(NumberLiteral::new("1E+2").is_some());
/// assert!(NumberLiteral::new("0x10").is_none());
/// assert!(NumberLiteral::new("NaN").is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NumberLiteral<'s> {
    literal: &'s str,
}

const NUMBER_LITERAL: &str = "NumberLiteral";

impl<'s> NumberLiteral<'s> {
    /// `literal` must be a number as JSON writes it (RFC 8259, section 6); otherwise this is `None`.
    pub fn new(literal: &'s str) -> Option<Self> {
        Number::new(literal.into()).map(|_| Self { literal })
    }

    /// The number as it was written.
    pub fn as_str(&self) -> &'s str {
        self.literal
    }

    /// Calls `visitor`; for the `deserialize_any` of a data format.
    pub fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visit(NUMBER_LITERAL, self.literal, visitor)
    }
}

fn visit<'de, V: Visitor<'de>, E: Error>(
    name: &str,
    text: &str,
    visitor: V,
) -> Result<V::Value, E> {
    // Of serde's own deserializers this one can also be ignored.
    let variant = MapDeserializer::new(std::iter::once((name, text)));
    visitor.visit_enum(MapAccessDeserializer::new(variant))
}

/// What a visitor was given.
pub(super) enum Foreign {
    /// [`NotUnicode`]: the part of the string that can be shown.
    Text(String),
    /// [`NotJson`]: what it is.
    Value(String),
    /// [`NumberLiteral`].
    Number(Number<'static>),
}

impl Foreign {
    pub fn read<'de, A: EnumAccess<'de>>(
        access: A,
        visitor: &impl Visitor<'de>,
    ) -> Result<Self, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        match name.as_str() {
            NOT_UNICODE => variant.newtype_variant().map(Self::Text),
            NOT_JSON => variant.newtype_variant().map(Self::Value),
            NUMBER_LITERAL => {
                let literal = variant.newtype_variant::<String>()?;
                let number = Number::new(literal.into()).map(Self::Number);
                number.ok_or_else(|| A::Error::custom("a number literal is no number"))
            }
            _ => Err(A::Error::invalid_type(Unexpected::Enum, visitor)),
        }
    }
}
