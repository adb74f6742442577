//! A display name and an address.

use super::AddrSpec;
use super::strict::outline_list;
use crate::problem::{Code, Refusal};
use crate::syntax::has_control_except_tab;
use std::borrow::Cow;

/// A mailbox of RFC 5322 section 3.4: an address and, often, a name to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox<'a> {
    /// Not empty, and without control characters.
    pub name: Option<Cow<'a, str>>,
    pub address: AddrSpec<'a>,
}

impl<'a> Mailbox<'a> {
    /// Parses an address without a name: by far the most common mailbox.
    pub fn parse_bare(text: &Cow<'a, str>) -> Option<Self> {
        let address = AddrSpec::read(text.clone()).ok()?;
        Some(Self {
            name: None,
            address,
        })
    }

    /// Parses mailboxes that a caller wrote as one text, with commas between them.
    pub fn parse_list(text: &Cow<'a, str>) -> Result<Vec<Self>, Refusal> {
        if let Some(mailbox) = Self::parse_bare(text) {
            return Ok(vec![mailbox]);
        }
        if has_control_except_tab(text) {
            return Err(Refusal::new(
                Code::ControlCharacter,
                "A mailbox may not hold line ends or other control characters.",
            ));
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
    pub fn lend(&self) -> Mailbox<'_> {
        Mailbox {
            name: self.name.as_deref().map(Cow::Borrowed),
            address: self.address.lend(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn lists_are_parted_at_their_own_commas() {
        let list = parse("a@b.c, \"Lee, Ann\" <d@e.f>,X <g@h.i>").unwrap();
        let addresses: Vec<_> = list.iter().map(|(_, address)| address.as_str()).collect();
        assert_eq!(addresses, ["a@b.c", "d@e.f", "g@h.i"]);
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
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
}
