//! A message that is put together from its fields.

use super::calendar::Calendar;
use super::extra_headers::ExtraHeader;
use super::stencil::Stencil;
use super::unsubscribe::Unsubscribe;
use crate::address::Mailbox;
use crate::header::{Date, HeaderSection, MessageId};
use crate::json::Priority;
use crate::mime::{Entity, File, TextSubtype};
use crate::stamp::Stamp;
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
    pub priority: Option<Priority>,
    pub in_reply_to: Vec<MessageId<'a>>,
    pub references: Vec<MessageId<'a>>,
    pub date: Option<Date>,
    pub message_id: Option<MessageId<'a>>,
}

/// The files of a message, its own or those that it shares with others.
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

/// The recipients whom the header names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addressees<'m> {
    pub to: &'m [Mailbox<'m>],
    pub cc: &'m [Mailbox<'m>],
}

/// The fields of the header section that may differ from recipient to recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Date,
    From,
    ReplyTo,
    To,
    Subject,
    MessageId,
    Unsubscribe,
    OneClick,
    /// X-Priority and Importance.
    Priority,
    /// One of the caller's own, by its number.
    Extra(usize),
}

/// What a header section is written from beside the message itself.
#[derive(Clone, Copy)]
struct Context<'m> {
    addressees: Addressees<'m>,
    message_id: &'m MessageId<'m>,
    stamp: &'m Stamp,
    stencil: Option<&'m Stencil>,
}

