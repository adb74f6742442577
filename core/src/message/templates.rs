//! The fields of a message that hold placeholders, and what becomes of them for one recipient.

use super::composed::Composed;
use super::extra_headers::{TOO_LONG, fits_lines};
use super::unsubscribe::{Unsubscribe, has_scheme};
use super::values::header_text;
use crate::header::MessageId;
use crate::json::{JsonHeaders, JsonMailbox, JsonMailboxes, JsonMessage, JsonVariables, Located};
use crate::problem::{Code, Location, OrRefuse, ProblemReport, Refusal};
use crate::template::{self, Language, Owner, Piece, TemplateText, Values};
use std::borrow::Cow;

/// The fields of a message that hold placeholders. All others are read as they stand.
#[derive(Debug)]
pub(crate) struct Templates<'a> {
    pub language: Language<'a>,
    pub subject: Option<TemplateText<'a>>,
    pub bodies: Bodies<TemplateText<'a>>,
    /// The display name of From.
    pub from_name: Option<TemplateText<'a>>,
    /// Display names of Reply-To, with the number of the mailbox.
    pub reply_to: Vec<(usize, TemplateText<'a>)>,
    /// Values of the caller's own header fields, with the number of the field, which rises.
    pub extra: Vec<(usize, TemplateText<'a>)>,
    pub unsubscribe: Option<UnsubscribeTemplate<'a>>,
    pub message_id: Option<TemplateText<'a>>,
}

/// One thing for each of the bodies that may hold placeholders.
#[derive(Debug, Default)]
pub(crate) struct Bodies<T> {
    pub text: Option<T>,
    pub amp: Option<T>,
    pub html: Option<T>,
}

impl<T> Bodies<T> {
    /// What `make` makes of each.
    pub fn map<U>(&self, mut make: impl FnMut(&T) -> U) -> Bodies<U> {
        Bodies {
            text: self.text.as_ref().map(&mut make),
            amp: self.amp.as_ref().map(&mut make),
            html: self.html.as_ref().map(&mut make),
        }
    }

    /// Those that are there.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.text, &self.amp, &self.html].into_iter().flatten()
    }
}

/// List-Unsubscribe with placeholders.
#[derive(Debug)]
pub(crate) struct UnsubscribeTemplate<'a> {
    url: Option<TemplateText<'a>>,
    mailto: Option<TemplateText<'a>>,
    one_click: Option<bool>,
    /// The field's body, as it is for nearly all values.
    pub body: TemplateText<'a>,
}

/// The header fields with placeholders, filled in for one recipient. All rules hold.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    pub subject: Option<String>,
    pub from_name: Option<String>,
    /// As [`Templates::reply_to`].
    pub reply_to: Vec<String>,
    /// As [`Templates::extra`].
    pub extra: Vec<String>,
    pub unsubscribe: Option<Unsubscribe<'static>>,
    /// The body of List-Unsubscribe.
    pub unsubscribe_body: Option<String>,
    pub message_id: Option<MessageId<'static>>,
}

/// As much as a whole message may have over HTTP, unless said otherwise.
const LONGEST_TEXT: usize = 32 << 20;

impl<'a> Templates<'a> {
    /// Takes the fields with placeholders out of a message.
    pub fn take(
        language: Language<'a>,
        json: &mut JsonMessage<'a>,
        report: &mut ProblemReport<'a>,
    ) -> Self {
        let mut reader = TextReader { language, report };
        let subject = reader.header(&mut json.subject);
        let bodies = Bodies {
            text: reader.take(&mut json.text, template::TextKind::Text),
            amp: reader.take(&mut json.amp, template::TextKind::Html),
            html: reader.take(&mut json.html, template::TextKind::Html),
        };
        let extra = json.headers.as_mut();
        let extra = extra.map_or_else(Vec::new, |headers| reader.extra(&mut headers.value));
        Self {
            subject,
            bodies,
            from_name: None,
            reply_to: Vec::new(),
            extra,
            unsubscribe: reader.unsubscribe(json),
            message_id: reader.header(&mut json.message_id),
            language: reader.language,
        }
    }

