//! A display name and an address.

use super::AddrSpec;
use super::parse::outline_list;
use crate::characters::has_control_except_tab;
use crate::json::{JsonMailbox, JsonMailboxObject, JsonMailboxes, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use std::borrow::Cow;

/// A mailbox of RFC 5322 section 3.4: an address and, often, a name to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mailbox<'a> {
    /// Not empty, and without control characters.
    pub name: Option<Cow<'a, str>>,
    pub address: AddrSpec<'a>,
}

impl Mailbox<'_> {
    /// The same mailbox, borrowed.
    pub fn lend(&self) -> Mailbox<'_> {
        Mailbox {
            name: self.name.as_deref().map(Cow::Borrowed),
            address: self.address.lend(),
        }
    }
}

/// Understands one or several mailboxes; what is wrong goes into the report.
pub(crate) fn read_mailboxes<'a>(
    mailboxes: Located<JsonMailboxes<'a>>,
    report: &mut ProblemReport<'a>,
) -> Vec<Mailbox<'a>> {
    const ONE_EACH: &str = "Each element of the array is one mailbox; this one holds several.";

    let location = mailboxes.location;
    match mailboxes.value {
        JsonMailboxes::One(JsonMailbox::Text(list)) => read_list(location, &list, report),
        JsonMailboxes::One(JsonMailbox::Object(parts)) => {
            read_parts(location, *parts, report).into_iter().collect()
        }
        JsonMailboxes::List(list) => list
            .into_iter()
            .filter_map(|element| read_mailbox(element, ONE_EACH, report))
            .collect(),
    }
}

/// Understands one mailbox. `several` is said where it is a list.
pub(crate) fn read_mailbox<'a>(
    mailbox: Located<JsonMailbox<'a>>,
    several: &'static str,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let location = mailbox.location;
    match mailbox.value {
        JsonMailbox::Object(parts) => read_parts(location, *parts, report),
        JsonMailbox::Text(text) => {
            let mut mailboxes = match parse_bare(&text) {
                Some(mailbox) => return Some(mailbox),
                None => read_list(location, &text, report),
            };
            if mailboxes.len() > 1 {
                report.problem(location, Code::TooManyMailboxes, several);
            }
            mailboxes.pop()
        }
    }
}

fn read_list<'a>(
    location: Location,
    text: &Cow<'a, str>,
    report: &mut ProblemReport<'a>,
) -> Vec<Mailbox<'a>> {
    parse_mailboxes(text)
        .or_refuse(location, report)
        .unwrap_or_default()
}

fn read_parts<'a>(
    location: Location,
    parts: JsonMailboxObject<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let name = parts.name.and_then(|name| {
        if has_control_except_tab(&name.value) {
            report.problem(name.location, Code::ControlCharacter, CONTROL_IN_NAME);
        }
        (!name.value.is_empty()).then_some(name.value)
    });
    let Some(address) = parts.address else {
        let detail = "A mailbox must have an `address`.";
        report.missing(location, &["address", "email"], Code::MissingField, detail);
        return None;
    };
    let address = AddrSpec::read(address.value).or_refuse(address.location, report)?;
    Some(Mailbox { name, address })
}

/// By far the most common mailbox: an address and nothing else.
fn parse_bare<'a>(text: &Cow<'a, str>) -> Option<Mailbox<'a>> {
    let address = AddrSpec::read(text.clone()).ok()?;
    Some(Mailbox {
        name: None,
        address,
    })
}

/// Parses mailboxes written as one string.
fn parse_mailboxes<'a>(text: &Cow<'a, str>) -> Result<Vec<Mailbox<'a>>, Refusal> {
    if let Some(mailbox) = parse_bare(text) {
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
            Ok(Mailbox {
                name: outline.name,
                address: AddrSpec::read(outline.address)?,
            })
        })
        .collect()
}

const CONTROL_IN_NAME: &str = "A display name may not hold line ends or other control characters.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(Option<String>, String)>, Code> {
        parse_mailboxes(&text.into())
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
