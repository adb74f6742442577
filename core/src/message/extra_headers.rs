//! Header fields that the caller writes: the message's `headers`.

use super::values::header_text;
use crate::header::{
    Body, HeaderSection, KnownField, LONGEST_LINE, Owner, StructuredBody, needs_encoding,
};
use crate::json::{JsonHeader, JsonHeaders, Located, field_of_header};
use crate::problem::{Code, OrRefuse, ProblemReport, Refusal};
use crate::template::TemplateText;
use std::borrow::Cow;

/// A field of the caller's own.
#[derive(Debug)]
pub(crate) struct ExtraHeader<'a> {
    pub name: Cow<'a, str>,
    pub body: ExtraBody<'a>,
}

/// The body of a field of the caller's own.
#[derive(Debug)]
pub(crate) enum ExtraBody<'a> {
    /// Every reader gets it back exactly as it was given.
    Text(Cow<'a, str>),
    /// Of a field whose grammar is known: it is read by that.
    Structured(StructuredBody<'a>),
}

impl ExtraHeader<'_> {
    /// The same field, borrowed.
    pub fn lend(&self) -> ExtraHeader<'_> {
        ExtraHeader {
            name: Cow::Borrowed(&self.name),
            body: self.body.lend(),
        }
    }

    /// Whether it holds an address that only SMTPUTF8 can carry.
    pub fn is_internationalized(&self) -> bool {
        self.body.is_internationalized()
    }
}

impl<'a> ExtraBody<'a> {
    /// What is there until a template is filled in, or where a value was refused.
    pub const NOTHING: Self = Self::Text(Cow::Borrowed(""));

    /// Understands the body of the field `name`, in which there are no control characters but tabs.
    pub fn read(name: &str, text: Cow<'a, str>) -> Result<Self, Refusal> {
        match KnownField::named(name).map(|field| field.body) {
            Some(Body::Structured(grammar)) => {
                StructuredBody::read(grammar, name, &text).map(Self::Structured)
            }
            _ if fits_lines(name, &text) => Ok(Self::Text(text)),
            _ => Err(TOO_LONG),
        }
    }

    /// The same body, borrowed.
    pub fn lend(&self) -> ExtraBody<'_> {
        match self {
            Self::Text(text) => ExtraBody::Text(Cow::Borrowed(text)),
            Self::Structured(body) => ExtraBody::Structured(body.lend()),
        }
    }

    /// Writes the field.
    pub fn write(&self, name: &str, header: &mut HeaderSection<'_>) {
        match self {
            Self::Text(text) => header.extra(name, text),
            Self::Structured(body) => header.structured(name, body),
        }
    }

    /// About how many bytes it takes.
    pub fn estimate(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Structured(body) => body.estimate(),
        }
    }

    /// Whether it holds an address that only SMTPUTF8 can carry.
    pub fn is_internationalized(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Structured(body) => body.is_internationalized(),
        }
    }

    /// The body in one line, unless something in it has to be encoded or in quotes.
    pub fn as_plain_line(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Structured(body) => body.as_plain_line().map(Cow::Owned),
        }
    }
}

/// More make a header that mail servers refuse.
const MOST_FIELDS: usize = 1_000;
/// The longest name; with it and the colon, a word of the value still fits in 998 bytes.
const LONGEST_NAME: usize = 76;
/// The longest word, since a line can only end at a blank.
const LONGEST_WORD: usize = 990;

/// Understands the fields. `has_unsubscribe`: the message has the field `unsubscribe` too; `templates` are
/// the values that were taken out, by their numbers.
pub(super) fn read_headers<'a>(
    headers: JsonHeaders<'a>,
    has_unsubscribe: bool,
    templates: &[(usize, TemplateText<'a>)],
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
            let is_template = templates.iter().any(|(number, _)| *number == fields.len());
            let body = if is_template {
                None
            } else {
                read_body(&name.value, value, report)
            };
            fields.push(ExtraHeader {
                name: name.value.clone(),
                body: body.unwrap_or(ExtraBody::NOTHING),
            });
        }
    }
    fields
}

fn read_body<'a>(
    name: &str,
    value: Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<ExtraBody<'a>> {
    let location = value.location;
    let known = report.len();
    let text = header_text(value, report);
    // Of a control character no more has to be said.
    (report.len() == known)
        .then(|| ExtraBody::read(name, text).or_refuse(location, report))
        .flatten()
}

/// What is said of a value that does not fit.
const TOO_LONG: Refusal = Refusal::new(
    Code::TooLong,
    "A word of a header field must fit in a line of 998 octets.",
);

