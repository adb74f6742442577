//! Interprets the message's `headers`: the sender's own fields, and those that are read as fields of the message.

use super::extra::{ExtraBody, ExtraHeader};
use super::names::{HeaderScope, Place, place_of};
use super::own::{OwnHeader, OwnValues};
use super::templates::{HeaderTemplates, UnsubscribeSource, UnsubscribeTemplate};
use crate::header::{KnownField, Occurs, Owner};
use crate::json::{JsonHeader, JsonMailboxes, JsonMessage, JsonTexts, Located};
use crate::message::unsubscribe::NO_HTTPS;
use crate::message::values::header_text;
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::template::TemplateText;
use crate::text::part;
use std::borrow::Cow;

/// The content of `headers`.
#[derive(Debug, Default)]
pub(crate) struct ReadHeaders<'a> {
    /// The sender's own fields, in order; those that are templates are empty.
    pub extra: Vec<ExtraHeader<'a>>,
    pub own: OwnValues<'a>,
    pub templates: HeaderTemplates<'a>,
}

/// The values of `headers` that were taken out as templates, by their numbers, which rise. `None` if the template was
/// refused.
pub(crate) type ValueTemplates<'a> = Vec<(usize, Option<TemplateText<'a>>)>;

/// Mail servers refuse a header with more.
const MOST_FIELDS: usize = 1_000;

const ONCE: Refusal = Refusal::new(
    Code::Conflict,
    "A message may have this header field only once; give it one value.",
);

/// Interprets `headers`.
pub(crate) fn read_headers<'a>(
    json: &mut JsonMessage<'a>,
    templates: ValueTemplates<'a>,
    scope: HeaderScope,
    report: &mut ProblemReport<'a>,
) -> ReadHeaders<'a> {
    let Some(headers) = json.headers.take() else {
        return ReadHeaders::default();
    };
    let is_given = |own, field: &str| is_given(json, own, field);
    HeaderReader::new(&is_given, templates, scope, report)
        .read_all(headers.value.0)
        .finish()
}

/// Interprets the `headers` of a recipient, which no longer contain placeholders. Also returns where
/// List-Unsubscribe-Post was given. `has_priority`: the recipient has `priority`, too.
pub(crate) fn read_own_headers<'a>(
    headers: Vec<JsonHeader<'a>>,
    has_priority: bool,
    report: &mut ProblemReport<'a>,
) -> (ReadHeaders<'a>, Option<Location>) {
    let is_given =
        |own, _: &str| has_priority && matches!(own, OwnHeader::XPriority | OwnHeader::Importance);
    let scope = HeaderScope::Recipient;
    let reader = HeaderReader::new(&is_given, Vec::new(), scope, report).read_all(headers);
    (reader.read, reader.one_click)
}

/// A Message-ID in `headers` is the message's `messageId`, including its placeholders.
pub(crate) fn take_message_id<'a>(json: &mut JsonMessage<'a>, report: &mut ProblemReport<'a>) {
    let Some(headers) = &mut json.headers else {
        return;
    };
    let is_given = json.message_id.is_some();
    let id = take_id(&mut headers.value.0, is_given, report);
    json.message_id = json.message_id.take().or(id);
}

/// Takes Message-ID out of header fields. `is_given`: the message gives `messageId` already.
pub(crate) fn take_id<'a>(
    headers: &mut Vec<JsonHeader<'a>>,
    is_given: bool,
    report: &mut ProblemReport<'a>,
) -> Option<Located<Cow<'a, str>>> {
    let mut id = None;
    let is_id = |header: &mut JsonHeader<'_>| header.name.value.eq_ignore_ascii_case("message-id");
    for JsonHeader { name, values } in headers.extract_if(.., is_id) {
        if is_given {
            report.refuse(name.location, both("messageId"));
            continue;
        }
        for Located { location, value } in values {
            if id.is_some() {
                report.refuse(location, ONCE);
                continue;
            }
            let start = value.len() - value.trim_start_matches([' ', '\t']).len();
            let end = value.trim_end_matches([' ', '\t']).len().max(start);
            let value = part(&value, start..end);
            id = Some(Located { location, value });
        }
    }
    id
}

/// Whether the message also gives the field as which a header field is read. An empty list does not count.
fn is_given(json: &JsonMessage<'_>, own: OwnHeader, field: &str) -> bool {
    let is_empty = |texts: Option<&Located<JsonTexts<'_>>>| {
        texts.is_some_and(|texts| texts.value.0.is_empty())
    };
    let says_nothing = match own {
        OwnHeader::ReplyTo => json.reply_to.as_ref().is_some_and(
            |field| matches!(&field.value, JsonMailboxes::List(list) if list.is_empty()),
        ),
        OwnHeader::InReplyTo => is_empty(json.in_reply_to.as_ref()),
        OwnHeader::References => is_empty(json.references.as_ref()),
        OwnHeader::Date
        | OwnHeader::Unsubscribe
        | OwnHeader::OneClick
        | OwnHeader::XPriority
        | OwnHeader::Importance => false,
    };
    !says_nothing && json.location_of(field).is_some()
}

/// The problem of a header field next to the field as which it is read.
fn both(field: &str) -> Refusal {
    let detail = format!(
        "This header field and the message's `{field}` say the same thing; give only one of them."
    );
    Refusal::with_detail(Code::Conflict, detail)
}

