//! What was given to a builder as the message's JSON.

use super::data::{Data, Members};
use super::{Attachment, Mailboxes, Recipient};
use encodify::base64::STANDARD;
use serde::ser::{Error, Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

const NO_NUMBER: &str = "JSON has no such number";

/// For what is one value of the message.
macro_rules! serialize {
    ($($value:ident,)+) => {$(
        /// As the message's JSON has it.
        impl Serialize for $value<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }
    )+};
}

serialize! { Attachment, Mailboxes, Recipient, }

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&STANDARD.encode(bytes)),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Signed(number) => serializer.serialize_i64(*number),
            Self::Unsigned(number) => serializer.serialize_u64(*number),
            Self::Single(bits) => match f32::from_bits(*bits) {
                number if number.is_finite() => serializer.serialize_f32(number),
                _ => Err(S::Error::custom(NO_NUMBER)),
            },
            Self::Double(bits) => match f64::from_bits(*bits) {
                number if number.is_finite() => serializer.serialize_f64(number),
                _ => Err(S::Error::custom(NO_NUMBER)),
            },
            Self::Literal(digits) => RawValue::from_string(digits.clone().into_owned())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(members) => members.serialize(serializer),
            Self::Unfit(what) => Err(S::Error::custom(what)),
        }
    }
}
