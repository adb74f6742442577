//! From what the JSON says to what it means, field by field.

use super::attachment::read_attachments;
use super::calendar::read_calendar;
use super::composed::{Composed, Files, Priority};
use super::delivery::{Delivery, read_delivery};
use super::extra_headers::read_headers;
use super::form::FileParts;
use super::raw::read_raw;
use super::recipients::{Merge, MergeForm, Rules, read_recipients};
use super::templates::{NamePlaces, Templates};
use super::unsubscribe::read_unsubscribe;
use super::{Apart, Beside, Content, Message};
use crate::address::{Fault, Mailbox, ReversePath, read_mailbox, read_mailboxes};
use crate::characters::has_control_except_tab;
use crate::header::{Date, MessageId};
use crate::json::{JsonMailbox, JsonMailboxes, JsonMessage, JsonTexts, Placed};
use crate::problem::{Code, Place, Report};
use crate::template::{Language, LanguageKind, Owner};
use std::borrow::Cow;

/// Understands a message. `None` only where the report tells why; a message that comes back beside
/// problems is not to be used.
pub(super) fn understand<'a>(
    mut json: Box<JsonMessage<'a>>,
    mut beside: Beside<'a>,
    report: &mut Report<'a>,
) -> Option<Message<'a>> {
    let verp = json.verp.as_ref().filter(|verp| verp.value);
    let verp = verp.map(|verp| verp.place);
    let delivery = read_delivery(&mut json, report);
    let sender = json.sender.take();
    let sender = sender.and_then(|sender| read_sender(&sender, report));
    if let (Some(place), Some(ReversePath::Null)) = (verp, &sender) {
        let detail = "VERP makes bounce addresses from the sender's; the null sender has none.";
        report.problem(place, Code::Conflict, detail);
    }
    let is_merge = json.raw.is_none() && (json.recipients.is_some() || beside.apart != Apart::No);
    if is_merge {
        refuse_other_recipients(&json, report);
    } else if let (Some(form), None) = (&json.merge, &json.raw) {
        let detail = "This says how `recipients` are written down, and there are none.";
        report.problem(form.place, Code::Conflict, detail);
    }
    let mut mailboxes = |field: Option<Placed<JsonMailboxes<'a>>>| {
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
            read.map(|(composed, read)| {
                merge = read;
                Content::Composed(composed)
            })
        }
        None => read_composed(&mut json, &mut beside.files, report).map(Content::Composed),
        Some(raw) => {
            for place in json.composing() {
                let detail = "Beside `raw` only envelope fields can stand.";
                report.problem(place, Code::Conflict, detail);
            }
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
        report.missing(Place::ROOT, &fields, Code::NoRecipients, detail);
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

fn refuse_other_recipients(json: &JsonMessage<'_>, report: &mut Report<'_>) {
    let places = [&json.to, &json.cc, &json.bcc].map(|field| field.as_ref().map(|f| f.place));
    for place in places.into_iter().flatten() {
        let detail = "Beside `recipients`, each of whom gets a message of their own, nobody else can \
                      be named.";
        report.problem(place, Code::Conflict, detail);
    }
}

/// Understands a message with placeholders, recipients or both. Without recipients it is filled in
/// and a message like any other.
fn read_templated<'a>(
    json: &mut JsonMessage<'a>,
    beside: &mut Beside<'a>,
    delivery: &Delivery<'a>,
    report: &mut Report<'a>,
) -> Option<(Box<Composed<'a>>, Option<Box<Merge<'a>>>)> {
    let recipients = json.recipients.take();
    let is_merge = recipients.is_some() || beside.apart != Apart::No;
    let form = json.merge.take();
    let form = form.and_then(|word| choice(&word, &MergeForm::CHOICES, report));
    let has_language = json.template.is_some();
    if !has_language && json.variables.is_some() {
        require_language(report);
    }
    let language = json
        .template
        .take()
        .and_then(|word| choice(&word, LanguageKind::CHOICES, report))
        .map_or(Language::None, Language::new);
    if let (true, Some(id), Language::None) = (is_merge, &json.message_id, &language) {
        report.problem(id.place, Code::Conflict, ONE_ID);
    }
    let names = NamePlaces::of(json);
    let id = json.message_id.as_ref().map(|id| id.place);
    let has_unsubscribe = json.unsubscribe.is_some();
    let mut templates = Templates::take(language, json, report);
    if let (true, Some(id), Some(_)) = (is_merge, id, &json.message_id)
        && !matches!(templates.language, Language::None)
    {
        report.problem(id, Code::Conflict, ONE_ID);
    }
    let variables = json.variables.take();
    let place = variables.as_ref().map(|variables| variables.place);
    let composed = read_composed_with(json, has_unsubscribe, &mut beside.files, report);
    let mut composed = composed?;
    templates.take_names(&names, &mut composed, report);
    templates.share(
        variables.map_or_else(Default::default, |field| field.value),
        report,
    );
    if !is_merge {
        let owner = place.map_or(Owner::Parent(Place::ROOT), Owner::Variables);
        composed.fill_in(&templates, owner, report);
        return Some((composed, None));
    }
    let mut merge = Box::new(Merge {
        form: form.unwrap_or(MergeForm::Native),
        has_language,
        templates,
        recipients: Vec::new(),
    });
    match (recipients, beside.apart) {
        (Some(Placed { place, value }), Apart::No) => {
            let rules = Rules {
                merge: &merge,
                composed: &composed,
                delivery,
            };
            merge.recipients = read_recipients(rules, place, value, report);
        }
        (Some(Placed { place, .. }), Apart::Lines) => {
            let detail = "The recipients stand in the lines behind the message.";
            report.problem(place, Code::Conflict, detail);
        }
        _ => {}
    }
    Some((composed, Some(merge)))
}

