//! From what the JSON says to what it means, field by field.

use super::Message;
use crate::address::{Fault, Mailbox, ReversePath, read_mailboxes};
use crate::characters::has_control_except_tab;
use crate::header::{Date, MessageId};
use crate::json::{JsonMailboxes, JsonMessage, Placed, same_name};
use crate::problem::{Code, Place, Report};
use std::borrow::Cow;

/// Understands a message. `None` only where the report tells why; a message that comes back beside
/// problems is not to be used.
pub(super) fn understand<'a>(
    json: JsonMessage<'a>,
    report: &mut Report<'a>,
) -> Option<Message<'a>> {
    let sender = json.sender.and_then(|sender| read_sender(sender, report));
    let from = read_from(json.from, report);
    let mut mailboxes = |field: Option<Placed<JsonMailboxes<'a>>>| {
        field.map_or_else(Vec::new, |field| read_mailboxes(field, report))
    };
    let (to, cc, bcc) = (mailboxes(json.to), mailboxes(json.cc), mailboxes(json.bcc));
    let reply_to = mailboxes(json.reply_to);
    let date = json.date.as_ref().and_then(|date| read_date(date, report));
    let message_id = json.message_id.and_then(|id| read_message_id(id, report));
    let subject = json
        .subject
        .map(|subject| read_header_text(subject, report));

    let is_recipients = |name: &str| ["to", "cc", "bcc"].iter().any(|to| same_name(to, name));
    // Where a recipient is faulty it cannot be said that there is none.
    if to.is_empty() && cc.is_empty() && bcc.is_empty() && !report.has_problem_in(is_recipients) {
        let detail = "The message goes to nobody; give `to`, `cc` or `bcc`.";
        report.missing(Place::ROOT, "to", Code::NoRecipients, detail);
    }
    Some(Message {
        sender,
        from: from?,
        to,
        cc,
        bcc,
        reply_to,
        subject,
        text: json.text.map(|text| text.value),
        html: json.html.map(|html| html.value),
        date,
        message_id,
    })
}

fn read_from<'a>(
    from: Option<Placed<JsonMailboxes<'a>>>,
    report: &mut Report<'a>,
) -> Option<Mailbox<'a>> {
    let Some(from) = from else {
        let detail = "Every message needs `from`.";
        report.missing(Place::ROOT, "from", Code::MissingField, detail);
        return None;
    };
    let place = from.place;
    let known = report.len();
    let mut mailboxes = read_mailboxes(from, report).into_iter();
    match (mailboxes.next(), mailboxes.next()) {
        (Some(mailbox), None) => Some(mailbox),
        (None, _) if report.len() > known => None,
        (None, _) => {
            report.problem(place, Code::MissingField, "Every message needs `from`.");
            None
        }
        (Some(_), Some(_)) => {
            report.problem(place, Code::TooManyMailboxes, "`from` is one mailbox.");
            None
        }
    }
}

fn read_sender<'a>(
    sender: Placed<Cow<'a, str>>,
    report: &mut Report<'a>,
) -> Option<ReversePath<'a>> {
    match ReversePath::read(sender.value) {
        Ok(path) => Some(path),
        Err(Fault { code, detail }) => {
            report.problem(sender.place, code, detail);
            None
        }
    }
}

/// Text for an unstructured field: anything but control characters, tabs excepted.
fn read_header_text<'a>(text: Placed<Cow<'a, str>>, report: &mut Report<'a>) -> Cow<'a, str> {
    if has_control_except_tab(&text.value) {
        let detail = "A header field may not hold line ends or other control characters.";
        report.problem(text.place, Code::ControlCharacter, detail);
    }
    text.value
}

fn read_date(date: &Placed<Cow<'_, str>>, report: &mut Report<'_>) -> Option<Date> {
    Date::from_rfc3339(&date.value)
        .map_err(|detail| report.problem(date.place, Code::InvalidDate, detail))
        .ok()
}

fn read_message_id<'a>(id: Placed<Cow<'a, str>>, report: &mut Report<'a>) -> Option<MessageId<'a>> {
    MessageId::parse(id.value)
        .map_err(|(code, detail)| report.problem(id.place, code, detail))
        .ok()
}
