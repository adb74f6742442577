//! What a message means: every rule is checked here, once, and what passed is right.

mod attachment;
mod calendar;
mod complete;
mod composed;
mod delivery;
mod extra_headers;
mod filling;
mod form;
mod parameters;
mod raw;
mod read;
mod recipients;
mod stencil;
mod templated;
mod templates;
mod unsubscribe;
mod values;

pub use complete::{Origin, complete_rfc822};
pub(crate) use composed::{Composed, Field, Priority};
pub(crate) use delivery::{Delivery, Dsn};
pub use form::FilePart;
pub use raw::HeaderRecipients;
pub(crate) use recipients::{Merge, MergeForm, NOBODY, OwnPriority, Recipient, Rules};
pub(crate) use stencil::Stencil;
pub(crate) use templates::{Bodies, Filled, Templates};
pub(crate) use unsubscribe::ONE_CLICK;

use crate::address::{AddrSpec, Mailbox, ReversePath};
use crate::envelope::Envelope;
use crate::json::{self, Reading, Unreadable};
use crate::problem::{Location, ProblemReport, Problems};
use crate::stamp::Stamp;
use composed::Addressees;
use form::FileParts;
use raw::RawMessage;
use serde::Deserializer;

/// A message that may be sent: all rules hold.
///
/// Its texts are borrowed from the input wherever JSON did not have to escape them.
#[derive(Debug)]
pub struct Message<'a> {
    /// From's address when absent.
    sender: Option<ReversePath<'a>>,
    to: Vec<Mailbox<'a>>,
    cc: Vec<Mailbox<'a>>,
    bcc: Vec<Mailbox<'a>>,
    delivery: Delivery<'a>,
    content: Content<'a>,
    /// For a message with recipients who get one each; it is composed then.
    merge: Option<Box<Merge<'a>>>,
}

/// Where header and bodies come from.
#[derive(Debug)]
enum Content<'a> {
    Composed(Box<Composed<'a>>),
    Raw(RawMessage<'a>),
}

/// What comes beside the message and decides how it is understood.
struct Beside<'a> {
    files: FileParts<'a>,
    header_recipients: HeaderRecipients,
    apart: Apart,
}

/// Where the recipients of a mail merge are, if not in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Apart {
    No,
    /// The message's array of them is empty here, and they are read by themselves.
    Array,
    /// They are lines behind the message, which has none of its own.
    Lines,
}

/// A message whose recipients are read by themselves.
pub(crate) struct Head<'a> {
    /// Not to be sent if the report holds anything.
    pub message: Option<Message<'a>>,
    pub report: ProblemReport<'a>,
    /// What the problems of recipients are sorted by.
    pub location: Location,
    /// What the message calls them.
    pub name: String,
}

impl<'a> Beside<'a> {
    fn files(files: &'a [FilePart<'a>]) -> Self {
        Self {
            files: FileParts::new(files),
            header_recipients: HeaderRecipients::WhereNone,
            apart: Apart::No,
        }
    }
}

impl<'a> Message<'a> {
    /// Reads the octets of one JSON message and checks every rule.
    pub fn from_json(octets: &'a [u8]) -> Result<Self, Problems> {
        Self::from_form(octets, &[])
    }

