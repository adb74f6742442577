//! What any type serializes to.

use super::data::{DEEPEST, Data, Members, TOO_DEEP};
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::borrow::Cow;
use std::fmt;

/// The value, or what is wrong with it.
pub(super) fn data(value: &(impl Serialize + ?Sized)) -> Data<'static> {
    let serializer = DataSerializer { depth: 0 };
    value
        .serialize(serializer)
        .unwrap_or_else(|Unfit(what)| Data::Unfit(what))
}

/// Why there is no value. What the type itself says may hold the caller's values, and is not told.
#[derive(Debug, thiserror::Error)]
#[error("it is {0}")]
struct Unfit(&'static str);

impl serde::ser::Error for Unfit {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self("a value that cannot be serialized")
    }
}

const KEYS: Unfit = Unfit("a map with keys that are no texts");

#[derive(Clone, Copy)]
struct DataSerializer {
    depth: usize,
}

impl DataSerializer {
    /// For what is inside.
    fn deeper(self) -> Result<Self, Unfit> {
        let depth = self.depth + 1;
        (depth <= DEEPEST)
            .then_some(Self { depth })
            .ok_or(Unfit(TOO_DEEP))
    }

    fn list(self, variant: Option<&'static str>) -> Result<List, Unfit> {
        Ok(List {
            elements: Vec::new(),
            inner: self.deeper()?,
            variant,
        })
    }

    fn object(self, variant: Option<&'static str>) -> Result<Object, Unfit> {
        Ok(Object {
            members: Members::default(),
            name: None,
            inner: self.deeper()?,
            variant,
        })
    }
}

/// How enums are written by most formats: `{"Variant": value}`.
fn tagged(variant: Option<&'static str>, value: Data<'static>) -> Data<'static> {
    match variant {
        None => value,
        Some(variant) => Data::Object(Members(vec![(variant.into(), value)])),
    }
}

impl Serializer for DataSerializer {
    type Ok = Data<'static>;
    type Error = Unfit;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = Object;

    fn serialize_bool(self, value: bool) -> Result<Self::Ok, Unfit> {
        Ok(Data::Boolean(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Self::Ok, Unfit> {
        Ok(Data::Signed(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result<Self::Ok, Unfit> {
        Ok(Data::Signed(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result<Self::Ok, Unfit> {
        Ok(Data::Signed(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result<Self::Ok, Unfit> {
        Ok(Data::Signed(value))
    }

    fn serialize_i128(self, value: i128) -> Result<Self::Ok, Unfit> {
        Ok(Data::Literal(value.to_string().into()))
    }

    fn serialize_u8(self, value: u8) -> Result<Self::Ok, Unfit> {
        Ok(Data::Unsigned(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result<Self::Ok, Unfit> {
        Ok(Data::Unsigned(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<Self::Ok, Unfit> {
        Ok(Data::Unsigned(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<Self::Ok, Unfit> {
        Ok(Data::Unsigned(value))
    }

    fn serialize_u128(self, value: u128) -> Result<Self::Ok, Unfit> {
        Ok(Data::Literal(value.to_string().into()))
    }

    fn serialize_f32(self, value: f32) -> Result<Self::Ok, Unfit> {
        Ok(Data::Single(value.to_bits()))
    }

    fn serialize_f64(self, value: f64) -> Result<Self::Ok, Unfit> {
        Ok(Data::Double(value.to_bits()))
    }

    fn serialize_char(self, value: char) -> Result<Self::Ok, Unfit> {
        Ok(Data::Text(value.to_string().into()))
    }

    fn serialize_str(self, value: &str) -> Result<Self::Ok, Unfit> {
        Ok(Data::Text(value.to_owned().into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Self::Ok, Unfit> {
        Ok(Data::Bytes(value.to_owned().into()))
    }

    fn serialize_none(self) -> Result<Self::Ok, Unfit> {
        Ok(Data::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Self::Ok, Unfit> {
        Ok(Data::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Self::Ok, Unfit> {
        Ok(Data::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Self::Ok, Unfit> {
        Ok(Data::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Self::Ok, Unfit> {
        let value = value.serialize(self.deeper()?)?;
        Ok(tagged(Some(variant), value))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Unfit> {
        self.list(None)
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Unfit> {
        self.list(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Unfit> {
        self.list(None)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List, Unfit> {
        self.deeper()?.list(Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object, Unfit> {
        self.object(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object, Unfit> {
        self.object(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object, Unfit> {
        self.deeper()?.object(Some(variant))
    }
}

/// A list that is being serialized.
struct List {
    elements: Vec<Data<'static>>,
    inner: DataSerializer,
    variant: Option<&'static str>,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.elements.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Data<'static> {
        tagged(self.variant, Data::List(self.elements))
    }
}

/// Serde has a trait for each kind of list, and of object, that are all the same here.
macro_rules! compound {
    ($type:ident: $($kind:ident $method:ident($($name:ident)?),)+) => {$(
        impl $kind for $type {
            type Ok = Data<'static>;
            type Error = Unfit;

            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($name: &'static str,)?
                value: &T,
            ) -> Result<(), Unfit> {
                self.push($($name,)? value)
            }

            fn end(self) -> Result<Data<'static>, Unfit> {
                Ok(self.finish())
            }
        }
    )+};
}

compound! {
    List:
    SerializeSeq serialize_element(),
    SerializeTuple serialize_element(),
    SerializeTupleStruct serialize_field(),
    SerializeTupleVariant serialize_field(),
}

/// An object that is being serialized.
struct Object {
    members: Members<'static>,
    /// Of a map: the name of the value that comes next.
    name: Option<Cow<'static, str>>,
    inner: DataSerializer,
    variant: Option<&'static str>,
}

impl Object {
    fn push<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Unfit> {
        let value = value.serialize(self.inner)?;
        self.members.0.push((name.into(), value));
        Ok(())
    }

    fn finish(self) -> Data<'static> {
        tagged(self.variant, Data::Object(self.members))
    }
}

compound! {
    Object:
    SerializeStruct serialize_field(name),
    SerializeStructVariant serialize_field(name),
}

impl SerializeMap for Object {
    type Ok = Data<'static>;
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        self.name = Some(match key.serialize(self.inner)? {
            Data::Text(text) | Data::Literal(text) => text,
            Data::Boolean(boolean) => boolean.to_string().into(),
            Data::Signed(number) => number.to_string().into(),
            Data::Unsigned(number) => number.to_string().into(),
            _ => return Err(KEYS),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let name = self.name.take().ok_or(KEYS)?;
        let value = value.serialize(self.inner)?;
        self.members.0.push((name, value));
        Ok(())
    }

    fn end(self) -> Result<Data<'static>, Unfit> {
        Ok(self.finish())
    }
}
