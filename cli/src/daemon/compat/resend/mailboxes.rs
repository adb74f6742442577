//! The mailboxes that a message names.

use super::super::object::{Found, Value};
use super::super::translated::Translated;
use pmtaemail::{Code, Problem};
use serde::Serialize;
use serde_json::value::RawValue;

/// Most elements of `to`.
pub const MOST: usize = 50;

/// The characters that a display name may not contain without quotes (RFC 5322 section 3.2.3).
const NEED_QUOTES: &str = "()[]:;@\\,\"";

/// One of them, or several separated by commas.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Mailbox<'a> {
    AsWritten(&'a RawValue),
    /// With quotes around the name, where they are missing.
    Named {
        name: String,
        address: String,
    },
}

/// Writes a mailbox that is not part of a list.
pub fn put_one(name: &str, value: &Value<'_>, ours: &mut Translated, found: &mut Found) {
    if let Some(mailbox) = read(value, found) {
        ours.put_made(name, &mailbox, &value.pointer);
        place(&format!("/{name}"), &mailbox, value, ours);
    }
}

/// Writes mailboxes: one text, or an array of them.
pub fn put_all(
    name: &str,
    value: &Value<'_>,
    most: Option<usize>,
    ours: &mut Translated,
    found: &mut Found,
) {
    if value.is_text() {
        put_one(name, value, ours, found);
        return;
    }
    let list = value
        .array()
        .map_err(|_| value.wrong_type("a string or an array of strings"));
    let Some(list) = found.keep(list) else {
        return;
    };
    if most.is_some_and(|most| list.len() > most) {
        let detail = format!("A message may have at most {MOST} of them.");
        found.add(Problem::found(
            Code::TooManyMailboxes,
            value.pointer.clone(),
            detail,
        ));
        return;
    }
    let read = |element| Some((element, read(element, found)?));
    let mailboxes: Vec<_> = list.iter().filter_map(read).collect();
    let all: Vec<_> = mailboxes.iter().map(|(_, mailbox)| mailbox).collect();
    ours.put_made(name, &all, &value.pointer);
    for (index, (element, mailbox)) in mailboxes.iter().enumerate() {
        place(&format!("/{name}/{index}"), mailbox, element, ours);
    }
}

fn place(at: &str, mailbox: &Mailbox<'_>, value: &Value<'_>, ours: &mut Translated) {
    if let Mailbox::Named { .. } = mailbox {
        for member in ["/name", "/address"] {
            ours.place(format!("{at}{member}"), &value.pointer);
        }
    }
}

fn read<'a>(value: &Value<'a>, found: &mut Found) -> Option<Mailbox<'a>> {
    let text = found.keep(value.text())?;
    Some(match with_bare_name(&text) {
        None => Mailbox::AsWritten(value.raw),
        Some((name, address)) => Mailbox::Named {
            name: name.to_owned(),
            address: address.to_owned(),
        },
    })
}

/// Name and address where the name needs quotes and has none, as Symfony and Swoosh write it.
///
/// ```text
/// Acme, Inc <a@example.com>                 Acme, Inc      a@example.com
/// a@example.com, Acme <b@example.com>       two mailboxes: nothing of them may become a name
/// ```
fn with_bare_name(text: &str) -> Option<(&str, &str)> {
    let (name, address) = text.trim().strip_suffix('>')?.rsplit_once('<')?;
    let name = name.trim();
    let may_be_several = name.contains(['<', '>']) || name.contains(',') && name.contains('@');
    let needs_quotes = name.contains(|c| NEED_QUOTES.contains(c)) && !is_quoted(name);
    (needs_quotes && !may_be_several).then_some((name, address))
}

/// Whether a text is one quoted string as a whole (RFC 5322 section 3.2.4).
fn is_quoted(text: &str) -> bool {
    text.strip_prefix('"')
        .is_some_and(|rest| closing_quote(rest).is_some_and(|end| end + 1 == rest.len()))
}

/// Where the quoted string ends whose opening quote is before this.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    })
}

/// The addresses of a list of mailboxes, whether their names are in quotes or not, to compare them with others.
pub fn addresses(list: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    let mut rest = list;
    let mut start = list;
    loop {
        let end = rest.find(['"', ',']).unwrap_or(rest.len());
        match rest.as_bytes().get(end) {
            Some(b'"') => {
                rest = &rest[end + 1..];
                rest = closing_quote(rest).map_or("", |quote| &rest[quote + 1..]);
            }
            separator => {
                let mailbox = &start[..start.len() - rest.len() + end];
                let bare = mailbox.rsplit_once('<').map_or(mailbox, |(_, rest)| rest);
                let bare = bare.trim().trim_end_matches('>');
                if bare.contains('@') {
                    addresses.push(bare.to_ascii_lowercase());
                }
                if separator.is_none() {
                    return addresses;
                }
                rest = &rest[end + 1..];
                start = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_need_quotes_may_lack_them() {
        for (text, expected) in [
            (
                "Acme, Inc <a@b.example>",
                Some(("Acme, Inc", "a@b.example")),
            ),
            (
                " Acme, Inc<a@b.example> ",
                Some(("Acme, Inc", "a@b.example")),
            ),
            (
                "Ann @ Home <a@b.example>",
                Some(("Ann @ Home", "a@b.example")),
            ),
            ("Ann (x) <a@b.example>", Some(("Ann (x)", "a@b.example"))),
            (
                "Shop: Ltd; <a@b.example>",
                Some(("Shop: Ltd;", "a@b.example")),
            ),
            (
                "Ann \"A\" Lee <a@b.example>",
                Some(("Ann \"A\" Lee", "a@b.example")),
            ),
            (
                "\"A\" \"B\" <a@b.example>",
                Some(("\"A\" \"B\"", "a@b.example")),
            ),
            ("\"A <a@b.example>", Some(("\"A", "a@b.example"))),
            ("\"<a@b.example>", Some(("\"", "a@b.example"))),
            ("\"\" <a@b.example>", None),
            (
                "A\\ <\"x>y\"@b.example>",
                Some(("A\\", "\"x>y\"@b.example")),
            ),
            ("a@b.example", None),
            ("<a@b.example>", None),
            ("Ann Lee <a@b.example>", None),
            ("Jörg O'Neill-X. <a@b.example>", None),
            ("\"Acme, Inc\" <a@b.example>", None),
            ("\"A \\\"B\\\" C\" <a@b.example>", None),
            ("a@b.example, Acme <c@d.example>", None),
            ("a@b.example, Acme, Inc <c@d.example>", None),
            ("Ann <a@b.example>, Acme, Inc <c@d.example>", None),
            ("\"Ann, A\" <a@b.example>, Bo <c@d.example>", None),
            ("Acme, Inc <a@b.example", None),
            ("Acme, Inc a@b.example>", None),
            ("Friends: a@b.example, Bo <c@d.example>;", None),
            ("", None),
        ] {
            assert_eq!(with_bare_name(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_are_those_of_all_mailboxes() {
        for (list, expected) in [
            ("", &[][..]),
            ("A@B.example", &["a@b.example"]),
            ("Acme, Inc <a@b.example>", &["a@b.example"]),
            (
                "\"Lee, a@x\" <a@b.example>,c@d.example , <e@f.example>",
                &["a@b.example", "c@d.example", "e@f.example"],
            ),
        ] {
            assert_eq!(addresses(list), expected, "{list}");
        }
    }
}
