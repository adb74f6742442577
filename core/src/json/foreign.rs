//! What other languages have and JSON or serde have not, in the data model of serde: variants of an enum,
//! since a message has no enums otherwise.

use crate::number::Number;
use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{EnumAccess, Error, Unexpected, VariantAccess, Visitor};

/// A text that is not Unicode, as the strings of Python and of JavaScript may be: they can hold
/// half of a surrogate pair. A data format that meets one in a value or in a name gives this in its
/// place, and it becomes the problem `lone_surrogate`.
///
/// In serde's data model it is the variant `NotUnicode` of an enum, since a message has no enums
/// otherwise.
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
#[derive(Debug, Clone, Copy)]
pub struct NotUnicode<'s> {
    lossy: &'s str,
}

const NOT_UNICODE: &str = "NotUnicode";

impl<'s> NotUnicode<'s> {
    /// `lossy` is the text with U+FFFD for each half of a surrogate pair. Of a name it is shown in
    /// the problem's pointer.
    pub fn new(lossy: &'s str) -> Self {
        Self { lossy }
    }

    /// Tells `visitor`; for the `deserialize_any` of a data format.
    pub fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visit(NOT_UNICODE, self.lossy, visitor)
    }
}

/// A value that JSON cannot say, such as a function or a stream. A data format that meets one gives
/// this in its place, and it becomes the problem `wrong_type`.
///
/// In serde's data model it is the variant `NotJson` of an enum, since a message has no enums
/// otherwise.
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
#[derive(Debug, Clone, Copy)]
pub struct NotJson {
    what: &'static str,
}

const NOT_JSON: &str = "NotJson";

impl NotJson {
    /// `what` it is, and what to give in its place: the end of the sentence "This must be a string;
    /// it is …".
    pub const fn new(what: &'static str) -> Self {
        Self { what }
    }

    /// Tells `visitor`; for the `deserialize_any` of a data format.
    pub fn visit<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        visit(NOT_JSON, self.what, visitor)
    }
}

/// A number with the digits that it was written with, such as one of a decimal type, or an integer of more
/// than 128 bits. A data format gives it in place of one that serde's own types would round, and so
/// `19.90` stays `19.90` in a message.
///
/// In serde's data model it is the variant `NumberLiteral` of an enum, since a message has no enums
/// otherwise.
///
/// ```
/// use pmtaemail::NumberLiteral;
///
/// assert!(NumberLiteral::new("12345678901234567890123.450").is_some());
/// assert!(NumberLiteral::new("1E+2").is_some());
/// assert!(NumberLiteral::new("0x10").is_none());
/// assert!(NumberLiteral::new("NaN").is_none());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct NumberLiteral<'s> {
    literal: &'s str,
}

const NUMBER_LITERAL: &str = "NumberLiteral";

impl<'s> NumberLiteral<'s> {
    /// `literal` is written as JSON writes numbers (RFC 8259, section 6); `None` for what is not.
    pub fn new(literal: &'s str) -> Option<Self> {
        Number::new(literal.into()).map(|_| Self { literal })
    }

    /// The number as it is written.
    pub fn as_str(&self) -> &'s str {
        self.literal
    }

    /// Tells `visitor`; for the `deserialize_any` of a data format.
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

/// What a visitor was told of.
pub(super) enum Foreign {
    /// [`NotUnicode`]: what can be shown of the text.
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