/// Whether each word of a value fits in a line.
fn fits_lines(name: &str, value: &str) -> bool {
    // The first word is on the line of the name: some readers take a fold there for a blank.
    let mut room = LONGEST_LINE - name.len() - ": ".len();
    let mut fits = |word: &str| word.len() <= std::mem::replace(&mut room, LONGEST_WORD);
    needs_encoding(value) || value.split(' ').all(&mut fits)
}

fn check_name(name: &str, has_unsubscribe: bool) -> Result<(), Refusal> {
    // ftext of RFC 5322 section 3.6.8.
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b':');
    if !is_name || name.len() > LONGEST_NAME {
        let detail = "The name of a header field is printable ASCII without blank and colon, of 76 \
                      characters at most.";
        return Err(Refusal::new(Code::InvalidHeaderName, detail));
    }
    let Some(KnownField { owner, .. }) = KnownField::named_loosely(name) else {
        return Ok(());
    };
    match (owner, field_of_header(name)) {
        (Owner::Sender, None) => Ok(()),
        (Owner::Sender, Some("unsubscribe")) if !has_unsubscribe => Ok(()),
        (_, Some(own)) => {
            let detail = format!("This header field is made from the message's `{own}`.");
            Err(Refusal::with_detail(Code::ReservedHeader, detail))
        }
        (_, None) => {
            let detail = "This header field is not the sender's to write.";
            Err(Refusal::new(Code::ReservedHeader, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;
    use crate::header::{Grammar, Occurs, Party};

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

    fn raw_codes(field: &str) -> Vec<&'static str> {
        let mail = format!(
            "{field}Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nMessage-ID: <a@b.c>\r\nFrom: a@b.c\r\n\r\n"
        );
        match Message::from_rfc822(mail.as_bytes(), &[("to", "d@e.f")]) {
            Ok(_) => Vec::new(),
            Err(problems) => problems
                .iter()
                .map(|problem| problem.code().as_str())
                .collect(),
        }
    }

    #[test]
    fn every_row_of_the_table_is_kept_in_headers_and_in_finished_messages() {
        for KnownField {
            name,
            owner,
            body,
            occurs,
            ..
        } in KnownField::all()
        {
            // A prefix is tried with one of the names that begin so.
            let name = if name.ends_with('-') {
                format!("{name}new")
            } else {
                (*name).to_owned()
            };
            for name in [
                name.clone(),
                name.to_ascii_uppercase(),
                name.replace('-', "_"),
            ] {
                assert_eq!(
                    check_name(&name, false).is_ok(),
                    *owner == Owner::Sender,
                    "{name}"
                );
                let field = format!("{name}: <a@example.com>\r\n");
                let is_exact = !name.contains('_');
                let mandatory = ["from", "date", "message-id"];
                let twice = is_exact && mandatory.contains(&name.to_ascii_lowercase().as_str());
                let blind = is_exact
                    && *body == Body::Structured(Grammar::Addresses(Party::BlindRecipients));
                let expected: &[_] = match owner {
                    Owner::PowerMta => &["reserved_header"],
                    _ if twice => &["invalid_content"],
                    _ if blind => &["reserved_header"],
                    _ => &[],
                };
                assert_eq!(raw_codes(&field), expected, "{name}");
                let expected: &[_] = match occurs {
                    Occurs::Once if is_exact => &["invalid_content"],
                    _ => expected,
                };
                assert_eq!(raw_codes(&field.repeat(2)), expected, "{name} twice");
            }
        }
    }

    #[test]
    fn a_list_header_may_stand_where_the_message_has_no_field_for_it() {
        for (name, may_stand) in [
            ("List-Unsubscribe", false),
            ("List-Help", true),
            ("X-A", true),
        ] {
            assert!(check_name(name, false).is_ok(), "{name}");
            assert_eq!(check_name(name, true).is_ok(), may_stand, "{name}");
        }
        assert!(check_name("List-Unsubscribe-Post", false).is_err());
    }

    #[test]
    fn a_refused_header_names_the_field_to_use() {
        for (name, field) in [
            ("Reply-To", "replyTo"),
            ("MIME-Version", "text"),
            ("X-Job", "job"),
        ] {
            let detail = format!("This header field is made from the message's `{field}`.");
            assert_eq!(
                check_name(name, false).unwrap_err().detail,
                detail,
                "{name}"
            );
        }
        for name in [
            "X-Sender",
            "X-Receiver",
            "X-DKIM-Options",
            "X-PMTA-Pool",
            "x_virtual_mta",
            "Received",
            "Content-Type",
            "Errors-To",
        ] {
            let detail = "This header field is not the sender's to write.";
            assert_eq!(
                check_name(name, false).unwrap_err().detail,
                detail,
                "{name}"
            );
        }
    }
}
