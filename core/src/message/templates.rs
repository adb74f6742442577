//! The fields of a message that contain placeholders, and how they are filled in for one recipient.

use super::attachment::check_filename;
use super::bodies::Bodies;
use super::calendar_template::CalendarTemplate;
use super::composed::Composed;
use super::filled_length::check_length;
use super::headers::{
    ExtraBody, ExtraHeader, HeaderTemplates, OwnHeader, OwnValues, RecipientHeaders, check_elements,
};
use super::priority::Urgency;
use super::unsubscribe::Unsubscribe;
use crate::address::AddrSpec;
use crate::header::{HeaderSection, MessageId, Signs};
use crate::problem::{OrRefuse, ProblemReport, Refusal};
use crate::template::{Addressee, Language, Owner, TemplateText, Values};
use crate::variable::Variable;
use std::borrow::Cow;

/// The fields of a message that contain placeholders. All others are read literally.
#[derive(Debug)]
pub(crate) struct Templates<'a> {
    pub language: Language<'a>,
    pub subject: Option<TemplateText<'a>>,
    pub bodies: Bodies<TemplateText<'a>>,
    /// The display name of From.
    pub from_name: Option<TemplateText<'a>>,
    /// The address of From; the message has a stand-in.
    pub from_address: Option<TemplateText<'a>>,
    /// Display names of Reply-To, with the number of the mailbox.
    pub reply_to: Vec<(usize, TemplateText<'a>)>,
    pub message_id: Option<TemplateText<'a>>,
    pub envid: Option<TemplateText<'a>>,
    /// Names of files, with the number of the file.
    pub filenames: Vec<(usize, TemplateText<'a>)>,
    /// The lines of the calendar with placeholders; `bodies` has the complete calendar.
    pub calendar: Option<CalendarTemplate<'a>>,
    pub headers: HeaderTemplates<'a>,
    /// The values that everybody has, sorted by name, for the header fields of single recipients.
    pub shared: Vec<Variable<'a>>,
}

/// The header fields with placeholders, filled in for one recipient. All rules have been checked.
#[derive(Debug)]
pub(crate) struct FilledHeader<'a> {
    pub subject: Option<String>,
    pub from_name: Option<String>,
    pub from_address: Option<Box<AddrSpec<'a>>>,
    /// Like [`Templates::reply_to`].
    pub reply_to: Vec<String>,
    /// Like [`HeaderTemplates::extra`].
    pub extra: Vec<ExtraBody<'a>>,
    pub unsubscribe: Option<Unsubscribe<'a>>,
    pub message_id: Option<MessageId<'a>>,
    /// The envelope ID, which is [checked](super::delivery::check_filled_envid) where it is needed.
    pub envid: Option<String>,
    /// Like [`Templates::filenames`].
    pub filenames: Vec<String>,
    /// Those that are read as fields of the message; the priority is that of the whole message. They are rare, so a
    /// recipient without them takes little memory.
    pub own: Option<Box<OwnValues<'a>>>,
    /// Header fields of this recipient. Those that are read as fields of the message are above.
    pub headers: Option<Box<RecipientHeaders<'a>>>,
}

impl FilledHeader<'_> {
    /// X-Priority and Importance, unless the message has them for everybody.
    pub fn urgency_or(&self, common: Urgency) -> Urgency {
        self.own.as_ref().map_or(common, |own| own.urgency)
    }

    /// Header fields of this recipient that do not correspond to a field of the message.
    pub fn own_fields(&self) -> impl Iterator<Item = &ExtraHeader<'_>> {
        let headers = self.headers.as_deref();
        headers.into_iter().flat_map(|headers| &headers.extra)
    }

    /// Whether it contains an address that requires SMTPUTF8.
    pub fn is_internationalized(&self) -> bool {
        let own = self.own.as_ref();
        let from = self.from_address.as_ref();
        from.is_some_and(|from| from.is_internationalized())
            || own.is_some_and(|own| own.is_internationalized())
            || self.extra.iter().any(ExtraBody::is_internationalized)
            || self.own_fields().any(ExtraHeader::is_internationalized)
    }

    /// Whether it contains a bracket that cannot be encoded.
    pub fn holds_bracket(&self) -> bool {
        const NAME: &str = "X";

        let mut out = Vec::new();
        let mut header = HeaderSection::new(&mut out).with_signs(Signs::NoBrackets);
        for body in &self.extra {
            body.write(NAME, &mut header);
        }
        for field in self.own_fields() {
            field.body.write(&field.name, &mut header);
        }
        if let Some(ways) = &self.unsubscribe {
            ways.write(&mut header);
        }
        if let Some(own) = &self.own {
            header.mailboxes(NAME, &own.reply_to);
            header.message_ids(NAME, own.in_reply_to.iter().chain(&own.references));
        }
        header.message_ids(NAME, &self.message_id);
        memchr::memchr2(b'[', b']', &out).is_some()
    }
}

impl<'a> Templates<'a> {
    /// The index among the templates of the caller's header field with this index.
    pub fn index_of_extra(&self, field: usize) -> Option<usize> {
        self.headers
            .extra
            .binary_search_by_key(&field, |(known, _)| *known)
            .ok()
    }

    /// The index among the templates of the name of the file with this index.
    pub fn index_of_filename(&self, file: usize) -> Option<usize> {
        let mut files = self.filenames.iter();
        files.position(|(known, _)| *known == file)
    }

