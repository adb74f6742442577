//! What a message means: every rule is checked here, once, and what passed is valid.
//!
//! ```text
//! constructors                      what a message is read from
//! rendering                         its bytes
//! merge_reading                     a mail merge whose recipients are read separately
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
mod constructors;
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
mod merge_reading;
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
mod rendering;
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
pub(crate) use constructors::warnings_of;
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
pub(crate) use merge_reading::MergeReading;
pub use missing_fields::{SenderDefaults, add_missing_fields};
pub(crate) use priority::{Urgency, write_number};
pub use raw::HeaderAddresses;
pub(crate) use read::StreamedRecipients;
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

use crate::problem::Problems;

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

impl<'a> Message<'a> {
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
}
