//! A display name and an address.

use super::strict::outline_list;
use super::{AddrSpec, InvalidAddress};
use crate::problem::{Code, Refusal};
use crate::syntax::{has_control_except_tab, is_atext, quote};
use std::borrow::Cow;
use std::fmt;

/// A mailbox (RFC 5322 section 3.4): an address and, often, a display name.
///
/// It parses what people write. Its [`Display`](std::fmt::Display) output parses back to the same mailbox:
///
/// ```
/// use pmtaemail::Mailbox;
///
/// let ann: Mailbox<'_> = "Ann Lee <ann@example.com>".parse()?;
/// assert_eq!(ann.name(), Some("Ann Lee"));
/// assert_eq!(ann.address().domain(), "example.com");
///
/// let bob = Mailbox::new("Lee, Bob", "bob@example.com".parse()?)?;
/// assert_eq!(bob.to_string(), r#""Lee, Bob" <bob@example.com>"#);
/// assert_eq!(bob.to_string().parse(), Ok(bob));
///
/// assert!("ann@example.com, bob@example.com".parse::<Mailbox<'_>>().is_err());
/// # Ok::<(), pmtaemail::InvalidAddress>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mailbox<'a> {
    /// Not empty; contains no control characters.
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) address: AddrSpec<'a>,
}

const CONTROL: Refusal = Refusal::new(
    Code::ControlCharacter,
    "A mailbox may not contain line breaks or other control characters.",
);

const SEVERAL: Refusal = Refusal::new(
    Code::TooManyMailboxes,
    "One mailbox is wanted here; these are several.",
);

impl<'a> Mailbox<'a> {
    /// A mailbox with a display name, which may contain anything except control characters. An empty name counts as no
    /// name.
    ///
    /// ```
    /// use pmtaemail::Mailbox;
    ///
    /// let mailbox = Mailbox::new("", "ann@example.com".parse()?)?;
    /// assert_eq!(mailbox.name(), None);
    /// assert!(Mailbox::new("Ann\r\nBcc: eve@example.org", "ann@example.com".parse()?).is_err());
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    ///
    /// # Errors
    /// The name contains a control character.
    pub fn new(
        name: impl Into<Cow<'a, str>>,
        address: AddrSpec<'a>,
    ) -> Result<Self, InvalidAddress> {
        let name = name.into();
        if has_control_except_tab(&name) {
            return Err(CONTROL.into());
        }
        let name = (!name.is_empty()).then_some(name);
        Ok(Self { name, address })
    }

    /// Parses one mailbox: `ann@example.com` or `Ann Lee <ann@example.com>`.
    ///
    /// ```
    /// use pmtaemail::Mailbox;
    ///
    /// let mailbox = Mailbox::parse("Ann Lee <ann@example.com>")?;
    /// assert_eq!(mailbox.name(), Some("Ann Lee"));
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    ///
    /// # Errors
    /// The string is not exactly one mailbox, or its address is not valid.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Result<Self, InvalidAddress> {
        let mut mailboxes = Self::parse_list(&text.into())?;
        match (mailboxes.pop(), mailboxes.pop()) {
            (Some(mailbox), None) => Ok(mailbox),
            _ => Err(SEVERAL.into()),
        }
    }

    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The address.
    pub fn address(&self) -> &AddrSpec<'a> {
        &self.address
    }

    /// The same mailbox, without borrowed data.
    ///
    /// ```
    /// use pmtaemail::Mailbox;
    ///
    /// let line = "Ann Lee <ann@example.com>".to_owned();
    /// let ann = Mailbox::parse(&line)?.into_owned();
    /// drop(line);
    /// assert_eq!(ann.name(), Some("Ann Lee"));
    /// # Ok::<(), pmtaemail::InvalidAddress>(())
    /// ```
    pub fn into_owned(self) -> Mailbox<'static> {
        Mailbox {
            name: self.name.map(|name| Cow::Owned(name.into_owned())),
            address: self.address.into_owned(),
        }
    }

    /// Parses an address without a name, by far the most common mailbox.
    pub(crate) fn parse_bare(text: &Cow<'a, str>) -> Option<Self> {
        let address = AddrSpec::read(text.clone()).ok()?;
        Some(Self {
            name: None,
            address,
        })
    }

    /// Parses a comma-separated list of mailboxes.
    pub(crate) fn parse_list(text: &Cow<'a, str>) -> Result<Vec<Self>, Refusal> {
        if let Some(mailbox) = Self::parse_bare(text) {
            return Ok(vec![mailbox]);
        }
        if has_control_except_tab(text) {
            return Err(CONTROL);
        }
        outline_list(text)?
            .into_iter()
            .map(|outline| {
                Ok(Self {
                    name: outline.name,
                    address: AddrSpec::read(outline.address)?,
                })
            })
            .collect()
    }

    /// The same mailbox, borrowed.
    pub(crate) fn lend(&self) -> Mailbox<'_> {
        Mailbox {
            name: self.name.as_deref().map(Cow::Borrowed),
            address: self.address.lend(),
        }
    }
}

