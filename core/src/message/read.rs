//! From what the JSON says to what it means, field by field.

use super::allowed_senders::{SenderPlaces, check_headers};
use super::delivery::{Delivery, read_delivery, read_envid};
use super::file_parts::{FilePart, FileParts};
use super::headers::{HeaderScope, take_message_id};
use super::html_help::make_bodies;
use super::mailboxes::read_mailboxes;
use super::merge::Merge;
use super::raw::{HeaderAddresses, RawReading, read_raw};
use super::read_composed::read_composed;
use super::recipients::read_recipients;
use super::single::{Content, SingleMessage};
use super::templated::{read_merge, read_templated};
use super::values::{choice, read_sender};
use super::{Message, MessageKind};
use crate::address::{Mailbox, ReversePath, SenderDomains};
use crate::interruption::Interruption;
use crate::json::{InvalidRecipients, JsonMessage, JsonRaw, Located};
use crate::problem::{Code, Location, ProblemReport, Refusal};
use crate::template::Language;

/// What comes with the JSON and affects how it is read.
pub(super) struct ReadContext<'a> {
    pub files: FileParts<'a>,
    pub interruption: Interruption<'a>,
    pub header_addresses: HeaderAddresses,
    pub senders: &'a SenderDomains,
    /// What is already known to be wrong with a finished message.
    pub refusals: Vec<Refusal>,
}

impl<'a> ReadContext<'a> {
    pub fn new(files: &'a [FilePart<'a>]) -> Self {
        Self {
            files: FileParts::new(files),
            interruption: Interruption::NEVER,
            header_addresses: HeaderAddresses::CompleteEnvelope,
            senders: &SenderDomains::ALL,
            refusals: Vec::new(),
        }
    }
}

/// Where the recipients of a mail merge are if they are not in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamedRecipients {
    /// They were taken out of the message's array, which is now empty.
    Array,
    /// They are lines after the message, which has none itself.
    Lines,
    /// They are rows of a separate table; the message has none itself.
    #[cfg(feature = "csv")]
    Table,
}

/// Interprets a message. `None` only if the report says why; if there are problems, a returned message must not be
/// used.
pub(super) fn understand<'a>(
    mut json: Box<JsonMessage<'a>>,
    mut context: ReadContext<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<Message<'a>> {
    let places = SenderPlaces::of(&json);
    check_headers(json.headers.as_ref(), context.senders, report);
    let options = read_options(&mut json, report);
    let senders = context.senders;
    let kind = if let Some(raw) = json.raw.take() {
        read_finished(json, raw, options, context.header_addresses, report).map(MessageKind::Single)
    } else if let Some(recipients) = json.recipients.take() {
        refuse_named_recipients(&mut json, report);
        let skips = skips_invalid_recipients(&json);
        let merge = read_merge(&mut json, options, senders, &mut context.files, report);
        if merge.is_none() && skips {
            // What is wrong with them is nothing that would have to be mended.
            report.take_elements(recipients.location);
        }
        merge.and_then(|merge| {
            let recipients = read_recipients(&merge, recipients, context.interruption, report)?;
            Some(MessageKind::Merge(merge, recipients))
        })
    } else {
        read_single(json, options, &mut context.files, report).map(MessageKind::Single)
    };
    context.files.finish(report);
    let message = Message { kind: kind? };
    if !senders.are_all() {
        places.check(&message, senders, report);
    }
    Some(message)
}

/// Whether the message says that invalid recipients are skipped.
pub(super) fn skips_invalid_recipients(json: &JsonMessage<'_>) -> bool {
    let word = json.invalid_recipients.as_ref();
    word.and_then(|word| word.value.meaning()) == Some(InvalidRecipients::Skip)
}

