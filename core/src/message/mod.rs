//! What a message means: every rule is checked here, once, and what passed is right.
//!
//! ```text
//! read                              JSON to a message, single, finished or merge
//! templated  recipients             … with placeholders; the recipients of a merge
//! recipient_headers                 header fields that a recipient has of their own
//! template_reader  read_composed    fields with placeholders; fields that are composed
//! merge  single                     the two kinds of message: envelope, options, rendering
//! allowed_senders                   domains that the submitter may not send from
//! rejected                          recipients of a merge who get nothing
//! selection                         recipients who get it in a test
//! substitution                      values put into a message
//! templates                         fields with placeholders, filled in for one recipient
//! from_template                     From's address with placeholders
//! calendar_template                 invitations with placeholders
//! calendar_property                 … and how a value is written there
//! filled_length                     how long a text may become
//! composed                          header section and tree of bodies and files
//! markers                           a message as a template: markers where recipients differ
//! local_recipients                  recipients that may be no addresses: the others get the message
//! missing_fields                    what a finished message may be given (RFC 6409 section 8)
//! local_header                      a header that is not UTF-8, or has too long lines
//! letters                           letters beyond ASCII as encoded words
//! html_help                         bodies that are made from others
//! joined_fields                     fields that came twice
//! headers                           the message's `headers`
//! attachment  calendar  unsubscribe  delivery  raw
//! raw_message                       a finished message, with the fields that it has to be given
//! header_field  bodies  priority
//! file_parts  parameters  values  warnings
//! ```
//! Each file imports only from the lines below its own, and the types of this one.

mod allowed_senders;
mod attachment;
mod bodies;
mod calendar;
mod calendar_property;
mod calendar_template;
mod composed;
mod delivery;
mod file_parts;
mod filled_length;
mod from_template;
mod header_field;
mod headers;
mod html_help;
mod joined_fields;
mod letters;
mod local_header;
mod local_recipients;
mod mailboxes;
mod markers;
mod merge;
mod missing_fields;
mod parameters;
mod priority;
mod raw;
mod raw_message;
mod read;
mod read_composed;
mod recipient_headers;
mod recipients;
mod rejected;
mod selection;
mod single;
mod substitution;
mod template_reader;
mod templated;
mod templates;
mod unsubscribe;
mod values;
mod warnings;

pub(crate) use bodies::Bodies;
pub(crate) use composed::Composed;
pub(crate) use delivery::{Delivery, Dsn};
pub use file_parts::{FilePart, OwnedFilePart};
pub(crate) use header_field::HeaderField;
#[cfg(test)]
pub(crate) use headers::ExtraHeader;
pub(crate) use headers::{ExtraBody, RecipientHeaders};
pub use local_header::text_of_local_program;
pub use local_recipients::{InvalidRecipient, RecipientList, header_recipients};
pub(crate) use markers::Markers;
pub(crate) use merge::{Merge, Recipient, RecipientPriority, Recipients};
pub use missing_fields::{SenderDefaults, add_missing_fields};
pub(crate) use priority::{Urgency, write_number};
pub use raw::HeaderAddresses;
pub(crate) use recipients::{ALL_REJECTED, NOBODY};
#[cfg(feature = "idempotency")]
pub(crate) use rejected::StoredRejected;
pub use rejected::{RejectedRecipient, RejectedRecipients};
pub use selection::Selection;
pub(crate) use single::SingleMessage;
pub(crate) use templates::Templates;
pub(crate) use unsubscribe::ONE_CLICK;
pub use warnings::Warning;
pub(crate) use warnings::{Audience, warnings, warnings_for};

use crate::address::SenderDomains;
use crate::identity::Identity;
use crate::interruption::{Interruption, uninterrupted};
use crate::json::{self, MessageReading, Unreadable};
use crate::mime::Rendered;
use crate::problem::{Location, ProblemReport, Problems, Refusal};
use file_parts::FileParts;
use serde::Deserializer;
use std::borrow::Cow;

