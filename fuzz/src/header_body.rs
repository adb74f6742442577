//! The judge of a header field's body: it says what was given.

use crate::expected::{mailboxes, unquoted};
use crate::reading::normal_address;
use encodify::rfc2047::{decode_text, utf8_charset};
use mail_parser::parsers::MessageStream;
use pmtaemail::fuzzing::known_header_fields;
use serde_json::Value;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Date,
    Mailboxes,
    Urls,
    Ids,
    Priority,
    Words,
}

impl Kind {
    fn of(name: &str) -> Self {
        let known = known_header_fields().find(|field| field.name == name);
        if !known.is_some_and(|field| field.is_structured) {
            return Self::Text;
        }
        match name {
            "date" | "expires" | "expiry-date" | "reply-by" => Self::Date,
            "disposition-notification-to"
            | "mail-followup-to"
            | "mail-reply-to"
            | "reply-to"
            | "return-receipt-to"
            | "sender"
            | "to"
            | "cc"
            | "x-confirm-reading-to" => Self::Mailboxes,
            "in-reply-to" | "message-id" | "obsoletes" | "references" | "supersedes" => Self::Ids,
            "x-priority" | "importance" => Self::Priority,
            name if name.starts_with("list-")
                && name != "list-id"
                && name != "list-unsubscribe-post"
                || name == "archived-at" =>
            {
                Self::Urls
            }
            _ => Self::Words,
        }
    }
}

/// Judges the unfolded body of a field, whose name is in lower case, beside the text that was given.
pub fn judge_body(name: &str, given: &str, body: &str) {
    let kind = Kind::of(name);
    match kind {
        Kind::Text => assert_eq!(decoded(body), given, "{name}"),
        Kind::Date => {
            let date = |text: &str| {
                MessageStream::new(text.as_bytes())
                    .parse_date()
                    .into_datetime()
            };
            let (given, written) = (date(given), date(body));
            assert!(written.is_some(), "{name}: no date");
            // It does not know that 1900 is added to three digits (RFC 5322 section 4.3).
            let given = given.filter(|given| given.year > 999);
            if let (Some(given), Some(written)) = (given, written) {
                assert_eq!(given.to_timestamp(), written.to_timestamp(), "{name}");
            }
        }
        Kind::Mailboxes => {
            let read = |text: &str| mailboxes(Some(&Value::from(text)));
            assert_eq!(addresses(&read(body)), addresses(&read(given)), "{name}");
            assert_eq!(names(&read(body)), names(&read(given)), "{name}");
        }
        Kind::Urls => {
            let encoded = given.replace('[', "%5B").replace(']', "%5D");
            let written = decoded(body).replace('[', "%5B").replace(']', "%5D");
            assert_eq!(letters(&written), letters(&encoded), "{name}");
        }
        // Comments, of which it may have some, are left out.
        Kind::Ids if given.contains('(') => {
            assert!(
                !body.contains('('),
                "{name}: a comment in a list of identifiers"
            );
        }
        Kind::Priority => {}
        // Its brackets may be left out.
        Kind::Ids if name == "message-id" => {
            let written = body.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
            let given = given.trim_matches([' ', '\t']);
            assert!(written == Some(given) || body == given, "{name}");
        }
        Kind::Ids | Kind::Words => assert_eq!(letters(&decoded(body)), letters(given), "{name}"),
    }
    if !matches!(kind, Kind::Mailboxes) {
        assert!(body.is_ascii(), "{name}: beyond ASCII, and no address");
    }
}

fn decoded(body: &str) -> String {
    decode_text(body.as_bytes(), utf8_charset).into_owned()
}

/// The text without what another form of the same words adds or leaves out.
fn letters(text: &str) -> String {
    text.replace([' ', '\t', '"', '\\'], "")
}

fn addresses(list: &[(String, String)]) -> Vec<String> {
    list.iter()
        .map(|(_, address)| normal_address(address.trim()))
        .collect()
}

fn names(list: &[(String, String)]) -> Vec<String> {
    list.iter()
        .map(|(name, _)| letters(&decoded(&unquoted(name))))
        .collect()
}
