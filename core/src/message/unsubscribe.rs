//! Leaving a list: List-Unsubscribe (RFC 2369) and one-click (RFC 8058).

use crate::address::AddrSpec;
use crate::header::holds_encoded_word;
use crate::json::{JsonUnsubscribe, Placed};
use crate::problem::{Code, Report};
use std::borrow::Cow;

/// The ways to leave, as they stand in the header.
#[derive(Debug)]
pub(crate) struct Unsubscribe<'a> {
    /// Addresses without angle brackets, the one to prefer first.
    pub targets: Vec<Cow<'a, str>>,
    /// Whether a POST to the https address is enough.
    pub one_click: bool,
}

/// With the field's name it must fit in a line of 998 octets.
const LONGEST: usize = 900;

pub(super) fn read_unsubscribe<'a>(
    unsubscribe: Placed<JsonUnsubscribe<'a>>,
    report: &mut Report<'a>,
) -> Option<Unsubscribe<'a>> {
    let Placed { place, value } = unsubscribe;
    let mut targets = Vec::new();
    let mut is_https = false;
    if value.url.is_none() && value.mailto.is_none() {
        let detail = "Give `url`, `mailto` or both.";
        report.missing(place, &["url", "mailto"], Code::MissingField, detail);
    }
    if let Some(url) = value.url {
        is_https = has_scheme(&url.value, "https:");
        if !(is_https || has_scheme(&url.value, "http:")) || !fits(&url.value) {
            let detail =
                "The address must be an http or https URL in ASCII, of 900 octets at most.";
            report.problem(url.place, Code::InvalidUnsubscribe, detail);
        }
        targets.push(url.value);
    }
    if let Some(mailto) = value.mailto {
        if let Some(target) = mailto_target(&mailto.value) {
            targets.push(target);
        } else {
            let detail = "This must be an address, or a mailto: URL in ASCII.";
            report.problem(mailto.place, Code::InvalidUnsubscribe, detail);
        }
    }
    match value.one_click {
        Some(Placed { place, value: true }) if !is_https => {
            let detail = "One click needs an https `url` (RFC 8058).";
            report.problem(place, Code::InvalidUnsubscribe, detail);
            None
        }
        wanted => Some(Unsubscribe {
            targets,
            one_click: is_https && wanted.is_none_or(|wanted| wanted.value),
        }),
    }
}

fn mailto_target<'a>(text: &str) -> Option<Cow<'a, str>> {
    if has_scheme(text, "mailto:") {
        return fits(text).then(|| Cow::Owned(text.to_owned()));
    }
    let address = AddrSpec::parse(text).ok()?;
    // What a URL cannot hold in an address is rare enough to be refused.
    let url = format!("mailto:{address}");
    (fits(&url) && !url.contains(['"', '%', '?', '&', '\\'])).then_some(Cow::Owned(url))
}

/// Printable ASCII without what would end the address in the header.
fn fits(url: &str) -> bool {
    url.len() <= LONGEST
        && !holds_encoded_word(url)
        && url
            .bytes()
            .all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>'))
}

fn has_scheme(url: &str, scheme: &str) -> bool {
    url.len() > scheme.len()
        && url
            .get(..scheme.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(scheme))
}
