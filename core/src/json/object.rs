//! Objects of the message: one table each, from which the reading, the hints at near names and the
//! documentation come.

use serde::de::{Deserializer, Visitor};
use std::{borrow::Cow, fmt};

/// A member's name, borrowed where the format allows it.
pub(super) struct Name<'a>(pub Cow<'a, str>);

impl<'a> serde::Deserialize<'a> for Name<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'a> Visitor<'a> for NameVisitor {
            type Value = Name<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E>(self, name: &'a str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

/// Declares an object of the message: its fields, their names and shapes, in one table from which
/// the reading, the hints at near names and the documentation come.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $object:ident, $expected:literal {
            $($(#[doc = $field_doc:literal])* $field:ident ($name:literal $(, $alias:literal)*): $shape:ty,)+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $object<'a> {
            $($(#[doc = $field_doc])* pub $field: Option<$crate::json::Located<$shape>>,)+
        }

        impl<'a> $object<'a> {
            /// Each documented name with the field it stands for.
            const NAMES: &'static [&'static [&'static str]] = &[$(&[$name $(, $alias)*],)+];

            #[allow(non_camel_case_types, clippy::items_after_statements)]
            fn read_members<A: serde::de::MapAccess<'a>>(
                reader: &mut $crate::json::shape::Reader<'a>,
                parent: $crate::problem::Location,
                mut members: A,
            ) -> Result<Self, A::Error> {
                #[derive(Clone, Copy)]
                enum Field { $($field,)+ }
                const FIELDS: &[Field] = &[$(Field::$field,)+];

                let mut object = Self::default();
                let mut seen = 0_u64;
                while let Some($crate::json::object::Name(name)) = members.next_key()? {
                    let exact = match name.as_ref() {
                        $($name => Some(Field::$field as usize),)+
                        _ => None,
                    };
                    let index = exact.or_else(|| $crate::json::names::find(Self::NAMES, &name));
                    let Some(location) = reader.member(parent, name) else {
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    };
                    let Some((index, field)) = index.and_then(|i| Some((i, *FIELDS.get(i)?))) else {
                        $crate::json::names::unknown(&mut reader.report, location, Self::NAMES);
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    };
                    if seen & (1 << index) != 0 {
                        $crate::json::names::duplicate(&mut reader.report, location);
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    }
                    seen |= 1 << index;
                    match field {
                        $(Field::$field => {
                            let seed = $crate::json::shape::Seed::<$shape>::new(reader, location);
                            object.$field = members
                                .next_value_seed(seed)?
                                .map(|value| $crate::json::Located { location, value });
                        })+
                    }
                }
                Ok(object)
            }
        }

        impl<'a> $crate::json::shape::Shape<'a> for $object<'a> {
            const EXPECTED: &'static str = $expected;

            fn schema() -> serde_json::Value {
                let fields = [
                    $(($name, concat!($($field_doc),*), <$shape>::schema()),)+
                ];
                $crate::json::schema::object(concat!($($doc),*), fields)
            }

            fn object<A: serde::de::MapAccess<'a>>(
                reader: &mut $crate::json::shape::Reader<'a>,
                location: $crate::problem::Location,
                members: A,
            ) -> Result<Option<Self>, A::Error> {
                Self::read_members(reader, location, members).map(Some)
            }
        }
    };
}

pub(super) use object;
