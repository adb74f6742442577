//! Values for templates.

use super::data::{DEEPEST, Data, Members, TOO_DEEP};
use super::serialize;
use crate::json::NumberLiteral;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// A value for a template: a text, a number, true or false, a list or an object.
///
/// Nearly all values of Rust are one by `into()`. What implements [`Serialize`] becomes one by
/// [`from_serialize`](Self::from_serialize), which copies its texts. `None` is as good as absent.
///
/// ```
/// use pmtaemail::{Message, Recipient, TemplateLanguage, TemplateValue};
///
/// #[derive(serde::Serialize)]
/// struct Item<'a> {
///     name: &'a str,
///     count: u32,
/// }
///
/// let item = Item { name: "Tea", count: 2 };
/// let message = Message::builder()
///     .from("shop@example.com")
///     .recipient(
///         Recipient::new("ann@example.org")
///             .variable("first", "Ann")
///             .variable("item", TemplateValue::from_serialize(&item)),
///     )
///     .template(TemplateLanguage::Merge)
///     .text("Hello {{ first }}, your {{ item.name }} ({{ item.count }}) is on its way.")
///     .build()?;
/// assert!(message.render().ends_with(b"Hello Ann, your Tea (2) is on its way.\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateValue<'a> {
    data: Data<'a>,
    depth: usize,
}

impl<'a> TemplateValue<'a> {
    /// The value that something serializes to. What cannot be serialized, and a map with keys that are no texts, becomes
    /// the problem `wrong_type` of the message.
    pub fn from_serialize(value: &(impl Serialize + ?Sized)) -> Self {
        serialize::data(value).into()
    }

    /// An object with these members, for what is no map of Rust.
    ///
    /// ```
    /// use pmtaemail::{Message, TemplateLanguage, TemplateValue};
    ///
    /// let tea = TemplateValue::object([("name", TemplateValue::from("Tea")), ("count", 2.into())]);
    /// let message = Message::builder()
    ///     .from("shop@example.com")
    ///     .to("ann@example.org")
    ///     .template(TemplateLanguage::Merge)
    ///     .variable("item", tea)
    ///     .text("{{ item.count }} times {{ item.name }}")
    ///     .build()?;
    /// assert!(message.render().ends_with(b"\r\n\r\n2 times Tea\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn object<N, V>(members: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: Into<Cow<'a, str>>,
        V: Into<Self>,
    {
        let mut depth = 0;
        let members = members.into_iter().map(|(name, value)| {
            let value = value.into();
            depth = depth.max(value.depth);
            (name.into(), value.data)
        });
        let members = Members(members.collect());
        Self::nested(Data::Object(members), depth)
    }

    /// Bounded, since deep values are read and dropped by functions that call themselves.
    fn nested(data: Data<'a>, deepest_inner: usize) -> Self {
        if deepest_inner < DEEPEST {
            let depth = deepest_inner + 1;
            Self { data, depth }
        } else {
            Data::Unfit(TOO_DEEP).into()
        }
    }

    pub(super) fn into_data(self) -> Data<'a> {
        self.data
    }
}

impl<'a> From<Data<'a>> for TemplateValue<'a> {
    fn from(data: Data<'a>) -> Self {
        Self { data, depth: 0 }
    }
}

impl<V: Into<Self>> FromIterator<V> for TemplateValue<'_> {
    fn from_iter<I: IntoIterator<Item = V>>(elements: I) -> Self {
        let mut depth = 0;
        let elements = elements.into_iter().map(|element| {
            let element = element.into();
            depth = depth.max(element.depth);
            element.data
        });
        let list = elements.collect();
        Self::nested(Data::List(list), depth)
    }
}

impl<V: Into<Self>> From<Vec<V>> for TemplateValue<'_> {
    fn from(elements: Vec<V>) -> Self {
        elements.into_iter().collect()
    }
}

impl<V: Into<Self>, const N: usize> From<[V; N]> for TemplateValue<'_> {
    fn from(elements: [V; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<'a, N: Into<Cow<'a, str>>, V: Into<Self>> From<BTreeMap<N, V>> for TemplateValue<'a> {
    fn from(members: BTreeMap<N, V>) -> Self {
        Self::object(members)
    }
}

impl<'a, N: Into<Cow<'a, str>>, V: Into<Self>, S> From<HashMap<N, V, S>> for TemplateValue<'a> {
    fn from(members: HashMap<N, V, S>) -> Self {
        Self::object(members)
    }
}

impl<V: Into<Self>> From<Option<V>> for TemplateValue<'_> {
    fn from(value: Option<V>) -> Self {
        value.map_or_else(|| Data::Null.into(), Into::into)
    }
}

/// A number keeps its digits: `19.90` is not `19.9`.
impl<'a> From<NumberLiteral<'a>> for TemplateValue<'a> {
    fn from(number: NumberLiteral<'a>) -> Self {
        Data::Literal(number.as_str().into()).into()
    }
}

/// For types that become a `Data` in one way.
macro_rules! from {
    ($($type:ty: $value:ident => $data:expr,)+) => {$(
        impl<'a> From<$type> for TemplateValue<'a> {
            fn from($value: $type) -> Self {
                Self::from($data)
            }
        }
    )+};
}

from! {
    &'a str: text => Data::Text(text.into()),
    &'a String: text => Data::Text(text.into()),
    String: text => Data::Text(text.into()),
    Cow<'a, str>: text => Data::Text(text),
    bool: boolean => Data::Boolean(boolean),
    i8: number => Data::Signed(number.into()),
    i16: number => Data::Signed(number.into()),
    i32: number => Data::Signed(number.into()),
    i64: number => Data::Signed(number),
    i128: number => Data::Literal(number.to_string().into()),
    isize: number => Data::Signed(number as i64),
    u8: number => Data::Unsigned(number.into()),
    u16: number => Data::Unsigned(number.into()),
    u32: number => Data::Unsigned(number.into()),
    u64: number => Data::Unsigned(number),
    u128: number => Data::Literal(number.to_string().into()),
    usize: number => Data::Unsigned(number as u64),
    f32: number => Data::Single(number.to_bits()),
    f64: number => Data::Double(number.to_bits()),
}
