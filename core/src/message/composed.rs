//! A message composed from its fields.

use super::bodies::Bodies;
use super::calendar::Calendar;
use super::header_field::HeaderField;
use super::headers::{ExtraBody, ExtraHeader};
use super::markers::Markers;
use super::priority::Urgency;
use super::unsubscribe::Unsubscribe;
use crate::address::Mailbox;
use crate::header::{Date, HeaderSection, MessageId, Signs};
use crate::identity::Identity;
use crate::mime::{
    CONTENT_DISPOSITION, CONTENT_TYPE, Entity, File, Rendered, TextSubtype, plain_name,
};
use std::borrow::Cow;
use std::ops::Deref;

/// The fields that become header and bodies.
#[derive(Debug)]
pub(crate) struct Composed<'a> {
    pub from: Mailbox<'a>,
    pub reply_to: Vec<Mailbox<'a>>,
    pub subject: Option<Cow<'a, str>>,
    pub text: Option<Cow<'a, str>>,
    pub amp: Option<Cow<'a, str>>,
    pub html: Option<Cow<'a, str>>,
    pub calendar: Option<Calendar<'a>>,
    pub attachments: Files<'a>,
    pub extra_headers: Vec<ExtraHeader<'a>>,
    pub unsubscribe: Option<Unsubscribe<'a>>,
    pub urgency: Urgency,
    pub in_reply_to: Vec<MessageId<'a>>,
    pub references: Vec<MessageId<'a>>,
    pub date: Option<Date>,
    pub message_id: Option<MessageId<'a>>,
}

/// The files of a message, its own or shared with others.
#[derive(Debug)]
pub(crate) enum Files<'a> {
    Own(Vec<File<'a>>),
    Shared(&'a [File<'a>]),
}

impl<'a> Deref for Files<'a> {
    type Target = [File<'a>];

    fn deref(&self) -> &[File<'a>] {
        match self {
            Self::Own(files) => files,
            Self::Shared(files) => files,
        }
    }
}

/// The recipients that the header names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addressees<'m> {
    pub to: &'m [Mailbox<'m>],
    pub cc: &'m [Mailbox<'m>],
}

impl Addressees<'_> {
    /// No recipient is named.
    pub const NOBODY: Self = Self { to: &[], cc: &[] };
}

/// What a header section is written from, besides the message itself.
#[derive(Clone, Copy)]
struct Context<'m> {
    addressees: Addressees<'m>,
    message_id: &'m MessageId<'m>,
    identity: &'m Identity,
    markers: Option<&'m Markers>,
    signs: Signs,
}

