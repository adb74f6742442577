//! What a message means: every rule is checked here, once, and what passed is right.

mod read;

use crate::address::{Mailbox, ReversePath};
use crate::envelope::Envelope;
use crate::header::{Date, HeaderSection, MessageId};
use crate::json::{self, Reading, Unreadable};
use crate::mime::{Entity, TextSubtype};
use crate::problem::Problems;
use crate::stamp::Stamp;
use serde::Deserializer;
use std::borrow::Cow;

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
    html: Option<Cow<'a, str>>,
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
    }

    /// The bodies as one entity; a message without any has an empty text.
    fn content(&self) -> Entity<'_> {
        let bodies = [
            (TextSubtype::Plain, &self.text),
            (TextSubtype::Html, &self.html),
        ];
        let parts = bodies
            .into_iter()
            .filter_map(|(subtype, text)| {
                let text = text.as_deref()?;
                Some(Entity::Text { subtype, text })
            })
            .collect();
        Entity::multipart("alternative", parts).unwrap_or(Entity::Text {
            subtype: TextSubtype::Plain,
            text: "",
        })
    }

    fn estimate_header(&self) -> usize {
        let mailboxes = 1 + self.to.len() + self.cc.len() + self.reply_to.len();
        let subject = self.subject.as_ref().map_or(0, |subject| subject.len());
        384 + mailboxes * 64 + subject * 2
    }
}
