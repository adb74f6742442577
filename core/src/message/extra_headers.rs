//! Header fields of the caller's own.

use super::values::header_text;
use crate::header::{LONGEST_LINE, needs_encoding};
use crate::json::{JsonHeader, JsonHeaders};
use crate::problem::{Code, OrRefuse, ProblemReport, Refusal};
use std::borrow::Cow;

/// A field that stands in the message as it was given.
#[derive(Debug)]
pub(crate) struct ExtraHeader<'a> {
    pub name: Cow<'a, str>,
    pub value: Cow<'a, str>,
}

impl ExtraHeader<'_> {
    /// The same field, borrowed.
    pub fn lend(&self) -> ExtraHeader<'_> {
        ExtraHeader {
            name: Cow::Borrowed(&self.name),
            value: Cow::Borrowed(&self.value),
        }
    }
}

/// More make a header that mail servers refuse.
const MOST_FIELDS: usize = 1_000;
/// The longest name; with it and the colon, a word of the value still fits in 998 octets.
const LONGEST_NAME: usize = 76;
/// The longest word, since a line can only end at a blank.
const LONGEST_WORD: usize = 990;

/// Fields that are made from the message's own fields, and where to give them instead.
const OWN_FIELDS: [(&str, &str); 19] = [
    ("from", "from"),
    ("sender", "from"),
    ("reply-to", "replyTo"),
    ("to", "to"),
    ("cc", "cc"),
    ("bcc", "bcc"),
    ("subject", "subject"),
    ("date", "date"),
    ("message-id", "messageId"),
    ("in-reply-to", "inReplyTo"),
    ("references", "references"),
    ("x-priority", "priority"),
    ("importance", "priority"),
    ("mime-version", "text"),
    ("list-unsubscribe-post", "unsubscribe"),
    ("x-job", "job"),
    ("x-envid", "envid"),
    ("x-virtual-mta", "vmta"),
    ("x-schedule", "schedule"),
];

/// Fields that PowerMTA acts on, or that only those who carry a message may write.
const OTHERS_FIELDS: [&str; 13] = [
    "x-sender",
    "x-sender-override",
    "x-receiver",
    "x-dkim-options",
    "received",
    "return-path",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "authentication-results",
    "received-spf",
    "errors-to",
    "apparently-to",
];

const OTHERS_PREFIXES: [&str; 4] = ["content-", "resent-", "arc-", "x-pmta-"];

/// Understands the fields. `has_unsubscribe`: the message says by its own field how to leave.
pub(super) fn read_headers<'a>(
    headers: JsonHeaders<'a>,
    has_unsubscribe: bool,
    report: &mut ProblemReport<'a>,
) -> Vec<ExtraHeader<'a>> {
    let mut fields = Vec::with_capacity(headers.0.len());
    for JsonHeader { name, values } in headers.0 {
        let checked = check_name(&name.value, has_unsubscribe);
        if checked.or_refuse(name.location, report).is_none() {
            continue;
        }
        for value in values {
            let location = value.location;
            if fields.len() == MOST_FIELDS {
                let detail = "A message has 1,000 header fields of its own at most.";
                report.problem(location, Code::TooLong, detail);
                return fields;
            }
            let value = header_text(value, report);
            if !fits_lines(&name.value, &value) {
                report.refuse(location, TOO_LONG);
            }
            fields.push(ExtraHeader {
                name: name.value.clone(),
                value,
            });
        }
    }
    fields
}

/// What is said of a value that does not fit.
pub(super) const TOO_LONG: Refusal = Refusal::new(
    Code::TooLong,
    "A word of a header field must fit in a line of 998 octets.",
);

/// Whether each word of a value fits in a line.
pub(super) fn fits_lines(name: &str, value: &str) -> bool {
    // The first word stands beside the name: some readers take a fold there for a blank.
    let mut room = LONGEST_LINE - name.len() - ": ".len();
    let mut fits = |word: &str| word.len() <= std::mem::replace(&mut room, LONGEST_WORD);
    needs_encoding(value) || value.split(' ').all(&mut fits)
}

fn check_name(name: &str, has_unsubscribe: bool) -> Result<(), Refusal> {
    // ftext of RFC 5322 section 3.6.8.
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|octet| octet.is_ascii_graphic() && octet != b':');
    if !is_name || name.len() > LONGEST_NAME {
        let detail = "The name of a header field is printable ASCII without blank and colon, of 76 \
                      characters at most.";
        return Err(Refusal::new(Code::InvalidHeaderName, detail));
    }
    let name = name.to_ascii_lowercase();
    let twice = [("list-unsubscribe", "unsubscribe")];
    let twice = twice.iter().filter(|_| has_unsubscribe);
    if let Some((_, field)) = OWN_FIELDS.iter().chain(twice).find(|(own, _)| *own == name) {
        let detail = format!("This header field is made from the message's `{field}`.");
        return Err(Refusal::with_detail(Code::ReservedHeader, detail));
    }
    // PowerMTA may compare names more loosely than we know.
    let plain = name.replace('_', "-");
    if OTHERS_FIELDS.contains(&plain.as_str())
        || OWN_FIELDS.iter().any(|(own, _)| *own == plain)
        || OTHERS_PREFIXES
            .iter()
            .any(|prefix| plain.starts_with(prefix))
    {
        let detail = "This header field is not the sender's to write.";
        return Err(Refusal::new(Code::ReservedHeader, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_senders_own() {
        for name in [
            "X-Campaign",
            "List-Id",
            "Auto-Submitted",
            "X-Entity-Ref-ID",
            "Precedence",
        ] {
            assert!(check_name(name, false).is_ok(), "{name}");
        }
        for name in [
            "",
            "X Y",
            "X:",
            "X-é",
            "x-Sender",
            "X_Sender",
            "X-Receiver",
            "Bcc",
            "bCC",
            "Subject",
            "Content-Type",
            "Resent-To",
            "X-Virtual-MTA",
            "X-DKIM-Options",
            "a\r\nb",
            "Date",
        ] {
            assert!(check_name(name, false).is_err(), "{name}");
        }
    }
}
