//! From what the JSON says to what it means, field by field.

use super::attachment::read_attachments;
use super::calendar::read_calendar;
use super::composed::{Composed, Files, Priority};
use super::delivery::read_delivery;
use super::extra_headers::read_headers;
use super::form::FileParts;
use super::raw::read_raw;
use super::templated::{read_templated, refuse_strangers};
use super::unsubscribe::read_unsubscribe;
use super::values::{choice, header_text, read_sender};
use super::{Apart, Beside, Content, Message};
use crate::address::{Mailbox, ReversePath, read_mailbox, read_mailboxes};
use crate::header::{Date, MessageId};
use crate::json::{JsonMailbox, JsonMailboxes, JsonMessage, JsonTexts, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport};
use std::borrow::Cow;

/// Understands a message. `None` only where the report tells why; a message that comes back beside
/// problems is not to be used.
pub(super) fn understand<'a>(
    mut json: Box<JsonMessage<'a>>,
    mut beside: Beside<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Message<'a>> {
    let verp = json.verp.as_ref().filter(|verp| verp.value);
    let verp = verp.map(|verp| verp.location);
    let delivery = read_delivery(&mut json, report);
    let sender = json.sender.take();
    let sender = sender.and_then(|sender| read_sender(&sender, report));
    if let (Some(location), Some(ReversePath::Null)) = (verp, &sender) {
        let detail = "VERP makes bounce addresses from the sender's; the null sender has none.";
        report.problem(location, Code::Conflict, detail);
    }
    let is_merge = json.raw.is_none() && (json.recipients.is_some() || beside.apart != Apart::No);
    if json.raw.is_none() {
        refuse_strangers(&json, is_merge, report);
    }
    let mut mailboxes = |field: Option<Located<JsonMailboxes<'a>>>| {
        field.map_or_else(Vec::new, |field| read_mailboxes(field, report))
    };
    let mut to = mailboxes(json.to.take());
    let (cc, bcc) = (mailboxes(json.cc.take()), mailboxes(json.bcc.take()));
    let has_recipients = !(to.is_empty() && cc.is_empty() && bcc.is_empty());

    let mut recipients_unknown = is_merge;
    let mut merge = None;
    let content = match json.raw.take() {
        None if is_merge || json.template.is_some() || json.variables.is_some() => {
            let read = read_templated(&mut json, &mut beside, &delivery, report);
            read.map(|templated| {
                merge = templated.merge;
                Content::Composed(templated.composed)
            })
        }
        None => read_composed(&mut json, &mut beside.files, report).map(Content::Composed),
        Some(raw) => {
            refuse_composing(&json, report);
            let reading = read_raw(raw, beside.header_recipients, has_recipients, report);
            recipients_unknown = reading.is_none();
            reading.map(|reading| {
                to.extend(reading.recipients);
                Content::Raw(reading.message)
            })
        }
    };
    beside.files.finish(report);
    if !has_recipients && to.is_empty() && !recipients_unknown {
        let detail = "The message goes to nobody; give `to`, `cc` or `bcc`.";
        let fields = ["to", "cc", "bcc", "recipients"];
        // Where a recipient is faulty it cannot be said that there is none.
        report.missing(Location::ROOT, &fields, Code::NoRecipients, detail);
    }
    Some(Message {
        sender,
        to,
        cc,
        bcc,
        delivery,
        content: content?,
        merge,
    })
}

fn refuse_composing(json: &JsonMessage<'_>, report: &mut ProblemReport<'_>) {
    for location in json.composing() {
        let detail = "Beside `raw` only envelope fields can stand.";
        report.problem(location, Code::Conflict, detail);
    }
}

fn read_composed<'a>(
    json: &mut JsonMessage<'a>,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Box<Composed<'a>>> {
    let has_unsubscribe = json.unsubscribe.is_some();
    read_composed_with(json, has_unsubscribe, files, report)
}

/// `has_unsubscribe`: the message says by its own field how to leave.
pub(super) fn read_composed_with<'a>(
    json: &mut JsonMessage<'a>,
    has_unsubscribe: bool,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Box<Composed<'a>>> {
    let from = read_from(json.from.take(), report);
    let reply_to = json
        .reply_to
        .take()
        .map(|field| read_mailboxes(field, report))
        .unwrap_or_default();
    let date = json.date.as_ref().and_then(|date| read_date(date, report));
    let message_id = json
        .message_id
        .take()
        .and_then(|id| read_message_id(&id, report));
    let subject = json
        .subject
        .take()
        .map(|subject| header_text(subject, report));
    let attachments = json
        .attachments
        .take()
        .map(|list| read_attachments(list.value, files, report));
    let calendar = json
        .calendar
        .take()
        .and_then(|calendar| read_calendar(calendar, report));
    let extra_headers = json
        .headers
        .take()
        .map(|headers| read_headers(headers.value, has_unsubscribe, report));
    let unsubscribe = json
        .unsubscribe
        .take()
        .map(|ways| read_unsubscribe(ways, report));
    let priority = json
        .priority
        .take()
        .and_then(|word| choice(&word, &Priority::CHOICES, report));
    let mut ids = |field: Option<Located<JsonTexts<'a>>>| {
        field.map_or_else(Vec::new, |field| read_message_ids(field.value, report))
    };
    let (in_reply_to, references) = (ids(json.in_reply_to.take()), ids(json.references.take()));
    Some(Box::new(Composed {
        from: from?,
        reply_to,
        subject,
        text: json.text.take().map(|text| text.value),
        amp: json.amp.take().map(|amp| amp.value),
        html: json.html.take().map(|html| html.value),
        calendar,
        attachments: Files::Own(attachments.unwrap_or_default()),
        extra_headers: extra_headers.unwrap_or_default(),
        unsubscribe,
        priority,
        in_reply_to,
        references,
        date,
        message_id,
    }))
}

fn read_from<'a>(
    from: Option<Located<JsonMailbox<'a>>>,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let Some(from) = from else {
        let detail = "Every message needs `from`.";
        report.missing(Location::ROOT, &["from", "raw"], Code::MissingField, detail);
        return None;
    };
    read_mailbox(from, "`from` is one mailbox; this holds several.", report)
}

fn read_message_ids<'a>(
    texts: JsonTexts<'a>,
    report: &mut ProblemReport<'a>,
) -> Vec<MessageId<'a>> {
    let mut ids = Vec::new();
    for text in texts.0 {
        let list = MessageId::parse_list(&text.value).or_refuse(text.location, report);
        ids.extend(list.into_iter().flatten());
    }
    ids
}

fn read_date(date: &Located<Cow<'_, str>>, report: &mut ProblemReport<'_>) -> Option<Date> {
    Date::from_rfc3339(&date.value).or_refuse(date.location, report)
}

fn read_message_id<'a>(
    id: &Located<Cow<'a, str>>,
    report: &mut ProblemReport<'a>,
) -> Option<MessageId<'a>> {
    MessageId::parse(&id.value).or_refuse(id.location, report)
}