/// A message that may be sent: all rules hold.
///
/// It is either one message for all of its recipients, or a mail merge: one message for each of them.
/// Its texts are borrowed from the input wherever JSON did not have to escape them.
#[derive(Debug)]
pub struct Message<'a> {
    kind: MessageKind<'a>,
}

/// The two kinds of message.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a single message is what nearly all are; a box is one allocation more for each"
)]
pub(crate) enum MessageKind<'a> {
    /// One message for all of its recipients.
    Single(SingleMessage<'a>),
    /// One message for each of its recipients.
    Merge(Box<Merge<'a>>, Recipients<'a>),
}

/// What comes with the JSON and decides how it is understood.
struct ReadContext<'a> {
    files: FileParts<'a>,
    interruption: Interruption<'a>,
    header_addresses: HeaderAddresses,
    senders: &'a SenderDomains,
    /// What is known already to be wrong with a finished message.
    refusals: Vec<Refusal>,
}

/// The [`warnings`] of what a builder was given.
pub(crate) fn warnings_of<'a>(values: impl Deserializer<'a>) -> Vec<Warning> {
    // The deserializer has no errors of its own.
    json::read_from(values).map_or_else(|_| Vec::new(), |reading| warnings(&reading))
}

/// Where the recipients of a mail merge are when they are not in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamedRecipients {
    /// They were taken out of the message's array, which is empty now.
    Array,
    /// They are lines behind the message, which has none of its own.
    Lines,
    /// They are rows of a table beside the message, which has none of its own.
    #[cfg(feature = "csv")]
    Table,
}

/// A mail merge whose recipients are read one by one, by [`Merge::read_recipient`].
pub(crate) struct MergeReading<'a> {
    /// Absent only where the report says why. Not to be sent if the report holds anything.
    pub merge: Option<Box<Merge<'a>>>,
    pub report: ProblemReport<'a>,
    /// What the problems of recipients are sorted by.
    pub location: Location,
    /// What the message calls them.
    pub name: String,
    /// Those who get nothing, where the message says that they are left out.
    pub rejected: Option<RejectedRecipients>,
}

impl<'a> ReadContext<'a> {
    fn new(files: &'a [FilePart<'a>]) -> Self {
        Self {
            files: FileParts::new(files),
            interruption: Interruption::NEVER,
            header_addresses: HeaderAddresses::CompleteEnvelope,
            senders: &SenderDomains::ALL,
            refusals: Vec::new(),
        }
    }
}

