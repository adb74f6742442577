//! A message that is put together from its fields.

use super::calendar::Calendar;
use super::extra_headers::ExtraHeader;
use super::unsubscribe::Unsubscribe;
use crate::address::Mailbox;
use crate::header::{Date, HeaderSection, MessageId};
use crate::mime::{Entity, File, TextSubtype};
use crate::stamp::Stamp;
use std::borrow::Cow;

/// The fields that become header and bodies.
#[derive(Debug)]
pub(super) struct Composed<'a> {
    pub from: Mailbox<'a>,
    pub reply_to: Vec<Mailbox<'a>>,
    pub subject: Option<Cow<'a, str>>,
    pub text: Option<Cow<'a, str>>,
    pub amp: Option<Cow<'a, str>>,
    pub html: Option<Cow<'a, str>>,
    pub calendar: Option<Calendar<'a>>,
    pub attachments: Vec<File<'a>>,
    pub extra_headers: Vec<ExtraHeader<'a>>,
    pub unsubscribe: Option<Unsubscribe<'a>>,
    pub priority: Option<Priority>,
    pub in_reply_to: Vec<MessageId<'a>>,
    pub references: Vec<MessageId<'a>>,
    pub date: Option<Date>,
    pub message_id: Option<MessageId<'a>>,
}

/// The recipients whom the header names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addressees<'m> {
    pub to: &'m [Mailbox<'m>],
    pub cc: &'m [Mailbox<'m>],
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
        let message_id = self.message_id(stamp);
        let content = self.content();
        let mut out = Vec::with_capacity(self.estimate_header(addressees) + content.estimate());
        let header = &mut HeaderSection::new(&mut out);
        self.write_header(header, addressees, &message_id, stamp);
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        content.write_message(message_id.as_str(), &mut out);
        out
    }

    fn write_header(
        &self,
        header: &mut HeaderSection<'_>,
        addressees: Addressees<'_>,
        message_id: &MessageId<'_>,
        stamp: &Stamp,
    ) {
        let date = self.date.unwrap_or_else(|| Date::from_timestamp(stamp.now));
        header.date("Date", &date);
        header.mailboxes("From", [&self.from]);
        for (name, mailboxes) in [
            ("Reply-To", self.reply_to.as_slice()),
            ("To", addressees.to),
            ("Cc", addressees.cc),
        ] {
            if !mailboxes.is_empty() {
                header.mailboxes(name, mailboxes);
            }
        }
        if let Some(subject) = &self.subject {
            header.text("Subject", subject);
        }
        header.message_ids("Message-ID", [message_id]);
        for (name, ids) in [
            ("In-Reply-To", &self.in_reply_to),
            ("References", &self.references),
        ] {
            if !ids.is_empty() {
                header.message_ids(name, ids);
            }
        }
        if let Some(unsubscribe) = &self.unsubscribe {
            header.angle_list("List-Unsubscribe", &unsubscribe.targets);
            if unsubscribe.one_click {
                header.tokens("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]);
            }
        }
        if let Some(priority) = self.priority {
            let (number, word) = priority.values();
            header.tokens("X-Priority", [number]);
            header.tokens("Importance", [word]);
        }
        for field in &self.extra_headers {
            header.extra(&field.name, &field.value);
        }
    }

    /// The tree of bodies and files: mixed > related > alternative, no level around one child.
    fn content(&self) -> Entity<'_> {
        let bodies = self.bodies();
        if self.attachments.is_empty() {
            return bodies;
        }
        let beside_html = |file: &&File<'_>| file.content_id.is_some() && self.html.is_some();
        let inline = self.attachments.iter().filter(beside_html);
        let body = std::iter::once(bodies).chain(inline.map(Entity::File));
        let files = self.attachments.iter().filter(|file| !beside_html(file));
        let mixed = Entity::multipart("related", body)
            .into_iter()
            .chain(files.map(Entity::File));
        Entity::multipart("mixed", mixed).unwrap_or(Self::EMPTY)
    }

    /// The bodies, plainest first (RFC 2046 section 5.1.4); a message without any has an empty text.
    fn bodies(&self) -> Entity<'_> {
        let calendar = self.calendar.as_ref();
        let bodies = [
            (TextSubtype::Plain, self.text.as_deref()),
            (TextSubtype::Amp, self.amp.as_deref()),
            (TextSubtype::Html, self.html.as_deref()),
            (
                TextSubtype::Calendar(calendar.map_or("", |calendar| calendar.method)),
                calendar.map(|calendar| calendar.content.as_ref()),
            ),
        ];
        let parts = bodies
            .into_iter()
            .filter_map(|(subtype, text)| text.map(|text| Entity::Text { subtype, text }));
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

/// How urgent the sender finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Priority {
    High,
    Normal,
    Low,
}

impl Priority {
    pub const CHOICES: [(&'static str, Self); 3] = [
        ("high", Self::High),
        ("normal", Self::Normal),
        ("low", Self::Low),
    ];

    /// The values of X-Priority and Importance.
    fn values(self) -> (&'static str, &'static str) {
        match self {
            Self::High => ("1", "high"),
            Self::Normal => ("3", "normal"),
            Self::Low => ("5", "low"),
        }
    }
}