    /// Takes the display names with placeholders out of a message that was read.
    pub fn take_names(
        &mut self,
        locations: &NamePlaces,
        composed: &mut Composed<'a>,
        report: &mut ProblemReport<'a>,
    ) {
        let language = std::mem::replace(&mut self.language, Language::None);
        let mut reader = TextReader { language, report };
        self.from_name = reader.name(locations.from, &mut composed.from.name);
        for (index, mailbox) in composed.reply_to.iter_mut().enumerate() {
            // One text that lists several mailboxes has one location.
            let location = locations.reply_to.get(index).or(locations.reply_to.last());
            let location = location.copied().unwrap_or(Location::ROOT);
            if let Some(name) = reader.name(location, &mut mailbox.name) {
                self.reply_to.push((index, name));
            }
        }
        self.language = reader.language;
    }

    /// Where in [`extra`](Self::extra) the field of this number is.
    pub fn number_of_extra(&self, field: usize) -> Option<usize> {
        self.extra
            .binary_search_by_key(&field, |(known, _)| *known)
            .ok()
    }

    /// Takes the variables that are the same for everybody.
    pub fn share(&mut self, variables: JsonVariables<'a>, report: &mut ProblemReport<'a>) {
        self.language.share(variables, report);
    }

    /// The values of one recipient, and the header fields with them put in. What breaks a rule goes
    /// into the report.
    pub fn fill<'r>(
        &self,
        owner: Owner,
        variables: JsonVariables<'r>,
        composed: &Composed<'_>,
        report: &mut ProblemReport<'r>,
    ) -> (Values<'r>, Filled)
    where
        'a: 'r,
    {
        let known = report.len();
        let values = self.language.resolve(owner, variables, report);
        if report.len() == known && self.is_too_long(&values) {
            let location = owner.variables(report);
            let detail = "With these values a text of the message has over 32 MiB.";
            report.problem(location, Code::TooLong, detail);
        }
        if report.len() > known {
            return (values, Filled::default());
        }
        let (filled, refusals) = self.filled(&values, composed);
        for refusal in refusals {
            let location = owner.variables(report);
            report.refuse(location, refusal);
        }
        (values, filled)
    }

    /// The header fields with the values that everybody has who has none of their own.
    pub fn fill_common(&self, composed: &Composed<'_>) -> Filled {
        self.filled(&Values::default(), composed).0
    }

    fn filled(&self, values: &Values<'_>, composed: &Composed<'_>) -> (Filled, Vec<Refusal>) {
        let fill = |text: &TemplateText<'_>| self.fill_text(text, values);
        let mut refusals = Vec::new();
        let mut extra = Vec::with_capacity(self.extra.len());
        for (index, text) in &self.extra {
            let value = fill(text);
            let field = composed.extra_headers.get(*index);
            if !field.is_none_or(|field| fits_lines(&field.name, &value)) {
                refusals.push(TOO_LONG);
            }
            extra.push(value);
        }
        let unsubscribe = self.unsubscribe.as_ref().map(|ways| {
            let [url, mailto] = [&ways.url, &ways.mailto]
                .map(|text| text.as_ref().map(|text| Cow::Owned(fill(text))));
            Unsubscribe::new(url, mailto, ways.one_click, |_, refusal| {
                refusals.push(refusal);
            })
        });
        let message_id = self.message_id.as_ref().and_then(|text| {
            MessageId::parse(&Cow::Owned(fill(text)))
                .map_err(|refusal| refusals.push(refusal))
                .ok()
        });
        let filled = Filled {
            subject: self.subject.as_ref().map(fill),
            from_name: self.from_name.as_ref().map(fill),
            reply_to: self.reply_to.iter().map(|(_, text)| fill(text)).collect(),
            extra,
            unsubscribe_body: unsubscribe.as_ref().map(Unsubscribe::body),
            unsubscribe,
            message_id,
        };
        (filled, refusals)
    }

    /// Whether a text is longer than a message may be: a value may stand in it again and again.
    fn is_too_long(&self, values: &Values<'_>) -> bool {
        let extra = self.extra.iter().chain(&self.reply_to);
        let fields = [&self.subject, &self.from_name, &self.message_id];
        let unsubscribe = self.unsubscribe.as_ref().map(|ways| &ways.body);
        let mut texts = fields
            .into_iter()
            .flatten()
            .chain(self.bodies.iter())
            .chain(extra.map(|(_, text)| text))
            .chain(unsubscribe);
        texts.any(|text| {
            text.filled_length(|number| self.language.value(values, number)) > LONGEST_TEXT
        })
    }

    /// A text with a recipient's values put in.
    pub fn fill_text(&self, text: &TemplateText<'_>, values: &Values<'_>) -> String {
        text.fill(|number| self.language.value(values, number))
    }
}