impl Composed<'_> {
    /// The Message-ID, made from the stamp when the message gives none. No host name: the right
    /// side is the domain of From.
    pub fn message_id(&self, stamp: &Stamp) -> Cow<'_, MessageId<'_>> {
        self.message_id.as_ref().map_or_else(
            || {
                let domain = self.from.address.domain();
                Cow::Owned(MessageId::made([stamp.id.as_str(), "@", domain].concat()))
            },
            Cow::Borrowed,
        )
    }

    /// Whether the header holds an address that only SMTPUTF8 can carry.
    pub fn is_internationalized(&self) -> bool {
        std::iter::once(&self.from)
            .chain(&self.reply_to)
            .any(|mailbox| mailbox.address.is_internationalized())
    }

    pub fn render(&self, addressees: Addressees<'_>, stamp: &Stamp) -> Vec<u8> {
        self.write(addressees, stamp, None)
    }

    /// The message with marks where the stencil has them.
    pub fn render_stencil(&self, stencil: &Stencil, stamp: &Stamp) -> Vec<u8> {
        let nobody = Addressees { to: &[], cc: &[] };
        self.write(nobody, stamp, Some(stencil))
    }

    fn write(
        &self,
        addressees: Addressees<'_>,
        stamp: &Stamp,
        stencil: Option<&Stencil>,
    ) -> Vec<u8> {
        let message_id = self.message_id(stamp);
        let content = self.content(stencil);
        let mut out = Vec::with_capacity(self.estimate_header(addressees) + content.estimate());
        let header = &mut HeaderSection::new(&mut out);
        let written = Context {
            addressees,
            message_id: &message_id,
            stamp,
            stencil,
        };
        self.write_header(header, written);
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        let identity = stencil.and_then(|stencil| stencil.identity.as_deref());
        content.write_message(identity.unwrap_or(message_id.as_str()), &mut out);
        out
    }

    fn write_header(&self, header: &mut HeaderSection<'_>, context: Context<'_>) {
        const FIRST: [Field; 4] = [Field::Date, Field::From, Field::ReplyTo, Field::To];
        for field in FIRST {
            self.write_field(header, field, context);
        }
        if !context.addressees.cc.is_empty() {
            header.mailboxes("Cc", context.addressees.cc);
        }
        self.write_field(header, Field::Subject, context);
        self.write_field(header, Field::MessageId, context);
        for (name, ids) in [
            ("In-Reply-To", &self.in_reply_to),
            ("References", &self.references),
        ] {
            if !ids.is_empty() {
                header.message_ids(name, ids);
            }
        }
        self.write_field(header, Field::Unsubscribe, context);
        self.write_field(header, Field::OneClick, context);
        self.write_field(header, Field::Priority, context);
        for index in 0..self.extra_headers.len() {
            self.write_field(header, Field::Extra(index), context);
        }
    }

    fn write_field(&self, header: &mut HeaderSection<'_>, field: Field, context: Context<'_>) {
        if let Some(mark) = context.stencil.and_then(|stencil| stencil.mark(field)) {
            return header.mark(self.field_name(field), mark);
        }
        match field {
            Field::Date => {
                let now = || Date::from_timestamp(context.stamp.now);
                header.date("Date", &self.date.unwrap_or_else(now));
            }
            Field::To if context.addressees.to.is_empty() => {}
            Field::To => header.mailboxes("To", context.addressees.to),
            Field::MessageId => header.message_ids("Message-ID", [context.message_id]),
            field => self.write_own_field(header, field),
        }
    }

    /// Writes a field for which the message is enough.
    pub fn write_own_field(&self, header: &mut HeaderSection<'_>, field: Field) {
        match field {
            Field::From => header.mailboxes("From", [&self.from]),
            Field::ReplyTo if self.reply_to.is_empty() => {}
            Field::ReplyTo => header.mailboxes("Reply-To", &self.reply_to),
            Field::Subject => {
                if let Some(subject) = &self.subject {
                    header.text("Subject", subject);
                }
            }
            Field::Unsubscribe => {
                if let Some(unsubscribe) = &self.unsubscribe {
                    unsubscribe.write(header);
                }
            }
            Field::OneClick => {
                if let Some(unsubscribe) = &self.unsubscribe {
                    unsubscribe.write_one_click(header);
                }
            }
            Field::Priority => {
                if let Some(priority) = self.priority {
                    priority.write(header);
                }
            }
            Field::Extra(index) => {
                if let Some(field) = self.extra_headers.get(index) {
                    header.extra(&field.name, &field.value);
                }
            }
            Field::Date | Field::To | Field::MessageId => {}
        }
    }

    /// The name of a field; empty for one that is several.
    pub fn field_name(&self, field: Field) -> &str {
        match field {
            Field::Date => "Date",
            Field::From => "From",
            Field::ReplyTo => "Reply-To",
            Field::To => "To",
            Field::Subject => "Subject",
            Field::MessageId => "Message-ID",
            Field::Unsubscribe => "List-Unsubscribe",
            Field::OneClick | Field::Priority => "",
            Field::Extra(index) => self
                .extra_headers
                .get(index)
                .map_or("", |field| field.name.as_ref()),
        }
    }

    /// The tree of bodies and files: mixed > related > alternative, no level around one child.
    fn content<'m>(&'m self, stencil: Option<&'m Stencil>) -> Entity<'m> {
        let bodies = self.bodies(stencil);
        if self.attachments.is_empty() {
            return bodies;
        }
        let has_html =
            self.html.is_some() || stencil.is_some_and(|stencil| stencil.bodies.html.is_some());
        let beside_html = |file: &&File<'_>| file.content_id.is_some() && has_html;
        let inline = self.attachments.iter().filter(beside_html);
        let body = std::iter::once(bodies).chain(inline.map(Entity::File));
        let files = self.attachments.iter().filter(|file| !beside_html(file));
        let mixed = Entity::multipart("related", body)
            .into_iter()
            .chain(files.map(Entity::File));
        Entity::multipart("mixed", mixed).unwrap_or(Self::EMPTY)
    }

    /// The bodies, plainest first (RFC 2046 section 5.1.4); a message without any has an empty text.
    fn bodies<'m>(&'m self, stencil: Option<&'m Stencil>) -> Entity<'m> {
        let calendar = self.calendar.as_ref();
        let stencil = stencil.map(|stencil| &stencil.bodies);
        let bodies = [
            (
                TextSubtype::Plain,
                self.text.as_deref(),
                stencil.and_then(|bodies| bodies.text.as_deref()),
            ),
            (
                TextSubtype::Amp,
                self.amp.as_deref(),
                stencil.and_then(|bodies| bodies.amp.as_deref()),
            ),
            (
                TextSubtype::Html,
                self.html.as_deref(),
                stencil.and_then(|bodies| bodies.html.as_deref()),
            ),
            (
                TextSubtype::Calendar(calendar.map_or("", |calendar| calendar.method)),
                calendar.map(|calendar| calendar.content.as_ref()),
                None,
            ),
        ];
        let parts =
            bodies
                .into_iter()
                .filter_map(|(subtype, text, encoded)| match (text, encoded) {
                    (_, Some(octets)) => Some(Entity::Encoded { subtype, octets }),
                    (Some(text), None) => Some(Entity::Text { subtype, text }),
                    (None, None) => None,
                });
        Entity::multipart("alternative", parts).unwrap_or(Self::EMPTY)
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
            .map(|field| field.value.len() + 80)
            .sum();
        384 + mailboxes * 64 + subject * 2 + extra
    }
}

impl Priority {
    /// Writes X-Priority and Importance.
    pub fn write(self, header: &mut HeaderSection<'_>) {
        let (number, word) = self.values();
        header.tokens("X-Priority", [number]);
        header.tokens("Importance", [word]);
    }

    /// The values of X-Priority and Importance.
    fn values(self) -> (&'static str, &'static str) {
        match self {
            Self::High => ("1", "high"),
            Self::Normal => ("3", "normal"),
            Self::Low => ("5", "low"),
        }
    }
}