    /// Reads one JSON message and the files that came beside it, such as the parts of a form
    /// (RFC 7578). Attachments take them with `part`; each file must be taken.
    ///
    /// ```
    /// use pmtaemail::{FilePart, Message};
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org",
    ///                 "attachments": [{"part": "file1"}]}"#;
    /// let file = FilePart {
    ///     name: "file1",
    ///     filename: Some("report.pdf"),
    ///     content_type: None,
    ///     content: b"%PDF-1.7",
    /// };
    /// let mail = Message::from_form(json, &[file])?.render();
    /// assert!(String::from_utf8_lossy(&mail).contains("filename=report.pdf"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_form(octets: &'a [u8], files: &'a [FilePart<'a>]) -> Result<Self, Problems> {
        let beside = || Beside::files(files);
        match json::read(octets) {
            Ok(reading) => Self::from_reading(reading, beside()),
            Err(Unreadable::NotJson(problems)) => Err(problems),
            Err(Unreadable::LoneSurrogates(marked)) => {
                match Message::from_reading(marked.read()?, beside()) {
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
        let reading = json::read_from(deserializer, None)?;
        Ok(Self::from_reading(reading, Beside::files(&[])))
    }

    /// Understands a message whose recipients are read by themselves.
    pub(crate) fn read_head(reading: Reading<'a>, apart: Apart) -> Head<'a> {
        const NAME: &str = "recipients";
        let mut report = reading.report;
        let beside = Beside {
            apart,
            ..Beside::files(&[])
        };
        let recipients = reading.message.as_ref().and_then(|m| m.recipients.as_ref());
        let location = match recipients {
            Some(recipients) => recipients.location,
            None => report.location_of_absent(Location::ROOT, NAME.into()),
        };
        let message = reading.message;
        let message = message.and_then(|message| read::understand(message, beside, &mut report));
        Head {
            name: report.name(location).unwrap_or(NAME).to_owned(),
            message,
            report,
            location,
        }
    }

    fn from_reading(reading: Reading<'a>, beside: Beside<'a>) -> Result<Self, Problems> {
        let mut report = reading.report;
        let message = reading
            .message
            .and_then(|message| read::understand(message, beside, &mut report));
        report.finish(message)
    }

    /// Reads a finished message (RFC 5322) that is sent as it is, with the envelope fields beside it
    /// as names and values: `sender`, `to`, `cc`, `bcc`, `envid`, `job`, `vmta`, `verp`,
    /// `dsn.notify`, `dsn.ret`, `dkim.selector` and the like. A name may come several times where
    /// the field takes several. Without recipients, those of the header are taken.
    ///
    /// ```
    /// let mail = b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\r\nHello\r\n";
    /// let envelope = [("to", "b@example.org"), ("to", "c@example.org")];
    /// let message = pmtaemail::Message::from_rfc822(mail, &envelope)?;
    /// assert_eq!(message.render(), mail);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_rfc822<S: AsRef<str>>(
        octets: &'a [u8],
        envelope: &'a [(S, S)],
    ) -> Result<Self, Problems> {
        Self::from_rfc822_with(octets, envelope, HeaderRecipients::WhereNone)
    }

    /// The same, with a word on the recipients that the message's own header names.
    pub fn from_rfc822_with<S: AsRef<str>>(
        octets: &'a [u8],
        envelope: &'a [(S, S)],
        header_recipients: HeaderRecipients,
    ) -> Result<Self, Problems> {
        let beside = Beside {
            header_recipients,
            ..Beside::files(&[])
        };
        match json::read_from(parameters::deserializer(octets, envelope), None) {
            Ok(reading) => Self::from_reading(reading, beside),
            // The deserializer has no errors of its own.
            Err(error) => Err(json::unreadable(&error)),
        }
    }

    pub(crate) fn envelope(&self) -> Envelope<'_> {
        let recipients = self.to.iter().chain(&self.cc).chain(&self.bcc);
        Envelope::new(
            self.reverse_path(),
            recipients.map(|mailbox| &mailbox.address),
            self.is_internationalized(),
        )
    }

    /// Where bounces go; `None` is the null reverse-path.
    pub(crate) fn reverse_path(&self) -> Option<&AddrSpec<'a>> {
        match (&self.sender, &self.content) {
            (Some(ReversePath::Address(address)), _) => Some(address),
            (Some(ReversePath::Null), _) => None,
            (None, Content::Composed(composed)) => Some(&composed.from.address),
            (None, Content::Raw(raw)) => Some(raw.from()),
        }
    }

    /// Whether the header can only be said with SMTPUTF8 (RFC 6531).
    fn is_internationalized(&self) -> bool {
        match &self.content {
            Content::Composed(composed) => composed.is_internationalized(),
            Content::Raw(raw) => raw.is_internationalized(),
        }
    }

    /// The Message-ID; empty where a finished message has none.
    pub(crate) fn message_id(&self, stamp: &Stamp) -> String {
        match &self.content {
            Content::Composed(composed) => composed.message_id(stamp).as_str().to_owned(),
            Content::Raw(raw) => raw.message_id().to_owned(),
        }
    }

    /// Whether this is a mail merge, which becomes a message for each of its recipients.
    pub fn is_merge(&self) -> bool {
        self.merge().is_some()
    }

    /// The octets of the message (RFC 5322); of a mail merge, those of its first recipient.
    ///
    /// Date and Message-ID are made where the message gives none; with both given, the same
    /// message always yields the same octets.
    pub fn render(&self) -> Vec<u8> {
        self.render_with(&Stamp::now())
    }

    /// The message of recipient `number` of a mail merge, from 1; `None` if there are fewer. A message
    /// that is no mail merge is the same for all.
    pub fn render_nth(&self, number: usize) -> Option<Vec<u8>> {
        let stamp = Stamp::now();
        match self.merge() {
            None => Some(self.render_with(&stamp)),
            Some(merge) => {
                let recipient = merge.recipients.get(number.checked_sub(1)?)?;
                Some(self.render_for(recipient, &stamp))
            }
        }
    }

    /// The same, with a stamp at hand.
    pub(crate) fn render_with(&self, stamp: &Stamp) -> Vec<u8> {
        if let Some(first) = self.merge().and_then(|merge| merge.recipients.first()) {
            return self.render_for(first, stamp);
        }
        match &self.content {
            Content::Composed(composed) => {
                let (to, cc) = (self.to.as_slice(), self.cc.as_slice());
                composed.render(Addressees { to, cc }, stamp)
            }
            Content::Raw(raw) => raw.octets().to_vec(),
        }
    }

    /// What PowerMTA is told beside the addresses.
    pub(crate) fn delivery(&self) -> &Delivery<'a> {
        &self.delivery
    }
}