/// Where the display names of From and Reply-To stand.
#[derive(Debug)]
pub(crate) struct NamePlaces {
    from: Location,
    reply_to: Vec<Location>,
}

impl NamePlaces {
    pub fn of(json: &JsonMessage<'_>) -> Self {
        let from = json.from.as_ref();
        Self {
            from: from.map_or(Location::ROOT, |from| {
                name_place(from.location, &from.value)
            }),
            reply_to: match json
                .reply_to
                .as_ref()
                .map(|field| (field.location, &field.value))
            {
                None => Vec::new(),
                Some((location, JsonMailboxes::One(mailbox))) => {
                    vec![name_place(location, mailbox)]
                }
                Some((_, JsonMailboxes::List(list))) => list
                    .iter()
                    .map(|mailbox| name_place(mailbox.location, &mailbox.value))
                    .collect(),
            },
        }
    }
}

fn name_place(location: Location, mailbox: &JsonMailbox<'_>) -> Location {
    match mailbox {
        JsonMailbox::Text(_) => location,
        JsonMailbox::Object(parts) => parts.name.as_ref().map_or(location, |name| name.location),
    }
}

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

/// Takes texts apart.
struct TextReader<'r, 'a> {
    language: Language<'a>,
    report: &'r mut ProblemReport<'a>,
}

impl<'a> TextReader<'_, 'a> {
    /// The template of a field, which is taken away then; what holds no placeholder stays, as the
    /// text that it stands for.
    fn take(
        &mut self,
        field: &mut Option<Located<Cow<'a, str>>>,
        kind: template::TextKind,
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

    /// The same for a field of the header.
    fn header(&mut self, field: &mut Option<Located<Cow<'a, str>>>) -> Option<TemplateText<'a>> {
        let source = field.clone();
        let template = self.take(field, template::TextKind::Header)?;
        header_text(source?, self.report);
        Some(template)
    }

    fn extra(&mut self, headers: &mut JsonHeaders<'a>) -> Vec<(usize, TemplateText<'a>)> {
        let values = headers.0.iter_mut().flat_map(|header| &mut header.values);
        let mut templates = Vec::new();
        for (index, value) in values.enumerate() {
            let location = value.location;
            let mut field = Some(Located {
                location,
                value: std::mem::take(&mut value.value),
            });
            match (self.header(&mut field), field) {
                // An empty value keeps its place.
                (Some(template), _) => templates.push((index, template)),
                (None, Some(field)) => *value = field,
                (None, None) => {}
            }
        }
        templates
    }

    fn unsubscribe(&mut self, json: &mut JsonMessage<'a>) -> Option<UnsubscribeTemplate<'a>> {
        let ways = &mut json.unsubscribe.as_mut()?.value;
        let mut parse = |field: Option<&mut Located<Cow<'a, str>>>| {
            let field = field?;
            let template = self.parse(
                field.location,
                field.value.clone(),
                template::TextKind::Header,
            )?;
            if template.is_literal() {
                field.value = template.clone().into_literal().unwrap_or_default();
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
            url,
            mailto,
            one_click,
        })
    }

    fn name(
        &mut self,
        location: Location,
        name: &mut Option<Cow<'a, str>>,
    ) -> Option<TemplateText<'a>> {
        let template = self.parse(location, name.take()?, template::TextKind::Header)?;
        match template.into_literal() {
            Ok(literal) => {
                *name = Some(literal).filter(|name| !name.is_empty());
                None
            }
            Err(template) => Some(template),
        }
    }

    fn parse(
        &mut self,
        location: Location,
        text: Cow<'a, str>,
        kind: template::TextKind,
    ) -> Option<TemplateText<'a>> {
        self.language
            .parse(text, kind)
            .or_refuse(location, self.report)
    }
}
