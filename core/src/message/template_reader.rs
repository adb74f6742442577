//! Takes the fields with placeholders out of a message.

use super::bodies::Bodies;
use super::calendar_template::CalendarSource;
use super::composed::Composed;
use super::from_template::take_address;
use super::headers::{HeaderTemplates, UnsubscribeSource, UnsubscribeTemplate, ValueTemplates};
use super::templates::Templates;
use super::unsubscribe::has_scheme;
use super::values::header_text;
use crate::address::AddrSpec;
use crate::json::{JsonHeaders, JsonMailbox, JsonMailboxes, JsonMessage, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::template::{FieldName, Language, Piece, TemplateText, TextKind};
use std::borrow::Cow;

impl<'a> Templates<'a> {
    /// Takes the fields with placeholders out of a message, and the values of `headers`, which have yet to be read.
    pub fn take(
        language: Language<'a>,
        json: &mut JsonMessage<'a>,
        report: &mut ProblemReport<'a>,
    ) -> (Self, ValueTemplates<'a>, Option<CalendarSource<'a>>) {
        let mut reader = TemplateReader { language, report };
        let from_address = reader.address_of_from(json);
        let subject = reader.header(&mut json.subject);
        let bodies = Bodies {
            text: reader.text(&mut json.text, TextKind::Text),
            amp: reader.text(&mut json.amp, TextKind::Html),
            html: reader.text(&mut json.html, TextKind::Html),
            calendar: None,
        };
        let calendar = reader.calendar(json);
        let values = json.headers.as_mut();
        let values = values.map_or_else(Vec::new, |headers| reader.values(&mut headers.value));
        let headers = HeaderTemplates {
            unsubscribe: reader.unsubscribe(json),
            ..HeaderTemplates::default()
        };
        let templates = Self {
            subject,
            bodies,
            from_name: None,
            from_address,
            reply_to: Vec::new(),
            message_id: reader.header(&mut json.message_id),
            envid: reader.header(&mut json.envid),
            filenames: reader.filenames(json),
            calendar: None,
            headers,
            shared: Vec::new(),
            language: reader.language,
        };
        (templates, values, calendar)
    }

    /// Takes the calendar, after all other texts were taken.
    pub fn take_calendar(&mut self, source: Option<CalendarSource<'a>>, composed: &Composed<'_>) {
        // Without METHOD it was refused.
        let (Some(source), Some(calendar)) = (source, &composed.calendar) else {
            return;
        };
        let template = source.into_template(calendar.method, self.language.value_count());
        self.bodies.calendar = Some(template.text.clone());
        self.calendar = Some(template);
    }

    /// Takes the display names with placeholders out of a message that was read.
    pub fn take_names(
        &mut self,
        locations: &NameLocations,
        composed: &mut Composed<'a>,
        report: &mut ProblemReport<'a>,
    ) {
        let language = std::mem::replace(&mut self.language, Language::None);
        let mut reader = TemplateReader { language, report };
        let from = locations.from;
        let from = from.expect("a message that was composed has From");
        self.from_name = reader.name(from.name, &mut composed.from.name);
        for (index, mailbox) in composed.reply_to.iter_mut().enumerate() {
            // One text that lists several mailboxes has one location.
            let location = locations.reply_to.get(index).or(locations.reply_to.last());
            // In `headers` the field was parsed as a whole.
            let Some(location) = location else { break };
            reader.check_address(location.address, &mailbox.address);
            if let Some(name) = reader.name(location.name, &mut mailbox.name) {
                self.reply_to.push((index, name));
            }
        }
        self.language = reader.language;
    }
}

/// The locations of the mailboxes of From and Reply-To.
#[derive(Debug)]
pub(crate) struct NameLocations {
    /// `None` if there is no From.
    from: Option<MailboxLocations>,
    reply_to: Vec<MailboxLocations>,
}

/// The locations of the parts of a mailbox: both in one string, or each its own.
#[derive(Debug, Clone, Copy)]
struct MailboxLocations {
    name: Location,
    address: Location,
}

impl NameLocations {
    pub fn of(json: &JsonMessage<'_>) -> Self {
        let from = json.from.as_ref();
        Self {
            from: from.map(|from| MailboxLocations::of(from.location, &from.value)),
            reply_to: match json
                .reply_to
                .as_ref()
                .map(|field| (field.location, &field.value))
            {
                None => Vec::new(),
                Some((location, JsonMailboxes::One(mailbox))) => {
                    vec![MailboxLocations::of(location, mailbox)]
                }
                Some((_, JsonMailboxes::List(list))) => list
                    .iter()
                    .map(|element| MailboxLocations::of(element.location, &element.value))
                    .collect(),
            },
        }
    }
}

impl MailboxLocations {
    fn of(location: Location, mailbox: &JsonMailbox<'_>) -> Self {
        match mailbox {
            JsonMailbox::Text(_) => Self {
                name: location,
                address: location,
            },
            JsonMailbox::Object(parts) => Self {
                name: parts.name.as_ref().map_or(location, |name| name.location),
                address: (parts.address.as_ref()).map_or(location, |address| address.location),
            },
        }
    }
}

/// It would be sent literally, which nobody wants.
const IN_ADDRESS: Refusal = Refusal::new(
    Code::InvalidTemplate,
    "The display name of `replyTo` may contain placeholders, its address may not; use `Reply-To` in `headers` for that.",
);

const NO_TYPE: Refusal = Refusal::new(
    Code::InvalidFilename,
    "The content type follows from the extension of the file name, and this one ends with a placeholder: write the extension, as in \
     `{{ name }}.pdf`, or give `contentType`.",
);

/// `<url>, <mailto>`
fn unsubscribe_body<'a>(
    url: Option<&TemplateText<'a>>,
    mailto: Option<&TemplateText<'a>>,
) -> TemplateText<'a> {
    let mut body = TemplateText::default();
    if let Some(url) = url {
        body.push_literal("<".into());
        body.append(url.clone());
        body.push_literal(">".into());
    }
    if let Some(mailto) = mailto {
        let has_scheme = matches!(
            mailto.pieces().first(),
            Some(Piece::Literal(text)) if has_scheme(text, "mailto:")
        );
        let scheme = if has_scheme { "" } else { "mailto:" };
        let comma = if url.is_some() { ", " } else { "" };
        body.push_literal([comma, "<", scheme].concat().into());
        body.append(mailto.clone());
        body.push_literal(">".into());
    }
    body
}

