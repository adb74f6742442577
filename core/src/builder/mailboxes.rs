//! Mailboxes as programs have them.

use super::data::{Data, Members};
use crate::address::{AddrSpec, Mailbox};
use std::borrow::Cow;

/// One mailbox or several, of whatever type a program has them: what [`MessageBuilder::from`](super::MessageBuilder::from)
/// and its like take.
///
/// | type | means |
/// |---|---|
/// | `&str`, `String` | a mailbox in the form of RFC 5322, or several with commas between them |
/// | `(name, address)` | a mailbox |
/// | [`Mailbox`], [`AddrSpec`], references to them | a mailbox that is known to be right |
/// | `Vec`, array, iterator (`collect`) | several, each of one of these types |
///
/// ```
/// use pmtaemail::{Mailboxes, Message};
///
/// let team = ["Ann <ann@example.org>", "bob@example.org"];
/// let others = vec![("Lee, Cy", "cy@example.org"), ("Di", "di@example.org")];
/// let message = Message::builder()
///     .from(("Shop", "shop@example.com"))
///     .to(team)
///     .cc(others.into_iter().collect::<Mailboxes<'_>>())
///     .build()?;
/// assert_eq!(message.addressee_count(), 4);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailboxes<'a>(pub(super) Data<'a>);

impl<'a> Mailboxes<'a> {
    pub(super) fn into_data(self) -> Data<'a> {
        self.0
    }

    fn object(name: Option<Cow<'a, str>>, address: Cow<'a, str>) -> Self {
        let mut members = Members(Vec::with_capacity(2));
        if let Some(name) = name {
            members.0.push(("name".into(), Data::Text(name)));
        }
        members.0.push(("address".into(), Data::Text(address)));
        Self(Data::Object(members))
    }
}

impl<'a> From<&'a str> for Mailboxes<'a> {
    fn from(text: &'a str) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl<'a> From<&'a String> for Mailboxes<'a> {
    fn from(text: &'a String) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl From<String> for Mailboxes<'_> {
    fn from(text: String) -> Self {
        Self(Data::Text(text.into()))
    }
}

impl<'a> From<Cow<'a, str>> for Mailboxes<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self(Data::Text(text))
    }
}

impl<'a> From<AddrSpec<'a>> for Mailboxes<'a> {
    fn from(address: AddrSpec<'a>) -> Self {
        Self::object(None, address.into())
    }
}

impl<'a> From<&'a AddrSpec<'_>> for Mailboxes<'a> {
    fn from(address: &'a AddrSpec<'_>) -> Self {
        Self::object(None, address.into())
    }
}

impl<'a> From<Mailbox<'a>> for Mailboxes<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self::object(mailbox.name, mailbox.address.into())
    }
}

impl<'a> From<&'a Mailbox<'_>> for Mailboxes<'a> {
    fn from(mailbox: &'a Mailbox<'_>) -> Self {
        Self::object(mailbox.name().map(Cow::Borrowed), mailbox.address().into())
    }
}

/// A name to show, and an address.
impl<'a, N: Into<Cow<'a, str>>, A: Into<Cow<'a, str>>> From<(N, A)> for Mailboxes<'a> {
    fn from((name, address): (N, A)) -> Self {
        Self::object(Some(name.into()), address.into())
    }
}

impl<M: Into<Self>> FromIterator<M> for Mailboxes<'_> {
    fn from_iter<I: IntoIterator<Item = M>>(mailboxes: I) -> Self {
        let mailboxes = mailboxes.into_iter().map(|mailbox| mailbox.into().0);
        Self(Data::List(mailboxes.collect()))
    }
}

impl<M: Into<Self>> From<Vec<M>> for Mailboxes<'_> {
    fn from(mailboxes: Vec<M>) -> Self {
        mailboxes.into_iter().collect()
    }
}

impl<M: Into<Self>, const N: usize> From<[M; N]> for Mailboxes<'_> {
    fn from(mailboxes: [M; N]) -> Self {
        mailboxes.into_iter().collect()
    }
}

impl<M: Copy + Into<Self>> From<&[M]> for Mailboxes<'_> {
    fn from(mailboxes: &[M]) -> Self {
        mailboxes.iter().copied().collect()
    }
}
