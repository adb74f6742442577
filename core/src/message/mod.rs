//! What a message means: every rule is checked here, once, and what passed is valid.
//!
//! ```text
//! read                              JSON to a message, single, finished or merge
//! templated  recipients             … with placeholders; the recipients of a merge
//! recipient_headers                 header fields of a single recipient
//! template_reader  read_composed    fields with placeholders; fields that are composed
//! merge  single                     the two kinds of message: envelope, options, rendering
//! allowed_senders                   domains that the submitter may not send from
//! rejected                          recipients of a merge who get nothing
//! selection                         recipients who get it in a test
//! substitution                      values filled into a message
//! templates                         fields with placeholders, filled in for one recipient
//! from_template                     an address in From with placeholders
//! calendar_template                 invitations with placeholders
//! calendar_property                 … and how a value is written there
//! filled_length                     how long a text may become
//! composed                          header section and tree of bodies and files
//! markers                           a message as a template: markers where recipients differ
//! local_recipients                  recipients that may not be addresses: the others get the message
//! missing_fields                    what is added to a finished message (RFC 6409 section 8)
//! local_header                      a header that is not UTF-8, or has too long lines
//! letters                           letters beyond ASCII as encoded words
//! html_help                         bodies made from others
//! joined_fields                     repeated fields
//! headers                           the message's `headers`
//! attachment  calendar  unsubscribe  delivery  raw
//! raw_message                       a finished message, with the fields that are added to it
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

/// A valid message: every rule has been checked.
///
/// It is either one message for all of its recipients, or a mail merge with a personal message for each. Its strings
/// are borrowed from the input unless JSON had to escape them.
///
/// ```
/// use pmtaemail::Message;
///
/// let json = br#"{"from": "shop@example.com", "to": ["ann@example.org", "bo@example.org"], "text": "Hello"}"#;
/// let message = Message::from_json(json)?;
/// assert!(!message.is_merge());
/// assert_eq!(message.addressee_count(), 2);
/// assert!(message.render().ends_with(b"\r\n\r\nHello\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
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

/// What comes with the JSON and affects how it is read.
struct ReadContext<'a> {
    files: FileParts<'a>,
    interruption: Interruption<'a>,
    header_addresses: HeaderAddresses,
    senders: &'a SenderDomains,
    /// What is already known to be wrong with a finished message.
    refusals: Vec<Refusal>,
}

/// The warnings of what a builder was given.
pub(crate) fn warnings_of<'a>(values: impl Deserializer<'a>) -> Vec<Warning> {
    // The deserializer has no errors of its own.
    json::read_from(values).map_or_else(|_| Vec::new(), |reading| warnings(&reading))
}

/// Where the recipients of a mail merge are if they are not in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamedRecipients {
    /// They were taken out of the message's array, which is now empty.
    Array,
    /// They are lines after the message, which has none itself.
    Lines,
    /// They are rows of a separate table; the message has none itself.
    #[cfg(feature = "csv")]
    Table,
}