/// Parses texts.
struct TemplateReader<'r, 'a> {
    language: Language<'a>,
    report: &'r mut ProblemReport<'a>,
}

impl<'a> TemplateReader<'_, 'a> {
    /// The template of a field, which is then removed. A text without placeholders stays, as the text that it stands
    /// for.
    fn text(
        &mut self,
        field: &mut Option<Located<Cow<'a, str>>>,
        kind: TextKind,
    ) -> Option<TemplateText<'a>> {
        let Located { location, value } = field.take()?;
        match self.parse(location, value, kind)?.into_literal() {
            Ok(value) => {
                *field = Some(Located { location, value });
                None
            }
            Err(template) => Some(template),
        }
    }

    /// The names of files, each with its number; they are replaced with others that end alike.
    fn filenames(&mut self, json: &mut JsonMessage<'a>) -> Vec<(usize, TemplateText<'a>)> {
        let mut templates = Vec::new();
        let files = json.attachments.iter_mut().flat_map(|list| &mut list.value);
        for (index, Located { value: file, .. }) in files.enumerate() {
            let Some(location) = file.filename.as_ref().map(|name| name.location) else {
                continue;
            };
            let Some(template) = self.header(&mut file.filename) else {
                continue;
            };
            let has_type = file.content_type.is_some() || file.part.is_some();
            let ends_with_type = matches!(
                template.pieces().last(),
                Some(Piece::Literal(end)) if end.contains('.')
            );
            if !has_type && !ends_with_type {
                self.report.refuse(location, NO_TYPE);
            }
            let value = Cow::Owned(template.fill(|_| "x"));
            file.filename = Some(Located { location, value });
            templates.push((index, template));
        }
        templates
    }

    /// The content of the calendar, which is replaced with what it is without values.
    fn calendar(&mut self, json: &mut JsonMessage<'a>) -> Option<CalendarSource<'a>> {
        let content = &mut json.calendar.as_mut()?.value.content;
        let location = content.as_ref()?.location;
        let template = self.text(content, TextKind::Calendar);
        let source = template.map(CalendarSource::new);
        let source = source?.or_refuse(location, self.report)?;
        let value = Cow::Owned(source.outline());
        *content = Some(Located { location, value });
        Some(source)
    }

    /// The same for a field of the header.
    fn header(&mut self, field: &mut Option<Located<Cow<'a, str>>>) -> Option<TemplateText<'a>> {
        let source = field.clone();
        let template = self.text(field, TextKind::Header)?;
        header_text(source?, self.report);
        Some(template)
    }

    /// The values of `headers` that contain placeholders, or that are refused, by their numbers.
    fn values(&mut self, headers: &mut JsonHeaders<'a>) -> ValueTemplates<'a> {
        let values = headers.0.iter_mut().flat_map(|header| &mut header.values);
        let mut templates = Vec::new();
        for (index, value) in values.enumerate() {
            let location = value.location;
            let mut field = Some(Located {
                location,
                value: std::mem::take(&mut value.value),
            });
            let template = self.header(&mut field);
            match field {
                Some(field) => *value = field,
                None => templates.push((index, template)),
            }
        }
        templates
    }

    fn unsubscribe(&mut self, json: &mut JsonMessage<'a>) -> Option<UnsubscribeTemplate<'a>> {
        let ways = &mut json.unsubscribe.as_mut()?.value;
        let mut parse = |field: Option<&mut Located<Cow<'a, str>>>| {
            let field = field?;
            let template = self.parse(field.location, field.value.clone(), TextKind::Header)?;
            if let Ok(literal) = template.clone().into_literal() {
                field.value = literal;
            }
            Some(template)
        };
        let (url, mailto) = (parse(ways.url.as_mut()), parse(ways.mailto.as_mut()));
        let one_click = ways.one_click.as_ref().map(|word| word.value);
        if [&url, &mailto]
            .into_iter()
            .flatten()
            .all(TemplateText::is_literal)
        {
            return None;
        }
        json.unsubscribe = None;
        Some(UnsubscribeTemplate {
            body: unsubscribe_body(url.as_ref(), mailto.as_ref()),
            source: UnsubscribeSource::Field {
                url,
                mailto,
                one_click,
            },
        })
    }

    /// The address of From, if it contains a placeholder.
    fn address_of_from(&mut self, json: &mut JsonMessage<'a>) -> Option<TemplateText<'a>> {
        let from = json.from.as_mut()?;
        if matches!(self.language, Language::None) {
            return None;
        }
        let mut field = take_address(from);
        self.text(&mut field, TextKind::Header)
    }

    fn name(
        &mut self,
        location: Location,
        name: &mut Option<Cow<'a, str>>,
    ) -> Option<TemplateText<'a>> {
        let value = name.take()?;
        let mut field = Some(Located { location, value });
        let template = self.text(&mut field, TextKind::Header);
        *name = field.map(|field| field.value);
        name.take_if(|name| name.is_empty());
        template
    }

    /// Refuses an address that looks like a template.
    fn check_address(&mut self, location: Location, address: &AddrSpec<'_>) {
        let has_tag = |tag| address.as_str().contains(tag);
        let reads_templates = !matches!(self.language, Language::None);
        if reads_templates && (has_tag("{{") || has_tag("{%")) {
            self.report.refuse(location, IN_ADDRESS);
        }
    }

    fn parse(
        &mut self,
        location: Location,
        text: Cow<'a, str>,
        kind: TextKind,
    ) -> Option<TemplateText<'a>> {
        let field = || FieldName::new(&self.report.pointer(location));
        self.language
            .parse(text, kind, field)
            .or_refuse(location, self.report)
    }
}