struct HeaderReader<'r, 'a> {
    /// Whether the field with this name, as which a header field is read, is also given.
    is_given: &'r dyn Fn(OwnHeader, &str) -> bool,
    scope: HeaderScope,
    templates: std::iter::Peekable<std::vec::IntoIter<(usize, Option<TemplateText<'a>>)>>,
    /// The number of the next value.
    number: usize,
    /// The fields given so far that a message has only once.
    once: Vec<&'static str>,
    /// Where List-Unsubscribe-Post was given.
    one_click: Option<Location>,
    read: ReadHeaders<'a>,
    report: &'r mut ProblemReport<'a>,
}

/// A value of `headers`.
enum Value<'a> {
    Literal(Located<Cow<'a, str>>),
    Template(Location, TemplateText<'a>),
    /// The report says why.
    Refused,
}

impl<'r, 'a> HeaderReader<'r, 'a> {
    fn new(
        is_given: &'r dyn Fn(OwnHeader, &str) -> bool,
        templates: ValueTemplates<'a>,
        scope: HeaderScope,
        report: &'r mut ProblemReport<'a>,
    ) -> Self {
        Self {
            is_given,
            scope,
            templates: templates.into_iter().peekable(),
            number: 0,
            once: Vec::new(),
            one_click: None,
            read: ReadHeaders::default(),
            report,
        }
    }

    fn read_all(mut self, headers: Vec<JsonHeader<'a>>) -> Self {
        for header in headers {
            if !self.read_header(header) {
                break;
            }
        }
        self
    }

    /// Whether there is room for more.
    fn read_header(&mut self, header: JsonHeader<'a>) -> bool {
        let JsonHeader { name, values } = header;
        let place = place_of(&name.value, self.scope).or_refuse(name.location, self.report);
        if let Some(Place::Own(own, field)) = place
            && (self.is_given)(own, field)
        {
            self.report.refuse(name.location, both(field));
        }
        for value in values {
            let location = value.location;
            let value = self.next_value(value);
            let Some(place) = place else { continue };
            if self.is_repeated(&name.value) {
                self.report.refuse(location, ONCE);
                continue;
            }
            match place {
                Place::Own(own, _) => self.read_own(own, value),
                Place::Extra if self.read.extra.len() == MOST_FIELDS => {
                    let detail = "A message may have at most 1,000 header fields in `headers`.";
                    self.report.problem(location, Code::TooLong, detail);
                    return false;
                }
                Place::Extra => self.read_extra(name.value.clone(), value),
            }
        }
        true
    }

    fn next_value(&mut self, value: Located<Cow<'a, str>>) -> Value<'a> {
        let number = self.number;
        self.number += 1;
        match self.templates.next_if(|(template, _)| *template == number) {
            None => Value::Literal(value),
            Some((_, Some(template))) => Value::Template(value.location, template),
            Some((_, None)) => Value::Refused,
        }
    }

    /// Whether a message has this field only once, and it was given before.
    fn is_repeated(&mut self, name: &str) -> bool {
        let once =
            |known: &&KnownField| known.occurs == Occurs::Once || known.owner == Owner::Field;
        let Some(known) = KnownField::named(name).filter(once) else {
            return false;
        };
        let is_repeated = self.once.contains(&known.name);
        if !is_repeated {
            self.once.push(known.name);
        }
        is_repeated
    }

    fn read_extra(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let body = match value {
            Value::Literal(value) => {
                let location = value.location;
                let text = self.header_text(value);
                text.and_then(|text| ExtraBody::read(&name, text).or_refuse(location, self.report))
            }
            Value::Template(_, template) => {
                let index = self.read.extra.len();
                self.read.templates.extra.push((index, template));
                None
            }
            Value::Refused => None,
        };
        self.read.extra.push(ExtraHeader {
            name,
            body: body.unwrap_or(ExtraBody::NOTHING),
        });
    }

    fn read_own(&mut self, own: OwnHeader, value: Value<'a>) {
        match (own, value) {
            (_, Value::Refused) => {}
            (_, Value::Literal(value)) => {
                let location = value.location;
                let Some(text) = self.header_text(value) else {
                    return;
                };
                let read = self.read.own.read(own, &text);
                let is_right = read.or_refuse(location, self.report).is_some();
                if own == OwnHeader::OneClick && is_right {
                    self.one_click = Some(location);
                }
            }
            (OwnHeader::OneClick, Value::Template(location, _)) => {
                let detail = "List-Unsubscribe-Post must be List-Unsubscribe=One-Click, without \
                              placeholders.";
                self.report
                    .problem(location, Code::InvalidUnsubscribe, detail);
            }
            (OwnHeader::Unsubscribe, Value::Template(_, body)) => {
                let source = UnsubscribeSource::Header { one_click: false };
                self.read.templates.unsubscribe = Some(UnsubscribeTemplate { source, body });
            }
            (_, Value::Template(_, template)) => self.read.templates.own.push((own, template)),
        }
    }

    /// The text of a value. It contains no control characters except tabs.
    fn header_text(&mut self, value: Located<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        let known = self.report.len();
        let text = header_text(value, self.report);
        (self.report.len() == known).then_some(text)
    }

    /// What was read, with List-Unsubscribe-Post added to its List-Unsubscribe.
    fn finish(mut self) -> ReadHeaders<'a> {
        let Some(location) = self.one_click else {
            return self.read;
        };
        let template = &mut self.read.templates.unsubscribe;
        if let Some(UnsubscribeTemplate { source, .. }) = template {
            *source = UnsubscribeSource::Header { one_click: true };
        } else if let Some(ways) = self.read.own.unsubscribe.take() {
            self.read.own.unsubscribe = ways.with_one_click().or_refuse(location, self.report);
        } else if !self.once.contains(&"list-unsubscribe") {
            self.report.refuse(location, NO_HTTPS);
        }
        self.read
    }
}