impl<'a> Message<'a> {
    /// Reads the bytes of one JSON message and checks every rule.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, Problems> {
        Self::from_form(bytes, &[])
    }

    /// Reads one JSON message and the files that came with it, such as the parts of a form
    /// (RFC 7578). Attachments take them with `part`; each file must be taken.
    ///
    /// ```
    /// use pmtaemail::{FilePart, Message};
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org",
    ///                 "attachments": [{"part": "file1"}]}"#;
    /// let file = FilePart {
    ///     name: "file1",
    ///     filename: Some(Ok("report.pdf")),
    ///     content_type: None,
    ///     content: b"%PDF-1.7",
    /// };
    /// let mail = Message::from_form(json, &[file])?.render();
    /// assert!(String::from_utf8_lossy(&mail).contains("filename=report.pdf"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_form(bytes: &'a [u8], files: &'a [FilePart<'a>]) -> Result<Self, Problems> {
        Self::from_form_within(bytes, files, &SenderDomains::ALL)
    }

    /// Reads as [`from_form`](Self::from_form) does for somebody who may send from these domains alone: other
    /// addresses in From, Sender and the envelope's sender are problems.
    pub fn from_form_within(
        bytes: &'a [u8],
        files: &'a [FilePart<'a>],
        senders: &'a SenderDomains,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            senders,
            ..ReadContext::new(files)
        };
        let message = Self::read_json(bytes, context)?;
        Ok(uninterrupted(message))
    }

    /// Reads as [`from_json`](Self::from_json) does, unless it is interrupted: `None` then.
    pub fn from_json_unless(
        bytes: &'a [u8],
        interruption: Interruption<'a>,
    ) -> Result<Option<Self>, Problems> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        Self::read_json(bytes, context)
    }

    /// Reads as [`from_json_unless`](Self::from_json_unless) does, and appends the message's
    /// [`warnings`](crate::warnings).
    pub fn from_json_with_warnings(
        bytes: &'a [u8],
        interruption: Interruption<'a>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Self>, Problems> {
        let message = Self::from_json_unless(bytes, interruption)?;
        warnings.extend(crate::warnings(bytes));
        Ok(message)
    }

    fn read_json(bytes: &'a [u8], context: ReadContext<'a>) -> Result<Option<Self>, Problems> {
        let interruption = context.interruption;
        match json::read_unless(bytes, interruption) {
            Ok(reading) => Self::from_reading(reading, context),
            Err(_) if interruption.is_wanted() => Ok(None),
            Err(Unreadable::NotJson(problems)) => Err(problems),
            Err(Unreadable::LoneSurrogates(marked)) => {
                let context = ReadContext {
                    interruption: Interruption::NEVER,
                    ..context
                };
                match Message::from_reading(marked.read()?, context) {
                    Err(problems) => Err(problems),
                    // Each of them was a problem, so this is not reached; nothing depends on that.
                    Ok(_) => Err(json::not_json(
                        "The message contains half of a surrogate pair.",
                    )),
                }
            }
        }
    }

    /// Reads a message from any serde data format that lends its strings, such as a
    /// `&serde_json::Value`. Bytes are taken where a field's content may be bytes. For a text
    /// that is not Unicode the format gives [`NotUnicode`](crate::NotUnicode).
    ///
    /// The outer error is the format's own.
    pub fn from_deserializer<D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Result<Self, Problems>, D::Error> {
        let message = Self::from_deserializer_unless(deserializer, Interruption::NEVER)?;
        Ok(message.map(uninterrupted))
    }

    /// Reads as [`from_deserializer`](Self::from_deserializer) does, unless it is interrupted: `None`
    /// then. The deserializer itself is not asked to stop.
    pub fn from_deserializer_unless<D: Deserializer<'a>>(
        deserializer: D,
        interruption: Interruption<'a>,
    ) -> Result<Result<Option<Self>, Problems>, D::Error> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        let reading = json::read_from(deserializer)?;
        Ok(Self::from_reading(reading, context))
    }

    /// Reads as [`from_deserializer_unless`](Self::from_deserializer_unless) does, and appends the message's
    /// [`warnings`](crate::warnings): what can be read only once is.
    pub fn from_deserializer_with_warnings<D: Deserializer<'a>>(
        deserializer: D,
        interruption: Interruption<'a>,
        warnings: &mut Vec<Warning>,
    ) -> Result<Result<Option<Self>, Problems>, D::Error> {
        let context = ReadContext {
            interruption,
            ..ReadContext::new(&[])
        };
        let reading = json::read_from(deserializer)?;
        warnings.extend(self::warnings(&reading));
        Ok(Self::from_reading(reading, context))
    }

    /// Understands a mail merge whose recipients are read by themselves, and the files that came with it.
    pub(crate) fn read_merge(
        reading: MessageReading<'a>,
        recipients: StreamedRecipients,
        files: &'a [FilePart<'a>],
        senders: &'a SenderDomains,
    ) -> MergeReading<'a> {
        const NAME: &str = "recipients";
        let mut report = reading.report;
        let message = reading.value.map(|message| message.value);
        let field = message.as_ref().and_then(|m| m.recipients.as_ref());
        let location = match field {
            Some(field) => field.location,
            None => report.location_of_absent(Location::ROOT, NAME.into()),
        };
        let skips = message
            .as_deref()
            .is_some_and(read::skips_invalid_recipients);
        let merge = message.and_then(|message| {
            read::understand_merge(message, recipients, files, senders, &mut report)
        });
        let rejected = skips.then(|| RejectedRecipients::new(report.pointer(location)));
        MergeReading {
            name: report
                .name(location)
                .expect("a field of the message has a name")
                .to_owned(),
            merge,
            report,
            location,
            rejected,
        }
    }

    fn from_reading(
        reading: MessageReading<'a>,
        context: ReadContext<'a>,
    ) -> Result<Option<Self>, Problems> {
        let mut report = reading.report;
        let interruption = context.interruption;
        let message = reading
            .value
            .and_then(|message| read::understand(message.value, context, &mut report));
        if message.is_none() && interruption.is_wanted() {
            return Ok(None);
        }
        report.finish(message).map(Some)
    }

    /// Reads a finished message (RFC 5322) that is sent as it is, with the envelope fields as
    /// names and values: `sender`, `to`, `cc`, `bcc`, `envid`, `job`, `vmta`, `verp`,
    /// `dsn.notify`, `dsn.ret`, `dkim.selector` and the like. A name may come several times where
    /// the field takes several. Without recipients, those of the header are taken. Date and Message-ID
    /// are made where the header has none; where it is signed (DKIM-Signature, ARC), that is a problem.
    ///
    /// ```
    /// let mail = b"Date: Mon, 23 Nov 2026 05:33:54 +0000\r\nFrom: a@example.com\r\n\r\nHello\r\n";
    /// let envelope = [("to", "b@example.org"), ("to", "c@example.org")];
    /// let message = pmtaemail::Message::from_rfc822(mail, &envelope)?;
    /// let rendered = message.render();
    /// assert!(rendered.starts_with(b"Message-ID: <") && rendered.ends_with(mail));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn from_rfc822<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
    ) -> Result<Self, Problems> {
        Self::from_rfc822_with(bytes, envelope, HeaderAddresses::CompleteEnvelope)
    }

    /// Like [`from_rfc822`](Self::from_rfc822), and says what the addresses in the message's own
    /// header are for.
    pub fn from_rfc822_with<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        header_addresses: HeaderAddresses,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            header_addresses,
            ..ReadContext::new(&[])
        };
        Self::read_rfc822(bytes, envelope, context)
    }

    /// Like [`from_rfc822`](Self::from_rfc822), for somebody who may send from these domains alone.
    pub fn from_rfc822_within<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        senders: &'a SenderDomains,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            senders,
            ..ReadContext::new(&[])
        };
        Self::read_rfc822(bytes, envelope, context)
    }

    fn read_rfc822<S: AsRef<str>>(
        bytes: &'a [u8],
        envelope: &'a [(S, S)],
        context: ReadContext<'a>,
    ) -> Result<Self, Problems> {
        Self::read_values(parameters::deserializer(bytes, envelope), context)
    }

    /// Reads what a builder was given.
    pub(crate) fn from_values<D: Deserializer<'a>>(
        values: D,
        header_addresses: HeaderAddresses,
        senders: &'a SenderDomains,
        refusals: Vec<Refusal>,
    ) -> Result<Self, Problems> {
        let context = ReadContext {
            header_addresses,
            senders,
            refusals,
            ..ReadContext::new(&[])
        };
        Self::read_values(values, context)
    }

    /// Reads a deserializer of this library.
    fn read_values<D: Deserializer<'a>>(
        values: D,
        mut context: ReadContext<'a>,
    ) -> Result<Self, Problems> {
        match json::read_from(values) {
            Ok(mut reading) => {
                let message = reading.value.as_ref();
                let raw = message.and_then(|message| message.value.location_of("raw"));
                for refusal in context.refusals.drain(..) {
                    reading
                        .report
                        .refuse(raw.unwrap_or(Location::ROOT), refusal);
                }
                let message = Self::from_reading(reading, context)?;
                Ok(uninterrupted(message))
            }
            // The deserializer has no errors of its own, and what one says may quote the input.
            Err(_) => Err(json::not_json("The message cannot be read.")),
        }
    }

    /// Which of the two kinds it is, with what that kind can do.
    pub(crate) fn kind(&self) -> &MessageKind<'a> {
        &self.kind
    }

    /// The same mail merge for some of its recipients. An error where nobody is selected, and for a message
    /// that is no mail merge.
    ///
    /// ```
    /// use pmtaemail::{Message, Selection};
    /// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org", "c@example.org"]}"#;
    /// let second = Selection::Only(2.try_into().unwrap());
    /// let mail = Message::from_json(json)?.select(second)?.render();
    /// assert!(String::from_utf8_lossy(&mail).contains("To: c@example.org"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn select(self, selection: Selection) -> Result<Self, Problems> {
        let kind = match (self.kind, selection) {
            (kind, Selection::All) => kind,
            (MessageKind::Single(_), _) => return Err(Selection::of_no_merge()),
            (MessageKind::Merge(merge, recipients), _) => {
                let selected = recipients.select(selection).map_err(Problems::one)?;
                MessageKind::Merge(merge, selected)
            }
        };
        Ok(Self { kind })
    }

    /// Who of a mail merge gets nothing, because they break rules and the message says `skip`; `None` where
    /// it leaves out nobody.
    pub fn rejected(&self) -> Option<&RejectedRecipients> {
        match &self.kind {
            MessageKind::Single(_) => None,
            MessageKind::Merge(_, recipients) => recipients.rejected(),
        }
    }

    /// Whether this is a mail merge, which becomes a message for each of its recipients.
    pub fn is_merge(&self) -> bool {
        matches!(self.kind, MessageKind::Merge(..))
    }

    /// How many recipients get it, and seeds.
    pub fn addressee_count(&self) -> usize {
        match &self.kind {
            MessageKind::Single(message) => message.envelope().forward_paths.len(),
            MessageKind::Merge(merge, recipients) => {
                recipients.as_slice().len() + merge.seeds.len()
            }
        }
    }

    /// The bytes of the message (RFC 5322); of a mail merge, those of its first recipient.
    ///
    /// Date and Message-ID are made where the message gives none; with both given, the same
    /// message always yields the same bytes.
    pub fn render(&self) -> Vec<u8> {
        self.render_with(Identity::now())
    }

    /// Renders as [`render`](Self::render) does, for who has memory of their own to write the message to:
    /// its size is known before its large files are encoded.
    ///
    /// ```
    /// use pmtaemail::Message;
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "text": "Hello"}"#;
    /// let mail = Message::from_json(json)?.with_rendered(|rendered| {
    ///     let mut memory = vec![0; rendered.size()];
    ///     rendered.write_to(&mut memory);
    ///     memory
    /// });
    /// assert!(mail.ends_with(b"\r\n\r\nHello\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn with_rendered<T>(&self, then: impl FnOnce(Rendered<'_>) -> T) -> T {
        then(self.rendered(&Identity::now()))
    }

    /// The same, with the time and the identifier that Date and Message-ID are made of.
    pub fn render_with(&self, identity: Identity) -> Vec<u8> {
        self.rendered(&identity).into_vec()
    }

    fn rendered(&self, identity: &Identity) -> Rendered<'_> {
        match &self.kind {
            MessageKind::Single(message) => message.render(identity),
            MessageKind::Merge(merge, recipients) => {
                let bytes = merge.render_for(recipients.first(), identity);
                Cow::<[u8]>::Owned(bytes).into()
            }
        }
    }

    /// The bytes of the message that the recipient of a mail merge gets who has this index, counted
    /// from 0; `None` if there are fewer. A message that is no mail merge is the same for all.
    pub fn render_recipient(&self, index: usize) -> Option<Vec<u8>> {
        let identity = Identity::now();
        match &self.kind {
            MessageKind::Single(message) => Some(message.render(&identity).into_vec()),
            MessageKind::Merge(merge, recipients) => {
                let recipient = recipients.as_slice().get(index)?;
                Some(merge.render_for(recipient, &identity))
            }
        }
    }
}