/// A mail merge whose recipients are read one by one, by [`Merge::read_recipient`].
pub(crate) struct MergeReading<'a> {
    /// `None` only if the report says why. It must not be sent if the report is not empty.
    pub merge: Option<Box<Merge<'a>>>,
    pub report: ProblemReport<'a>,
    /// The location by which the problems of recipients are sorted.
    pub location: Location,
    /// What the message calls the recipients.
    pub name: String,
    /// Those who get nothing, if the message says that invalid recipients are skipped.
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
    /// Parses a JSON message and checks every rule.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let message = Message::from_json(br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#)?;
    /// let problems = Message::from_json(br#"{"from": "shop@example.com", "text": "Hello"}"#).unwrap_err();
    /// assert_eq!(problems.iter().next().unwrap().code().as_str(), "no_recipients");
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong with the message.
    pub fn from_json(bytes: &'a [u8]) -> Result<Self, Problems> {
        Self::from_form(bytes, &[])
    }

    /// Parses a JSON message that came with files, for example as parts of a form (RFC 7578). Attachments refer to them
    /// with `part`; each file must be used.
    ///
    /// ```
    /// use pmtaemail::{FilePart, Message};
    ///
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

    /// Like [`from_form`](Self::from_form), for somebody who may send only from these domains: other addresses in From,
    /// Sender and the envelope sender are problems. See [`SenderDomains`] for an example.
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

    /// Like [`from_json`](Self::from_json); returns `None` if it is interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let has_been_cancelled = || true;
    /// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"}"#;
    /// let message = Message::from_json_unless(json, Interruption::new(&has_been_cancelled))?;
    /// assert!(message.is_none());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
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

    /// Like [`from_json_unless`](Self::from_json_unless); appends the message's [`warnings`](crate::warnings).
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let mut warnings = Vec::new();
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "html": "<p>Hello</p>"}"#;
    /// let message = Message::from_json_with_warnings(json, Interruption::NEVER, &mut warnings)?;
    /// assert!(message.is_some());
    /// assert_eq!(warnings[0].code.as_str(), "missing_text");
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
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

    /// Reads a message from any serde data format that lends its strings, such as a `&serde_json::Value`. Where a field
    /// may contain bytes, bytes are accepted. The format gives [`NotUnicode`](crate::NotUnicode) for a string that is
    /// not valid Unicode.
    ///
    /// The outer error is that of the format.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let value = serde_json::json!({"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"});
    /// let message = Message::from_deserializer(&value)??;
    /// assert_eq!(message.addressee_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_deserializer<D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Result<Self, Problems>, D::Error> {
        let message = Self::from_deserializer_unless(deserializer, Interruption::NEVER)?;
        Ok(message.map(uninterrupted))
    }

    /// Like [`from_deserializer`](Self::from_deserializer); returns `None` if it is interrupted. The deserializer
    /// itself is not interrupted.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let value = serde_json::json!({"from": "a@example.com", "recipients": ["b@example.org"], "text": "Hello"});
    /// let has_been_cancelled = || true;
    /// let message = Message::from_deserializer_unless(&value, Interruption::new(&has_been_cancelled))??;
    /// assert!(message.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Like [`from_deserializer_unless`](Self::from_deserializer_unless); appends the message's
    /// [`warnings`](crate::warnings). It is for input that can be read only once.
    ///
    /// ```
    /// use pmtaemail::{Interruption, Message};
    ///
    /// let json = br#"{"from": "a@example.com", "to": "b@example.org", "subject": "Hello *|FNAME|*"}"#;
    /// let mut input = serde_json::Deserializer::from_slice(json);
    /// let mut warnings = Vec::new();
    /// let message = Message::from_deserializer_with_warnings(&mut input, Interruption::NEVER, &mut warnings)??;
    /// assert!(message.is_some());
    /// assert_eq!(warnings[0].pointer, "/subject");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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

    /// Reads a mail merge whose recipients are read separately, and the files that came with it.
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

    /// Takes a finished message (RFC 5322), which is sent as it is. The fields of the envelope are pairs of name and
    /// value: `sender`, `to`, `cc`, `bcc`, `envid`, `job`, `vmta`, `verp`, `dsn.notify`, `dsn.ret`, `dkim.selector` and
    /// so on. A name may be repeated if the field takes several values. Without recipients, those in the header are
    /// used. Missing Date and Message-ID fields are added; if the message is signed (DKIM-Signature, ARC), a missing
    /// one is a problem.
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

    /// Like [`from_rfc822`](Self::from_rfc822), with a choice of what the addresses in the header mean. See
    /// [`HeaderAddresses`] for an example.
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

    /// Like [`from_rfc822`](Self::from_rfc822), for somebody who may send only from these domains.
    ///
    /// ```
    /// use pmtaemail::{Message, SenderDomains};
    ///
    /// let mail = b"From: ann@example.org\r\nTo: bo@example.org\r\n\r\nHello\r\n";
    /// let domains = SenderDomains::from_iter(["example.com".parse().unwrap()]);
    /// let no_envelope: &[(&str, &str)] = &[];
    /// let problems = Message::from_rfc822_within(mail, no_envelope, &domains).unwrap_err();
    /// assert!(problems.iter().all(|problem| problem.code().as_str() == "forbidden_sender"));
    /// ```
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

    /// Reads the fields of a builder.
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

    /// Reads from a deserializer of this library.
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

    /// The same mail merge for some of its recipients.
    ///
    /// ```
    /// use pmtaemail::{Message, Selection};
    ///
    /// let json = br#"{"from": "a@example.com", "recipients": ["b@example.org", "c@example.org"]}"#;
    /// let second = Selection::Only(2.try_into().unwrap());
    /// let mail = Message::from_json(json)?.select(second)?.render();
    /// assert!(String::from_utf8_lossy(&mail).contains("To: c@example.org"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    ///
    /// # Errors
    /// The selection is empty, or the message is not a mail merge.
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

    /// The recipients of a mail merge who get nothing because they break a rule and the message says `skip`; `None` if
    /// it does not. See [`RejectedRecipients`] for an example.
    pub fn rejected(&self) -> Option<&RejectedRecipients> {
        match &self.kind {
            MessageKind::Single(_) => None,
            MessageKind::Merge(_, recipients) => recipients.rejected(),
        }
    }

    /// Whether this is a mail merge: a personal message for each recipient.
    pub fn is_merge(&self) -> bool {
        matches!(self.kind, MessageKind::Merge(..))
    }

    /// How many recipients get the message, including seeds.
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
    /// Date and Message-ID are generated if the message does not give them. If it gives both, the same message always
    /// yields the same bytes.
    pub fn render(&self) -> Vec<u8> {
        self.render_with(Identity::now())
    }

    /// Renders the message into a buffer of your own, whose size is known before large files are encoded.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
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

    /// Like [`render`](Self::render), with the time and the identifier from which Date and Message-ID are made. See
    /// [`Identity`] for an example.
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

    /// The bytes of the message that one recipient of a mail merge gets; `index` counts from 0. `None` if there are
    /// fewer recipients. A message that is not a mail merge is the same for every index.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let json = br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}",
    ///                 "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}},
    ///                                {"address": "bo@example.org", "variables": {"name": "Bo"}}]}"#;
    /// let message = Message::from_json(json)?;
    /// assert!(message.render_recipient(1).unwrap().ends_with(b"Hello Bo\r\n"));
    /// assert!(message.render_recipient(2).is_none());
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
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
