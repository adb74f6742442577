//! Objects of the message: one table each, from which everything else is made.

/// Declares an object of the message. A row is
///
/// ```text
/// /// What it is, for the documentation.
/// field("documentedName", "alias"): Shape { of: Content, headers: &["Subject"], example: "Hello" },
/// ```
///
/// where the braces contain methods of [`Row`](super::row::Row) with their arguments. The first line of an object may
/// end with the name of an additional field, which gets the location of each row's value, if there is one.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $object:ident, $expected:literal $(, $locations:ident)? {
            $(
                $(#[doc = $field_doc:literal])*
                $field:ident ($name:literal $(, $alias:literal)*): $shape:ty
                $({ $($attribute:ident: $value:expr),+ })?,
            )+
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub(crate) struct $object<'a> {
            $($(#[doc = $field_doc])* pub $field: Option<$crate::json::Located<$shape>>,)+
            $(pub $locations: [Option<$crate::problem::Location>; <$object<'static>>::ROWS.len()],)?
        }

        impl Default for $object<'_> {
            fn default() -> Self {
                Self {
                    $($field: None,)+
                    $($locations: [None; <$object<'static>>::ROWS.len()],)?
                }
            }
        }

        impl<'a> $object<'a> {
            /// The fields in their order.
            pub(crate) const ROWS: &'static [$crate::json::row::Row] = &[$(
                $crate::json::row::Row::new(
                    $name,
                    &[$($alias),*],
                    concat!($($field_doc),*),
                    <$shape as $crate::json::shape::Shape<'a>>::schema,
                    <$shape as $crate::json::shape::Shape<'a>>::IS_BOOLEAN,
                )$($(.$attribute($value))+)?,
            )+];

            // No code here reads or assigns a field of the object, so that the compiler tells of one
            // that nobody reads: a field of the message cannot be dropped in silence.
            #[allow(non_camel_case_types, unused_variables, clippy::items_after_statements)]
            fn read_members<A: serde::de::MapAccess<'a>, T>(
                state: &mut $crate::json::shape::ReadState<'a>,
                parent: $crate::problem::Location,
                mut members: A,
                finish: impl FnOnce(Self) -> T,
            ) -> Result<Option<T>, A::Error> {
                #[derive(Clone, Copy)]
                enum Field { $($field,)+ }
                const FIELDS: &[Field] = &[$(Field::$field,)+];

                $(let mut $field: Option<$crate::json::Located<$shape>> = None;)+
                $(let mut $locations = [None; <$object<'static>>::ROWS.len()];)?
                let mut seen = 0_u64;
                while let Some(name) = members.next_key::<$crate::json::shape::MemberName<'a>>()? {
                    let exact = match name.text.as_ref() {
                        $($name => Some(Field::$field as usize),)+
                        _ => None,
                    };
                    let index = exact.or_else(|| $crate::json::names::find(Self::ROWS, &name.text));
                    let Some(location) = state.member(parent, name) else {
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    };
                    let Some((index, field)) = index.and_then(|i| Some((i, *FIELDS.get(i)?))) else {
                        $crate::json::names::unknown(&mut state.report, location, Self::ROWS);
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    };
                    if seen & (1 << index) != 0 {
                        $crate::json::names::duplicate(&mut state.report, location);
                        members.next_value::<serde::de::IgnoredAny>()?;
                        continue;
                    }
                    seen |= 1 << index;
                    let is_given = match field {
                        $(Field::$field => {
                            let seed = $crate::json::shape::ValueSeed::<$shape>::new(state, location)
                                .of_field(&Self::ROWS[Field::$field as usize]);
                            let value = members.next_value_seed(seed)?;
                            let is_given = value.is_some();
                            $field = value.map(|value| $crate::json::Located { location, value });
                            is_given
                        })+
                    };
                    $($locations[index] = is_given.then_some(location);)?
                }
                Ok(Some(finish(Self { $($field,)+ $($locations,)? })))
            }
        }

        impl<'a> $crate::json::shape::Shape<'a> for $object<'a> {
            const EXPECTED: &'static str = $expected;

            fn schema(
                definitions: &mut $crate::json::definitions::Definitions,
            ) -> serde_json::Value {
                definitions.refer(stringify!($object), |definitions| {
                    $crate::json::row::object_schema(concat!($($doc),*), Self::ROWS, definitions)
                })
            }

            fn object<A: serde::de::MapAccess<'a>>(
                state: &mut $crate::json::shape::ReadState<'a>,
                location: $crate::problem::Location,
                members: A,
            ) -> Result<Option<Self>, A::Error> {
                Self::read_members(state, location, members, |object| object)
            }

            fn boxed_object<A: serde::de::MapAccess<'a>>(
                state: &mut $crate::json::shape::ReadState<'a>,
                location: $crate::problem::Location,
                members: A,
            ) -> Result<Option<Box<Self>>, A::Error> {
                Self::read_members(state, location, members, Box::new)
            }
        }
    };
}

pub(super) use object;