impl fmt::Display for Mailbox<'_> {
    /// The form of RFC 5322, except that characters beyond ASCII are not encoded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => self.address.fmt(f),
            Some(name) if is_plain(name) => write!(f, "{name} <{}>", self.address),
            Some(name) => write!(f, "\"{}\" <{}>", quote(name), self.address),
        }
    }
}

/// Whether a name needs no quotes.
fn is_plain(name: &str) -> bool {
    let is_word = |c: char| is_atext(c) || matches!(c, '.' | ' ');
    name.chars().all(is_word) && !name.starts_with(' ') && !name.ends_with(' ')
}

impl<'a> From<AddrSpec<'a>> for Mailbox<'a> {
    fn from(address: AddrSpec<'a>) -> Self {
        Self {
            name: None,
            address,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Vec<(Option<String>, String)>, Code> {
        Mailbox::parse_list(&text.into())
            .map(|mailboxes| {
                mailboxes
                    .into_iter()
                    .map(|m| (m.name.map(Cow::into_owned), m.address.to_string()))
                    .collect()
            })
            .map_err(|refusal| refusal.code)
    }

    fn one(name: &str, address: &str) -> Vec<(Option<String>, String)> {
        let name = (!name.is_empty()).then(|| name.to_owned());
        vec![(name, address.to_owned())]
    }

    #[test]
    fn mailboxes_in_all_their_forms() {
        for (text, name, address) in [
            ("a@b.c", "", "a@b.c"),
            ("  a@b.c ", "", "a@b.c"),
            ("<a@b.c>", "", "a@b.c"),
            ("Jim <jim@foo.bar>", "Jim", "jim@foo.bar"),
            ("Jim<jim@foo.bar>", "Jim", "jim@foo.bar"),
            ("John Q. Public <j@b.c>", "John Q. Public", "j@b.c"),
            ("\"Lee, Ann\" <a@b.c>", "Lee, Ann", "a@b.c"),
            ("\"a \\\"b\\\" \\\\c\" <a@b.c>", "a \"b\" \\c", "a@b.c"),
            ("\"\" <a@b.c>", "", "a@b.c"),
            ("\"  \" <a@b.c>", "  ", "a@b.c"),
            ("Jörg  Müller <a@b.c>", "Jörg  Müller", "a@b.c"),
            ("=?utf-8?Q?x?= <a@b.c>", "=?utf-8?Q?x?=", "a@b.c"),
            ("\"a b\"@b.c", "", "\"a b\"@b.c"),
            ("\"a>b\"@b.c", "", "\"a>b\"@b.c"),
            ("X <\"a>b,\"@b.c>", "X", "\"a>b,\"@b.c"),
        ] {
            assert_eq!(parse(text), Ok(one(name, address)), "{text}");
        }
    }

    #[test]
    fn lists_are_split_at_their_own_commas() {
        let list = parse("a@b.c, \"Lee, Ann\" <d@e.f>,X <g@h.i>").unwrap();
        let addresses: Vec<_> = list.iter().map(|(_, address)| address.as_str()).collect();
        assert_eq!(addresses, ["a@b.c", "d@e.f", "g@h.i"]);
    }

    #[test]
    fn invalid_mailboxes_are_refused() {
        use Code::{ControlCharacter, InvalidAddress, InvalidMailbox};
        for (text, code) in [
            ("", InvalidMailbox),
            (",", InvalidMailbox),
            ("a@b.c,", InvalidMailbox),
            ("a@b.c,,d@e.f", InvalidMailbox),
            ("Ann <a@b.c", InvalidMailbox),
            ("Ann <a@b.c> x", InvalidMailbox),
            ("Ann <a@b.c> <d@e.f>", InvalidMailbox),
            ("Ann (x) <a@b.c>", InvalidMailbox),
            ("a@b.c (Ann)", InvalidMailbox),
            ("Friends: a@b.c;", InvalidMailbox),
            ("Ann @ Home <a@b.c>", InvalidMailbox),
            ("Ann \"x\" <a@b.c>", InvalidMailbox),
            ("\"Ann <a@b.c>", InvalidMailbox),
            ("Ann <>", InvalidAddress),
            ("Ann < a@b.c>", InvalidAddress),
            ("Ann", InvalidAddress),
            ("a b@c.d", InvalidAddress),
            ("Ann <a@b.c\r\nBcc: x@y.z>", ControlCharacter),
            ("A\nnn <a@b.c>", ControlCharacter),
            ("a@b>, <c@d", InvalidMailbox),
        ] {
            assert_eq!(parse(text), Err(code), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_mailbox_parses_back_to_itself(
            name in "([ -~]|\\PC|[\"\\\\ \t]){0,12}",
            address in "(ann|\"a>,b\\\\\"\"|é)@(b\\.c|\\[192\\.0\\.2\\.1\\])",
        ) {
            let mailbox = Mailbox::new(name, address.parse().unwrap()).unwrap();
            prop_assert_eq!(Mailbox::parse(mailbox.to_string()), Ok(mailbox));
        }
    }
}
