//! Interprets the fields from which header and bodies are composed.

use super::attachment::read_attachments;
use super::calendar::read_calendar;
use super::composed::{Composed, Files};
use super::file_parts::FileParts;
use super::headers::{HeaderScope, HeaderTemplates, ReadHeaders, ValueTemplates, read_headers};
use super::mailboxes::{read_mailbox, read_mailboxes};
use super::priority::Urgency;
use super::unsubscribe::read_unsubscribe;
use super::values::{choice, header_text};
use crate::address::Mailbox;
use crate::header::{Date, MessageId};
use crate::json::{JsonMailbox, JsonMessage, JsonTexts, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport};

/// The message, and those of its header fields that contain placeholders. `templates` are the values taken out of
/// `headers`.
pub(super) fn read_composed<'a>(
    json: &mut JsonMessage<'a>,
    templates: ValueTemplates<'a>,
    scope: HeaderScope,
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<(Box<Composed<'a>>, HeaderTemplates<'a>)> {
    let from = read_from(json.from.take(), report);
    let ReadHeaders {
        extra,
        own,
        templates,
    } = read_headers(json, templates, scope, report);
    let reply_to = json.reply_to.take();
    let reply_to = reply_to.map_or_else(Vec::new, |field| read_mailboxes(field, report));
    let date = json
        .date
        .take()
        .and_then(|date| Date::from_rfc3339(&date.value).or_refuse(date.location, report));
    let message_id = json
        .message_id
        .take()
        .and_then(|id| MessageId::parse(&id.value).or_refuse(id.location, report));
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
    let unsubscribe = json
        .unsubscribe
        .take()
        .map(|ways| read_unsubscribe(ways, report));
    let priority = json.priority.take().and_then(|word| choice(&word, report));
    let mut ids = |field: Option<Located<JsonTexts<'a>>>| {
        field.map_or_else(Vec::new, |field| read_message_ids(field.value, report))
    };
    let (in_reply_to, references) = (ids(json.in_reply_to.take()), ids(json.references.take()));
    let composed = Box::new(Composed {
        from: from?,
        reply_to: either(reply_to, own.reply_to),
        subject,
        text: json.text.take().map(|text| text.value),
        amp: json.amp.take().map(|amp| amp.value),
        html: json.html.take().map(|html| html.value),
        calendar,
        attachments: Files::Own(attachments.unwrap_or_default()),
        extra_headers: extra,
        unsubscribe: unsubscribe.or(own.unsubscribe),
        urgency: priority.map_or(own.urgency, Urgency::from),
        in_reply_to: either(in_reply_to, own.in_reply_to),
        references: either(references, own.references),
        date: date.or(own.date),
        message_id,
    });
    Some((composed, templates))
}

/// The value of a field of the message, or else of its header field in `headers`. Giving both is a problem.
fn either<T>(field: Vec<T>, header: Vec<T>) -> Vec<T> {
    if field.is_empty() { header } else { field }
}

fn read_from<'a>(
    from: Option<Located<JsonMailbox<'a>>>,
    report: &mut ProblemReport<'a>,
) -> Option<Mailbox<'a>> {
    let Some(from) = from else {
        let detail = "`from` is required.";
        report.missing(Location::ROOT, &["from", "raw"], Code::MissingField, detail);
        return None;
    };
    read_mailbox(
        from,
        "`from` must be one mailbox; this contains several.",
        report,
    )
}

fn read_message_ids<'a>(
    texts: JsonTexts<'a>,
    report: &mut ProblemReport<'a>,
) -> Vec<MessageId<'a>> {
    let mut ids = Vec::new();
    for text in texts.0 {
        let list = MessageId::parse_list(&text.value);
        let added = list.and_then(|list| list.into_iter().try_for_each(|id| id.push(&mut ids)));
        added.or_refuse(text.location, report);
    }
    ids
}
