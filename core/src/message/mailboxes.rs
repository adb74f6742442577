//! Mailboxes in JSON: a string, an object with a name and an address, or a list of those.

use crate::address::{AddrSpec, Mailbox};
use crate::json::{JsonMailbox, JsonMailboxObject, JsonMailboxes, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport};
use crate::syntax::has_control_except_tab;
use std::borrow::Cow;

const CONTROL_IN_NAME: &str =
    "A display name may not contain line breaks or other control characters.";

/// Interprets one or several mailboxes; what is wrong goes into the report.
pub(super) fn read_mailboxes<'a>(
    mailboxes: Located<JsonMailboxes<'a>>,
    report: &mut ProblemReport<'a>,
) -> Vec<Mailbox<'a>> {
    const ONE_EACH: &str =
        "Each element of the array must be one mailbox; this one contains several.";

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

/// Interprets one mailbox. `several` is the problem if it is a list.
pub(super) fn read_mailbox<'a>(
    mailbox: Located<JsonMailbox<'a>>,
    several: &'static str,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let Located { location, value } = mailbox;
    match value {
        JsonMailbox::Text(text) => read_one(location, &text, several, report),
        JsonMailbox::Object(parts) => read_parts(location, *parts, report),
    }
}

/// Interprets one mailbox given as a string. `several` is the problem if it is a list.
pub(super) fn read_one<'a>(
    location: Location,
    text: &Cow<'a, str>,
    several: &'static str,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let mut mailboxes = match Mailbox::parse_bare(text) {
        Some(mailbox) => return Some(mailbox),
        None => read_list(location, text, report),
    };
    if mailboxes.len() > 1 {
        report.problem(location, Code::TooManyMailboxes, several);
    }
    mailboxes.pop()
}

fn read_list<'a>(
    location: Location,
    text: &Cow<'a, str>,
    report: &mut ProblemReport<'a>,
) -> Vec<Mailbox<'a>> {
    Mailbox::parse_list(text)
        .or_refuse(location, report)
        .unwrap_or_default()
}

/// Interprets one mailbox given as an object.
pub(super) fn read_parts<'a>(
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
