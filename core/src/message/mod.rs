//! What a message means: every rule is checked here, once, and what passed is right.

mod attachment;
mod calendar;
mod delivery;
mod extra_headers;
mod read;
mod unsubscribe;

pub(crate) use delivery::{Delivery, Dsn};

use crate::address::{Mailbox, ReversePath};
use crate::envelope::Envelope;
use crate::header::{Date, HeaderSection, MessageId};
use crate::json::{self, Reading, Unreadable};
use crate::mime::{Entity, File, TextSubtype};
use crate::problem::Problems;
use crate::stamp::Stamp;
use calendar::Calendar;
use extra_headers::ExtraHeader;
use serde::Deserializer;
use std::borrow::Cow;
use unsubscribe::Unsubscribe;

/// A message that may be sent: all rules hold.
///
/// Its texts are borrowed from the input wherever JSON did not have to escape them.
#[derive(Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "`message_id` is the field's name"
)]
pub struct Message<'a> {
    /// From's address when absent.
    sender: Option<ReversePath<'a>>,
    from: Mailbox<'a>,
    to: Vec<Mailbox<'a>>,
    cc: Vec<Mailbox<'a>>,
    bcc: Vec<Mailbox<'a>>,
    reply_to: Vec<Mailbox<'a>>,
    subject: Option<Cow<'a, str>>,
    text: Option<Cow<'a, str>>,
    amp: Option<Cow<'a, str>>,
    html: Option<Cow<'a, str>>,
    calendar: Option<Calendar<'a>>,
    attachments: Vec<File<'a>>,
    extra_headers: Vec<ExtraHeader<'a>>,
    unsubscribe: Option<Unsubscribe<'a>>,
    priority: Option<Priority>,
    in_reply_to: Vec<MessageId<'a>>,
    references: Vec<MessageId<'a>>,
    delivery: Delivery<'a>,
    date: Option<Date>,
    message_id: Option<MessageId<'a>>,
}

impl<'a> Message<'a> {
    /// Reads the octets of one JSON message and checks every rule.
    pub fn from_json(octets: &'a [u8]) -> Result<Self, Problems> {
        match json::read(octets) {
            Ok(reading) => Self::from_reading(reading),
            Err(Unreadable::NotJson(problems)) => Err(problems),
            Err(Unreadable::LoneSurrogates(marked)) => {
                match Message::from_reading(marked.read()?) {
                    Err(problems) => Err(problems),
                    // Each of them was a problem, so this is not reached; nothing depends on that.
                    Ok(_) => Err(json::holds_lone_surrogates()),
                }
            }
        }
    }

    /// Reads a message from any serde data format that lends its strings, such as a
    /// `&serde_json::Value`. Octets are taken where a field's content may be octets. For a text
    /// that is not Unicode the format lends [`NOT_UNICODE`](crate::NOT_UNICODE).
    ///
    /// The outer error is the format's own.
    pub fn from_deserializer<D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Result<Self, Problems>, D::Error> {
        json::read_from(deserializer, None).map(Self::from_reading)
    }

    fn from_reading(reading: Reading<'a>) -> Result<Self, Problems> {
        let mut report = reading.report;
        let message = reading
            .message
            .and_then(|message| read::understand(message, &mut report));
        report.finish(message)
    }

    pub(crate) fn envelope(&self) -> Envelope<'_> {
        let reverse_path = match &self.sender {
            None => Some(&self.from.address),
            Some(ReversePath::Address(address)) => Some(address),
            Some(ReversePath::Null) => None,
        };
        let recipients = self.to.iter().chain(&self.cc).chain(&self.bcc);
        Envelope::new(reverse_path, recipients.map(|mailbox| &mailbox.address))
    }

    /// The Message-ID, made from the stamp when the message gives none. No host name: the right
    /// side is the domain of From.
    pub(crate) fn message_id(&self, stamp: &Stamp) -> Cow<'_, MessageId<'_>> {
        self.message_id.as_ref().map_or_else(
            || {
                let domain = self.from.address.domain();
                Cow::Owned(MessageId::made([stamp.id.as_str(), "@", domain].concat()))
            },
            Cow::Borrowed,
        )
    }

    /// The octets of the message (RFC 5322).
    ///
    /// Date and Message-ID are made where the message gives none; with both given, the same
    /// message always yields the same octets.
    pub fn render(&self) -> Vec<u8> {
        self.render_with(&Stamp::now())
    }

    /// The same, with a stamp at hand.
    pub(crate) fn render_with(&self, stamp: &Stamp) -> Vec<u8> {
        let message_id = self.message_id(stamp);
        let content = self.content();
        let mut out = Vec::with_capacity(self.estimate_header() + content.estimate());
        self.write_header(&mut HeaderSection::new(&mut out), &message_id, stamp);
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
        content.write_message(message_id.as_str(), &mut out);
        out
    }

    fn write_header(
        &self,
        header: &mut HeaderSection<'_>,
        message_id: &MessageId<'_>,
        stamp: &Stamp,
    ) {
        let date = self.date.unwrap_or_else(|| Date::from_timestamp(stamp.now));
        header.date("Date", &date);
        header.mailboxes("From", [&self.from]);
        for (name, mailboxes) in [
            ("Reply-To", &self.reply_to),
            ("To", &self.to),
            ("Cc", &self.cc),
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

    /// What PowerMTA is told beside the addresses.
    pub(crate) fn delivery(&self) -> &Delivery<'a> {
        &self.delivery
    }

    /// The tree of bodies and files: mixed > related > alternative, no level around one child.
    fn content(&self) -> Entity<'_> {
        let beside_html = |file: &&File<'_>| file.content_id.is_some() && self.html.is_some();
        let mut related = vec![self.bodies()];
        related.extend(
            self.attachments
                .iter()
                .filter(beside_html)
                .map(Entity::File),
        );
        let body = Entity::multipart("related", related);
        let files = self.attachments.iter().filter(|file| !beside_html(file));
        let mixed = body.into_iter().chain(files.map(Entity::File)).collect();
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
            .filter_map(|(subtype, text)| text.map(|text| Entity::Text { subtype, text }))
            .collect();
        Entity::multipart("alternative", parts).unwrap_or(Self::EMPTY)
    }

    const EMPTY: Entity<'static> = Entity::Text {
        subtype: TextSubtype::Plain,
        text: "",
    };

    fn estimate_header(&self) -> usize {
        let mailboxes = 1 + self.to.len() + self.cc.len() + self.reply_to.len();
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
enum Priority {
    High,
    Normal,
    Low,
}

impl Priority {
    const CHOICES: [(&'static str, Self); 3] = [
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