/// Interprets a mail merge whose recipients are read separately. `None` only if the report says why.
pub(super) fn understand_merge<'a>(
    mut json: Box<JsonMessage<'a>>,
    recipients: StreamedRecipients,
    files: &'a [FilePart<'a>],
    senders: &'a SenderDomains,
    report: &mut ProblemReport<'a>,
) -> Option<Box<Merge<'a>>> {
    let places = SenderPlaces::of(&json);
    check_headers(json.headers.as_ref(), senders, report);
    let apart = recipients_apart(recipients);
    let options = read_options(&mut json, report);
    if let Some(raw) = json.raw.take() {
        if let Some((detail, _)) = apart {
            report.problem(raw.location, Code::Conflict, detail);
        }
        // Refused in any case, but all that is wrong with it is reported at once.
        read_finished(
            json,
            raw,
            options,
            HeaderAddresses::CompleteEnvelope,
            report,
        );
        return None;
    }
    if let (Some((_, detail)), Some(field)) = (apart, &json.recipients) {
        report.problem(field.location, Code::Conflict, detail);
    }
    refuse_named_recipients(&mut json, report);
    let mut files = FileParts::new(files);
    let merge = read_merge(&mut json, options, senders, &mut files, report);
    files.finish(report);
    if let Some(merge) = &merge
        && !senders.are_all()
    {
        places.check_merge(merge, senders, report);
    }
    merge
}

/// The problem of a finished message, and of `recipients` in the message, if the recipients come separately.
fn recipients_apart(recipients: StreamedRecipients) -> Option<(&'static str, &'static str)> {
    match recipients {
        StreamedRecipients::Array => None,
        StreamedRecipients::Lines => Some((
            "The lines after the message are the recipients of a mail merge, and a finished message \
             cannot be a mail merge.",
            "The recipients are in the lines after the message; give them in one place.",
        )),
        #[cfg(feature = "csv")]
        StreamedRecipients::Table => Some((
            "The rows of the table are the recipients of a mail merge, and a finished message cannot \
             be a mail merge.",
            "The recipients are the rows of the table; give them in one place.",
        )),
    }
}

/// The sender and PowerMTA's options, which every kind of message can have.
fn read_options<'a>(
    json: &mut JsonMessage<'a>,
    report: &mut ProblemReport<'a>,
) -> (Option<ReversePath<'a>>, Delivery<'a>) {
    let verp = json.verp.as_ref().filter(|verp| verp.value);
    let verp = verp.map(|verp| verp.location);
    let delivery = read_delivery(json, report);
    let sender = json.sender.take();
    let sender = sender.and_then(|sender| read_sender(&sender, report));
    if let (Some(location), Some(ReversePath::Null)) = (verp, &sender) {
        let detail =
            "VERP makes bounce addresses from the sender's address; the null sender has none.";
        report.problem(location, Code::Conflict, detail);
    }
    (sender, delivery)
}

/// Reports recipients who cannot be named in a mail merge.
fn refuse_named_recipients<'a>(json: &mut JsonMessage<'a>, report: &mut ProblemReport<'a>) {
    for field in [json.to.take(), json.cc.take(), json.bcc.take()] {
        let Some(field) = field else { continue };
        let detail = "This cannot be combined with `recipients`, each of whom gets a separate \
                      message.";
        report.problem(field.location, Code::Conflict, detail);
        read_mailboxes(field, report);
    }
}