const ONE_ID: &str = "Each message of a merge needs an identifier of its own: put a variable into \
                      this one, or leave it out.";

/// Notes that there are values and no word on how texts ask for them: they are not dropped without
/// one.
pub(super) fn require_language(report: &mut Report<'_>) {
    let detail = "Variables are given; say how the texts are read: `merge`, `jinja` or `none`.";
    report.missing(Place::ROOT, &["template"], Code::MissingField, detail);
}

fn read_composed<'a>(
    json: &mut JsonMessage<'a>,
    files: &mut FileParts<'a>,
    report: &mut Report<'a>,
) -> Option<Box<Composed<'a>>> {
    let has_unsubscribe = json.unsubscribe.is_some();
    read_composed_with(json, has_unsubscribe, files, report)
}

/// `has_unsubscribe`: the message says by its own field how to leave.
fn read_composed_with<'a>(
    json: &mut JsonMessage<'a>,
    has_unsubscribe: bool,
    files: &mut FileParts<'a>,
    report: &mut Report<'a>,
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
    let mut ids = |field: Option<Placed<JsonTexts<'a>>>| {
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
    from: Option<Placed<JsonMailbox<'a>>>,
    report: &mut Report<'a>,
) -> Option<Mailbox<'a>> {
    let Some(from) = from else {
        let detail = "Every message needs `from`.";
        report.missing(Place::ROOT, &["from", "raw"], Code::MissingField, detail);
        return None;
    };
    read_mailbox(from, "`from` is one mailbox; this holds several.", report)
}

pub(super) fn read_sender<'a>(
    sender: &Placed<Cow<'a, str>>,
    report: &mut Report<'a>,
) -> Option<ReversePath<'a>> {
    match ReversePath::read(&sender.value) {
        Ok(path) => Some(path),
        Err(Fault { code, detail }) => {
            report.problem(sender.place, code, detail);
            None
        }
    }
}

/// Text for an unstructured field: anything but control characters, tabs excepted.
pub(super) fn header_text<'a>(text: Placed<Cow<'a, str>>, report: &mut Report<'a>) -> Cow<'a, str> {
    if has_control_except_tab(&text.value) {
        let detail = "A header field may not hold line ends or other control characters.";
        report.problem(text.place, Code::ControlCharacter, detail);
    }
    text.value
}

/// One of the words that the field knows, in any letter case.
pub(super) fn choice<T: Copy>(
    word: &Placed<Cow<'_, str>>,
    choices: &[(&'static str, T)],
    report: &mut Report<'_>,
) -> Option<T> {
    let known = choices
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(&word.value));
    if known.is_none() {
        let words: Vec<String> = choices
            .iter()
            .map(|(known, _)| format!("`{known}`"))
            .collect();
        let detail = format!("This must be one of {}.", words.join(", "));
        report.problem(word.place, Code::InvalidChoice, detail);
    }
    known.map(|(_, meaning)| *meaning)
}

fn read_message_ids<'a>(texts: JsonTexts<'a>, report: &mut Report<'a>) -> Vec<MessageId<'a>> {
    let mut ids = Vec::new();
    for text in texts.0 {
        match MessageId::parse_list(&text.value) {
            Ok(list) => ids.extend(list),
            Err((code, detail)) => report.problem(text.place, code, detail),
        }
    }
    ids
}

fn read_date(date: &Placed<Cow<'_, str>>, report: &mut Report<'_>) -> Option<Date> {
    Date::from_rfc3339(&date.value)
        .map_err(|detail| report.problem(date.place, Code::InvalidDate, detail))
        .ok()
}

fn read_message_id<'a>(
    id: &Placed<Cow<'a, str>>,
    report: &mut Report<'a>,
) -> Option<MessageId<'a>> {
    MessageId::parse(&id.value)
        .map_err(|(code, detail)| report.problem(id.place, code, detail))
        .ok()
}