    /// The values of one recipient, and the header fields with them filled in. `None` only if the report says which
    /// rule is broken.
    pub fn fill<'r>(
        &self,
        (owner, addressee): (Owner, Addressee<'_>),
        variables: &[Variable<'r>],
        composed: &Composed<'_>,
        report: &mut ProblemReport<'r>,
    ) -> Option<(Values<'r>, FilledHeader<'static>)>
    where
        'a: 'r,
    {
        let mut values = self.language.resolve(owner, variables, addressee, report)?;
        if let Some(calendar) = &self.calendar {
            let lines = calendar.fill(|number| self.language.value(&values, number));
            let location = owner.variables(report);
            let lines = lines.or_refuse(location, report)?;
            for line in lines {
                values.push(line);
            }
        }
        if let Err(refusal) = self.check_lengths(&values) {
            let location = owner.variables(report);
            report.refuse(location, refusal);
            return None;
        }
        let value = |number| self.language.value(&values, number);
        let (filled, refusals) = self.fill_header(value, composed);
        let is_right = refusals.is_empty();
        for refusal in refusals {
            let location = owner.variables(report);
            report.refuse(location, refusal);
        }
        is_right.then_some((values, filled))
    }

    /// The header fields with the values that everybody has who has none of their own. If everybody has their own,
    /// nobody gets the field that is made here.
    pub fn fill_common(&self, composed: &Composed<'_>) -> FilledHeader<'static> {
        let value = |number| self.language.common(number).unwrap_or("");
        self.fill_header(value, composed).0
    }

    fn fill_header<'v>(
        &self,
        value: impl Fn(usize) -> &'v str,
        composed: &Composed<'_>,
    ) -> (FilledHeader<'static>, Vec<Refusal>) {
        let fill = |text: &TemplateText<'_>| text.fill(&value);
        let mut refusals = Vec::new();
        let mut extra = Vec::with_capacity(self.headers.extra.len());
        for (index, text) in &self.headers.extra {
            // The field is not there if its name was refused.
            let body = composed.extra_headers.get(*index).map(|field| {
                let filled = fill(text);
                let checked = check_elements(&field.name, text, &filled);
                let body = checked.and_then(|()| ExtraBody::read(&field.name, Cow::Owned(filled)));
                body.unwrap_or_else(|refusal| {
                    refusals.push(refusal.in_field(&field.name));
                    ExtraBody::NOTHING
                })
            });
            extra.push(body.unwrap_or(ExtraBody::NOTHING));
        }
        let unsubscribe = self.headers.unsubscribe.as_ref();
        let unsubscribe = unsubscribe.and_then(|ways| ways.fill(fill, &mut refusals));
        let own = self.fill_own(fill, composed, &mut refusals);
        let from_address = self.from_address.as_ref().and_then(|text| {
            AddrSpec::read(Cow::Owned(fill(text)))
                .map_err(|refusal| refusals.push(refusal.in_field("From")))
                .ok()
        });
        let from_address = from_address.map(Box::new);
        let message_id = self.message_id.as_ref().and_then(|text| {
            MessageId::parse(&Cow::Owned(fill(text)))
                .map_err(|refusal| refusals.push(refusal.in_field("Message-ID")))
                .ok()
        });
        let filenames = self.filenames.iter().map(|(index, text)| {
            let name = fill(text);
            let refusal = check_filename(&name).err();
            let field = format_args!("/attachments/{index}/filename");
            refusals.extend(refusal.map(|refusal| refusal.in_field(field)));
            name
        });
        let filenames = filenames.collect();
        let filled = FilledHeader {
            subject: self.subject.as_ref().map(fill),
            from_name: self.from_name.as_ref().map(fill),
            from_address,
            reply_to: self.reply_to.iter().map(|(_, text)| fill(text)).collect(),
            extra,
            unsubscribe,
            message_id,
            envid: self.envid.as_ref().map(fill),
            filenames,
            own,
            headers: None,
        };
        (filled, refusals)
    }

    fn fill_own(
        &self,
        fill: impl Fn(&TemplateText<'_>) -> String,
        composed: &Composed<'_>,
        refusals: &mut Vec<Refusal>,
    ) -> Option<Box<OwnValues<'static>>> {
        if self.headers.own.is_empty() {
            return None;
        }
        let mut own = OwnValues {
            urgency: composed.urgency,
            ..OwnValues::default()
        };
        for (header, text) in &self.headers.own {
            let filled = fill(text);
            let checked = match header {
                OwnHeader::ReplyTo => check_elements(header.name(), text, &filled),
                _ => Ok(()),
            };
            let read = checked.and_then(|()| own.read(*header, &Cow::Owned(filled)));
            refusals.extend(read.err().map(|refusal| refusal.in_field(header.name())));
        }
        Some(Box::new(own))
    }

    fn check_lengths(&self, values: &Values<'_>) -> Result<(), Refusal> {
        let extra = self.headers.extra.iter().chain(&self.reply_to);
        let extra = extra.chain(&self.filenames);
        let fields = [
            &self.subject,
            &self.from_name,
            &self.from_address,
            &self.message_id,
            &self.envid,
        ];
        let unsubscribe = self.headers.unsubscribe.as_ref().map(|ways| &ways.body);
        let own = self.headers.own.iter().map(|(_, text)| text);
        let mut texts = fields
            .into_iter()
            .flatten()
            .chain(self.bodies.iter())
            .chain(extra.map(|(_, text)| text))
            .chain(unsubscribe)
            .chain(own);
        texts.try_for_each(|text| check_length(text, |number| self.language.value(values, number)))
    }

    /// A text with a recipient's values put in.
    pub fn fill_text(&self, text: &TemplateText<'_>, values: &Values<'_>) -> String {
        text.fill(|number| self.language.value(values, number))
    }
}
