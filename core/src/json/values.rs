//! The shapes of the message's values.

use super::shape::{Placed, Reader, Seed, Shape, object};
use crate::problem::Place;
use serde::de::{MapAccess, SeqAccess};
use std::borrow::Cow;

object! {
    /// A mailbox as an object.
    JsonMailboxParts, "an object with `name` and `address`" {
        /// Its display name.
        name("name"): Cow<'a, str>,
        /// Its addr-spec.
        address("address", "email"): Cow<'a, str>,
    }
}

/// A mailbox as JSON writes it.
#[derive(Debug)]
pub(crate) enum JsonMailbox<'a> {
    /// In the form of RFC 5322.
    Text(Cow<'a, str>),
    /// Name and address apart.
    Parts(Box<JsonMailboxParts<'a>>),
}

impl<'a> Shape<'a> for JsonMailbox<'a> {
    const EXPECTED: &'static str = "a mailbox: a string, or an object with `name` and `address`";

    fn text(_: &mut Reader<'a>, _: Place, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::Text(text))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        place: Place,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        let parts = JsonMailboxParts::object(reader, place, members)?;
        Ok(parts.map(|parts| Self::Parts(Box::new(parts))))
    }
}

/// One or several mailboxes.
#[derive(Debug)]
pub(crate) enum JsonMailboxes<'a> {
    /// A string (which may be a comma-separated list) or one object.
    One(JsonMailbox<'a>),
    /// An array of mailboxes.
    List(Vec<Placed<JsonMailbox<'a>>>),
}

impl<'a> Shape<'a> for JsonMailboxes<'a> {
    const EXPECTED: &'static str =
        "a mailbox (a string, or an object with `name` and `address`) or an array of them";

    fn text(_: &mut Reader<'a>, _: Place, text: Cow<'a, str>) -> Option<Self> {
        Some(Self::One(JsonMailbox::Text(text)))
    }

    fn object<A: MapAccess<'a>>(
        reader: &mut Reader<'a>,
        place: Place,
        members: A,
    ) -> Result<Option<Self>, A::Error> {
        Ok(JsonMailbox::object(reader, place, members)?.map(Self::One))
    }

    fn list<A: SeqAccess<'a>>(
        reader: &mut Reader<'a>,
        place: Place,
        elements: A,
    ) -> Result<Option<Self>, A::Error> {
        read_list(reader, place, elements).map(|list| Some(Self::List(list)))
    }
}

/// Reads an array of one shape; `null` elements are as absent.
fn read_list<'a, S: Shape<'a>, A: SeqAccess<'a>>(
    reader: &mut Reader<'a>,
    parent: Place,
    mut elements: A,
) -> Result<Vec<Placed<S>>, A::Error> {
    let mut list = Vec::with_capacity(elements.size_hint().unwrap_or(0).min(1024));
    for index in 0.. {
        let place = reader.report.element(parent, index);
        match elements.next_element_seed(Seed::<S>::new(reader, place))? {
            None => break,
            Some(None) => {}
            Some(Some(value)) => list.push(Placed { place, value }),
        }
    }
    Ok(list)
}