/// A message composed from its fields, the same for all of its recipients.
fn read_single<'a>(
    mut json: Box<JsonMessage<'a>>,
    (sender, mut delivery): (Option<ReversePath<'a>>, Delivery<'a>),
    files: &mut FileParts<'a>,
    report: &mut ProblemReport<'a>,
) -> Option<SingleMessage<'a>> {
    if let Some(form) = &json.merge {
        let detail =
            "This says how the files for `recipients` are written, but no `recipients` are given.";
        report.problem(form.location, Code::Conflict, detail);
        choice(form, report);
    }
    refuse_merge_form(&json, report);
    if let Some(seeds) = json.seeds.take() {
        let detail =
            "Seeds get a copy of a mail merge, but no `recipients` are given; use `bcc` instead.";
        report.problem(seeds.location, Code::Conflict, detail);
        read_mailboxes(seeds, report);
    }
    if let Some(word) = &json.invalid_recipients {
        let detail =
            "This says what happens to invalid `recipients`, but no `recipients` are given.";
        report.problem(word.location, Code::Conflict, detail);
        choice(word, report);
    }
    let [to, cc, bcc] = read_named_recipients(&mut json, report);
    let composed = if json.template.is_some() || json.variables.is_some() {
        read_templated(
            &mut json,
            &mut delivery,
            (to.first(), sender.as_ref()),
            files,
            report,
        )
    } else {
        make_bodies(&mut json, &Language::None, report);
        take_message_id(&mut json, report);
        let read = read_composed(&mut json, Vec::new(), HeaderScope::Single, files, report);
        read.map(|(composed, _)| composed)
    };
    if to.is_empty() && cc.is_empty() && bcc.is_empty() {
        refuse_nobody(report);
    }
    let composed = composed?;
    let from = || ReversePath::Address(composed.from.address.clone());
    Some(SingleMessage {
        reverse_path: sender.unwrap_or_else(from),
        to,
        cc,
        bcc,
        delivery,
        content: Content::Composed(composed),
    })
}

/// A finished message.
fn read_finished<'a>(
    mut json: Box<JsonMessage<'a>>,
    raw: Located<JsonRaw<'a>>,
    (sender, mut delivery): (Option<ReversePath<'a>>, Delivery<'a>),
    header_addresses: HeaderAddresses,
    report: &mut ProblemReport<'a>,
) -> Option<SingleMessage<'a>> {
    let [mut to, cc, bcc] = read_named_recipients(&mut json, report);
    refuse_composing(&json, report);
    read_envid(&mut json, &mut delivery, report);
    refuse_merge_form(&json, report);
    let has_recipients = !(to.is_empty() && cc.is_empty() && bcc.is_empty());
    let RawReading {
        message,
        reverse_path,
        recipients,
    } = read_raw(raw, header_addresses, sender, has_recipients, report)?;
    if !has_recipients && recipients.is_empty() {
        refuse_nobody(report);
    }
    to.extend(recipients);
    Some(SingleMessage {
        reverse_path,
        to,
        cc,
        bcc,
        delivery,
        content: Content::Raw(message),
    })
}

/// The mailboxes of `to`, `cc` and `bcc`.
fn read_named_recipients<'a>(
    json: &mut JsonMessage<'a>,
    report: &mut ProblemReport<'a>,
) -> [Vec<Mailbox<'a>>; 3] {
    [json.to.take(), json.cc.take(), json.bcc.take()]
        .map(|field| field.map_or_else(Vec::new, |field| read_mailboxes(field, report)))
}

/// Reports that there is no recipient, unless a recipient is invalid.
fn refuse_nobody(report: &mut ProblemReport<'_>) {
    let detail = "The message has no recipients; give `to`, `cc` or `bcc`.";
    let fields = ["to", "cc", "bcc", "recipients"];
    report.missing(Location::ROOT, &fields, Code::NoRecipients, detail);
}

fn refuse_composing(json: &JsonMessage<'_>, report: &mut ProblemReport<'_>) {
    for location in json.composing() {
        let detail = "Only envelope fields can be combined with `raw`.";
        report.problem(location, Code::Conflict, detail);
    }
}

/// Reports options that only a mail merge can have.
fn refuse_merge_form(json: &JsonMessage<'_>, report: &mut ProblemReport<'_>) {
    for location in json.merge_form_alone() {
        let detail = "PowerMTA takes this only in a mail merge: give `recipients` instead of `to`, \
                      `cc` and `bcc`.";
        report.problem(location, Code::Conflict, detail);
    }
}
