//! What was given to a builder, in the shape of the message's JSON and in serde's data model: so there is one reading
//! and one set of rules for it.

use crate::json::{NotJson, NumberLiteral};
use serde::de::value::{
    BorrowedBytesDeserializer, BorrowedStrDeserializer, Error, MapDeserializer, SeqDeserializer,
};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How deep values may be nested, which JSON may not be more either.
pub(super) const DEEPEST: usize = 128;

pub(super) const TOO_DEEP: &str = "nested more than 128 deep";

/// A value, which owns what it was given and lends what it was lent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Data<'a> {
    /// As good as absent.
    Null,
    Text(Cow<'a, str>),
    Bytes(Cow<'a, [u8]>),
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    /// By its bits, so that it is equal to itself whatever it is.
    Single(u32),
    Double(u64),
    /// A number by its digits, as JSON writes it.
    Literal(Cow<'a, str>),
    List(Vec<Data<'a>>),
    Object(Members<'a>),
    /// What cannot be said in a message: the end of the sentence "This must be a string; it is …".
    Unfit(&'static str),
}

/// Names and values of an object, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Members<'a>(pub Vec<(Cow<'a, str>, Data<'a>)>);

impl<'a> Members<'a> {
    /// Gives a member its value, in place of what it had.
    pub fn set(&mut self, name: &'static str, value: Data<'a>) {
        *self.slot(name) = value;
    }

    /// Adds to a member of which there may be several: one is itself, more are a list.
    pub fn add(&mut self, name: &'static str, value: Data<'a>) {
        let slot = self.slot(name);
        *slot = match (std::mem::replace(slot, Data::Null), value) {
            (Data::Null, value) => value,
            (Data::List(mut list), Data::List(more)) => {
                list.extend(more);
                Data::List(list)
            }
            (Data::List(mut list), value) => {
                list.push(value);
                Data::List(list)
            }
            (first, Data::List(more)) => {
                let all = std::iter::once(first).chain(more);
                Data::List(all.collect())
            }
            (first, value) => Data::List(vec![first, value]),
        };
    }

    /// Adds to a member that is a list, however few there are.
    pub fn push(&mut self, name: &'static str, value: Data<'a>) {
        self.add(name, Data::List(vec![value]));
    }

    /// Adds a member to a member that is an object.
    pub fn insert(&mut self, name: &'static str, inner: Cow<'a, str>, value: Data<'a>) {
        self.extend(name, Data::Object(Self(vec![(inner, value)])));
    }

    /// Adds all that a value has to a member that is an object. What is no object stays in its place, as the problem
    /// that it will be.
    pub fn extend(&mut self, name: &'static str, value: Data<'a>) {
        match (self.slot(name), value) {
            (Data::Object(members), Data::Object(more)) => members.0.extend(more.0),
            (slot @ (Data::Null | Data::Object(_)), value) => *slot = value,
            _ => {}
        }
    }

    fn slot(&mut self, name: &'static str) -> &mut Data<'a> {
        let at = self.0.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.0.push((Cow::Borrowed(name), Data::Null));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// The same, borrowed.
    pub fn lend(&self) -> Members<'_> {
        let lend = |(name, value)| (Cow::Borrowed(AsRef::as_ref(name)), Data::lend(value));
        Members(
            self.0
                .iter()
                .map(|(name, value)| lend((name, value)))
                .collect(),
        )
    }
}

impl Data<'_> {
    fn lend(&self) -> Data<'_> {
        match self {
            Self::Null => Data::Null,
            Self::Text(text) => Data::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Data::Bytes(Cow::Borrowed(bytes)),
            Self::Boolean(boolean) => Data::Boolean(*boolean),
            Self::Signed(number) => Data::Signed(*number),
            Self::Unsigned(number) => Data::Unsigned(*number),
            Self::Single(bits) => Data::Single(*bits),
            Self::Double(bits) => Data::Double(*bits),
            Self::Literal(digits) => Data::Literal(Cow::Borrowed(digits)),
            Self::List(list) => Data::List(list.iter().map(Data::lend).collect()),
            Self::Object(members) => Data::Object(members.lend()),
            Self::Unfit(what) => Data::Unfit(what),
        }
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) | Self::Literal(text) => text.fmt(f),
            // Files may be large.
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Boolean(boolean) => boolean.fmt(f),
            Self::Signed(number) => number.fmt(f),
            Self::Unsigned(number) => number.fmt(f),
            Self::Single(bits) => f32::from_bits(*bits).fmt(f),
            Self::Double(bits) => f64::from_bits(*bits).fmt(f),
            Self::List(list) => list.fmt(f),
            Self::Object(members) => members.fmt(f),
            Self::Unfit(what) => f.write_str(what),
        }
    }
}

impl<'de> Deserializer<'de> for Data<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Text(Cow::Borrowed(text)) => {
                BorrowedStrDeserializer::new(text).deserialize_any(visitor)
            }
            Self::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Self::Bytes(Cow::Borrowed(bytes)) => {
                BorrowedBytesDeserializer::new(bytes).deserialize_any(visitor)
            }
            Self::Bytes(Cow::Owned(bytes)) => visitor.visit_byte_buf(bytes),
            Self::Boolean(boolean) => visitor.visit_bool(boolean),
            Self::Signed(number) => visitor.visit_i64(number),
            Self::Unsigned(number) => visitor.visit_u64(number),
            Self::Single(bits) => visitor.visit_f32(f32::from_bits(bits)),
            Self::Double(bits) => visitor.visit_f64(f64::from_bits(bits)),
            Self::Literal(digits) => match NumberLiteral::new(&digits) {
                Some(number) => number.visit(visitor),
                None => NotJson::new("no number").visit(visitor),
            },
            Self::List(list) => SeqDeserializer::new(list.into_iter()).deserialize_any(visitor),
            Self::Object(members) => {
                // A name as a text of its own would not be lent.
                let members = members.0.into_iter();
                let members = members.map(|(name, value)| (Self::Text(name), value));
                MapDeserializer::new(members).deserialize_any(visitor)
            }
            Self::Unfit(what) => NotJson::new(what).visit(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de> for Data<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