impl Composed<'_> {
    /// The same message, borrowed; its files are shared.
    pub fn lend(&self) -> Composed<'_> {
        Composed {
            from: self.from.lend(),
            reply_to: self.reply_to.iter().map(Mailbox::lend).collect(),
            subject: self.subject.as_deref().map(Cow::Borrowed),
            text: self.text.as_deref().map(Cow::Borrowed),
            amp: self.amp.as_deref().map(Cow::Borrowed),
            html: self.html.as_deref().map(Cow::Borrowed),
            calendar: self.calendar.as_ref().map(Calendar::lend),
            attachments: Files::Shared(&self.attachments),
            extra_headers: self.extra_headers.iter().map(ExtraHeader::lend).collect(),
            unsubscribe: self.unsubscribe.clone(),
            urgency: self.urgency,
            in_reply_to: self.in_reply_to.clone(),
            references: self.references.clone(),
            date: self.date,
            message_id: self.message_id.clone(),
        }
    }

    /// The same message, with empty header fields of these names after its own.
    pub fn with_room_for(&self, names: &[String]) -> Composed<'_> {
        let mut message = self.lend();
        let more = names.iter().map(|name| ExtraHeader {
            name: Cow::Owned(name.clone()),
            body: ExtraBody::NOTHING,
        });
        message.extra_headers.extend(more);
        message
    }

    /// The Message-ID, generated from the identity if the message does not give one. It contains no host name: the
    /// right side is the domain of From.
    pub fn message_id(&self, identity: &Identity) -> Cow<'_, MessageId<'_>> {
        self.message_id.as_ref().map_or_else(
            || {
                let domain = self.from.address.domain();
                Cow::Owned(MessageId::made(
                    [identity.id.as_str(), "@", domain].concat(),
                ))
            },
            Cow::Borrowed,
        )
    }

    /// Whether the header contains an address that requires SMTPUTF8.
    pub fn is_internationalized(&self) -> bool {
        std::iter::once(&self.from)
            .chain(&self.reply_to)
            .any(|mailbox| mailbox.address.is_internationalized())
            || self
                .extra_headers
                .iter()
                .any(ExtraHeader::is_internationalized)
    }

    pub fn render(&self, addressees: Addressees<'_>, identity: &Identity) -> Rendered<'_> {
        self.write(addressees, identity, None, Signs::All)
    }

    /// The message for a template of PowerMTA, without brackets wherever they can be avoided.
    pub fn render_for_template(
        &self,
        addressees: Addressees<'_>,
        identity: &Identity,
    ) -> Rendered<'_> {
        self.write(addressees, identity, None, Signs::NoBrackets)
    }

    /// The same, with markers in place of some of its fields.
    pub fn render_with_markers(&self, markers: &Markers, identity: &Identity) -> Vec<u8> {
        self.write(
            Addressees::NOBODY,
            identity,
            Some(markers),
            Signs::NoBrackets,
        )
        .into_vec()
    }

    /// One field of the header section for a template, without addressees.
    pub fn render_field(&self, field: HeaderField, identity: &Identity) -> Vec<u8> {
        let mut out = Vec::new();
        let context = Context {
            addressees: Addressees::NOBODY,
            message_id: &self.message_id(identity),
            identity,
            markers: None,
            signs: Signs::NoBrackets,
        };
        let mut header = HeaderSection::new(&mut out).with_signs(context.signs);
        self.write_field(&mut header, field, context);
        out
    }

    fn write<'m>(
        &'m self,
        addressees: Addressees<'_>,
        identity: &Identity,
        markers: Option<&'m Markers>,
        signs: Signs,
    ) -> Rendered<'m> {
        let message_id = self.message_id(identity);
        let content = self.content(markers);
        let estimate = self.estimate_header(addressees) + content.estimate();
        let mut out = Rendered::with_capacity(estimate);
        let header = &mut HeaderSection::new(out.bytes()).with_signs(signs);
        let written = Context {
            addressees,
            message_id: &message_id,
            identity,
            markers,
            signs,
        };
        self.write_header(header, written);
        out.bytes().extend_from_slice(b"MIME-Version: 1.0\r\n");
        let seed = markers.and_then(|markers| markers.boundary_seed.as_deref());
        content.write_message(seed.unwrap_or(message_id.as_str()), signs, &mut out);
        out
    }

    fn write_header(&self, header: &mut HeaderSection<'_>, context: Context<'_>) {
        const FIRST: [HeaderField; 4] = [
            HeaderField::Date,
            HeaderField::From,
            HeaderField::ReplyTo,
            HeaderField::To,
        ];
        for field in FIRST {
            self.write_field(header, field, context);
        }
        if !context.addressees.cc.is_empty() {
            header.mailboxes("Cc", context.addressees.cc);
        }
        self.write_field(header, HeaderField::Subject, context);
        self.write_field(header, HeaderField::MessageId, context);
        for field in [
            HeaderField::InReplyTo,
            HeaderField::References,
            HeaderField::Unsubscribe,
            HeaderField::OneClick,
            HeaderField::Priority,
        ] {
            self.write_field(header, field, context);
        }
        for index in 0..self.extra_headers.len() {
            self.write_field(header, HeaderField::Extra(index), context);
        }
    }

    fn write_field(
        &self,
        header: &mut HeaderSection<'_>,
        field: HeaderField,
        context: Context<'_>,
    ) {
        let marker = context
            .markers
            .and_then(|markers| markers.fields.get(&field));
        if let Some(marker) = marker {
            return header.marker(self.field_name(field), *marker);
        }
        match field {
            HeaderField::Date => {
                let now = || Date::from_timestamp(context.identity.time);
                header.date("Date", &self.date.unwrap_or_else(now));
            }
            HeaderField::From => header.mailboxes("From", [&self.from]),
            HeaderField::ReplyTo if self.reply_to.is_empty() => {}
            HeaderField::ReplyTo => header.mailboxes("Reply-To", &self.reply_to),
            HeaderField::To if context.addressees.to.is_empty() => {}
            HeaderField::To => header.mailboxes("To", context.addressees.to),
            HeaderField::Subject => {
                if let Some(subject) = &self.subject {
                    header.text("Subject", subject);
                }
            }
            HeaderField::MessageId => header.message_ids("Message-ID", [context.message_id]),
            HeaderField::Unsubscribe => {
                if let Some(unsubscribe) = &self.unsubscribe {
                    unsubscribe.write(header);
                }
            }
            HeaderField::OneClick => {
                if let Some(unsubscribe) = &self.unsubscribe {
                    unsubscribe.write_one_click(header);
                }
            }
            HeaderField::InReplyTo if self.in_reply_to.is_empty() => {}
            HeaderField::InReplyTo => header.message_ids("In-Reply-To", &self.in_reply_to),
            HeaderField::References if self.references.is_empty() => {}
            HeaderField::References => header.message_ids("References", &self.references),
            HeaderField::Priority => self.urgency.write(header),
            HeaderField::FileType(index) => {
                let file = &self.attachments[index];
                let name = file.filename.as_deref();
                let name = name.map(|name| plain_name(name, context.signs));
                file.write_type(name.as_deref(), header);
            }
            HeaderField::FileDisposition(index) => {
                let file = &self.attachments[index];
                file.write_disposition(file.filename.as_deref(), header);
            }
            HeaderField::Extra(index) => {
                let field = &self.extra_headers[index];
                field.body.write(&field.name, header);
            }
        }
    }

    /// The name of a field; `None` if it stands for several fields or for none.
    pub fn field_name(&self, field: HeaderField) -> Option<&str> {
        match field {
            HeaderField::Date => Some("Date"),
            HeaderField::From => Some("From"),
            HeaderField::ReplyTo => Some("Reply-To"),
            HeaderField::To => Some("To"),
            HeaderField::Subject => Some("Subject"),
            HeaderField::MessageId => Some("Message-ID"),
            HeaderField::InReplyTo => Some("In-Reply-To"),
            HeaderField::References => Some("References"),
            HeaderField::Unsubscribe => Some("List-Unsubscribe"),
            HeaderField::OneClick | HeaderField::Priority => None,
            HeaderField::FileType(_) => Some(CONTENT_TYPE),
            HeaderField::FileDisposition(_) => Some(CONTENT_DISPOSITION),
            HeaderField::Extra(index) => Some(&self.extra_headers[index].name),
        }
    }

    /// The tree of bodies and files: mixed > related > alternative, no level around one child.
    fn content<'m>(&'m self, markers: Option<&'m Markers>) -> Entity<'m> {
        let encoded = markers.map_or(&Bodies::NONE, |markers| &markers.bodies);
        let bodies = self.bodies(encoded);
        if self.attachments.is_empty() {
            return bodies;
        }
        let has_html = self.html.is_some() || encoded.html.is_some();
        let is_inline = |file: &File<'_>| file.content_id.is_some() && has_html;
        let entity = |(index, file): (usize, &'m File<'_>)| {
            let markers = markers.and_then(|markers| markers.of_file(index));
            Entity::File(file, markers)
        };
        let all = || self.attachments.iter().enumerate();
        let inline = all().filter(|(_, file)| is_inline(file));
        let body = Entity::multipart("related", bodies, inline.map(entity));
        let files = all().filter(|(_, file)| !is_inline(file));
        Entity::multipart("mixed", body, files.map(entity))
    }

    /// The bodies, plainest first (RFC 2046 section 5.1.4); a message without any gets an empty text. Those in
    /// `encoded` replace those of the message.
    fn bodies<'m>(&'m self, encoded: &'m Bodies<Vec<u8>>) -> Entity<'m> {
        let body = |subtype, text: &'m Option<Cow<'_, str>>, encoded: &'m Option<Vec<u8>>| match (
            encoded,
            text.as_deref(),
        ) {
            (Some(bytes), _) => Some(Entity::Encoded { subtype, bytes }),
            (None, text) => text.map(|text| Entity::Text { subtype, text }),
        };
        let calendar = self.calendar.as_ref().map(|calendar| {
            let subtype = TextSubtype::Calendar(calendar.method);
            match &encoded.calendar {
                Some(bytes) => Entity::Encoded { subtype, bytes },
                None => Entity::Text {
                    subtype,
                    text: &calendar.content,
                },
            }
        });
        let mut bodies = [
            body(TextSubtype::Plain, &self.text, &encoded.text),
            body(TextSubtype::Amp, &self.amp, &encoded.amp),
            body(TextSubtype::Html, &self.html, &encoded.html),
            calendar,
        ]
        .into_iter()
        .flatten();
        match bodies.next() {
            Some(first) => Entity::multipart("alternative", first, bodies),
            None => Self::EMPTY,
        }
    }

    const EMPTY: Entity<'static> = Entity::Text {
        subtype: TextSubtype::Plain,
        text: "",
    };

    fn estimate_header(&self, addressees: Addressees<'_>) -> usize {
        let mailboxes = 1 + addressees.to.len() + addressees.cc.len() + self.reply_to.len();
        let subject = self.subject.as_ref().map_or(0, |subject| subject.len());
        let extra: usize = self
            .extra_headers
            .iter()
            .map(|field| field.body.estimate() + 80)
            .sum();
        384 + mailboxes * 64 + subject * 2 + extra
    }
}
