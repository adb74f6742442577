//! Messages made in Rust, without JSON: the same fields, the same rules, the same problems.
//!
//! ```text
//! addressing   content   merge   delivery                     setters of the message
//! recipient   attachment   mailboxes   date_time   options    what a program gives to them
//! template_value                                              values of any type
//! finished                                                    a message that was made otherwise
//!   of_mail_builder   of_lettre ─ written_parts               … by these crates
//!   library_rules                                             … and what is refused of any of them
//! setters                                                     setters that several builders have
//! serialize   written                                         … and of what implements Serialize; as JSON
//! data                                                        what was given, for the one reader of messages
//! ```

mod addressing;
mod attachment;
mod content;
mod data;
mod date_time;
mod delivery;
mod finished;
#[cfg(any(feature = "lettre", feature = "mail-builder"))]
mod library_rules;
mod mailboxes;
mod merge;
#[cfg(feature = "lettre")]
mod of_lettre;
#[cfg(feature = "mail-builder")]
mod of_mail_builder;
mod options;
mod recipient;
mod serialize;
mod setters;
mod template_value;
#[cfg(test)]
mod tests;
mod written;
#[cfg(feature = "lettre")]
mod written_parts;

pub use attachment::Attachment;
pub use date_time::DateTime;
pub use mailboxes::Mailboxes;
pub use options::{Calendar, Dkim, Dsn, Unsubscribe};
pub use recipient::Recipient;
pub use template_value::TemplateValue;

use crate::address::SenderDomains;
use crate::message::{self, HeaderAddresses, Message, Warning};
use crate::problem::{Problems, Refusal};
use data::{Data, Members};
use serde::ser::{Error as _, Serialize, Serializer};
use setters::Fields;

/// A message that is being put together: [`Message::builder`].
///
/// There is a method for each field of the JSON message, of the same name. What takes one value keeps the last, what
/// takes several collects them. Nothing is checked before [`build`](Self::build), which finds all problems at once;
/// their pointers are those of the JSON message, in which a field that was given once is a value (`/to`), and one that
/// was given several times an array (`/to/0`).
///
/// Texts and bytes are borrowed where they are lent. A message of owned values is a `Message<'static>`.
///
/// ```
/// use pmtaemail::{Attachment, Message};
///
/// let message = Message::builder()
///     .from("Shop <shop@example.com>")
///     .to("ann@example.org")
///     .to(("Lee, Bob", "bob@example.org"))
///     .subject("Your order")
///     .text("Thank you.")
///     .attachment(Attachment::new("invoice.pdf", b"%PDF-1.7"))
///     .header("X-Campaign", "spring")
///     .build()?;
/// let mail = String::from_utf8(message.render()).unwrap();
/// assert!(mail.contains("To: ann@example.org, \"Lee, Bob\" <bob@example.org>\r\n"));
///
/// let builder = Message::builder().from("shop@example.com").to("ann").subject("a\r\nBcc: b@c.d");
/// let problems = builder.build().unwrap_err();
/// let pointers: Vec<_> = problems.iter().map(|problem| problem.pointer()).collect();
/// assert_eq!(pointers, ["/to", "/subject"]);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
///
/// It serializes to the JSON message, for a daemon or a queue:
///
/// ```
/// let builder = pmtaemail::Message::builder().from("a@example.com").to("b@example.org").verp(true);
/// let json = serde_json::to_string(&builder)?;
/// assert_eq!(json, r#"{"from":"a@example.com","to":"b@example.org","verp":true}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageBuilder<'a> {
    members: Members<'a>,
    header_addresses: HeaderAddresses,
    /// What is wrong with the finished message that can be seen no longer.
    refusals: Vec<Refusal>,
    /// The envelope that came with the finished message, for where none is given.
    envelope: Members<'a>,
}

impl<'a> Message<'a> {
    /// A message without fields yet.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
    /// let mail = builder.text("Hello").build()?.render();
    /// assert!(mail.ends_with(b"\r\n\r\nHello\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn builder() -> MessageBuilder<'a> {
        MessageBuilder::default()
    }
}

impl Default for MessageBuilder<'_> {
    fn default() -> Self {
        Self {
            members: Members::default(),
            header_addresses: HeaderAddresses::CompleteEnvelope,
            refusals: Vec::new(),
            envelope: Members::default(),
        }
    }
}

impl<'a> Fields<'a> for MessageBuilder<'a> {
    fn fields(&mut self) -> &mut Members<'a> {
        &mut self.members
    }
}

/// The message.
impl<'a> MessageBuilder<'a> {
    /// Checks every rule.
    ///
    /// # Errors
    /// All that is wrong with the message.
    pub fn build(self) -> Result<Message<'a>, Problems> {
        self.build_within(&SenderDomains::ALL)
    }

    /// Checks every rule for somebody who may send from these domains alone.
    ///
    /// # Errors
    /// All that is wrong with the message, other addresses in From, Sender and the envelope's sender among it.
    pub fn build_within(self, senders: &'a SenderDomains) -> Result<Message<'a>, Problems> {
        let members = finished::with_envelope(self.members, self.envelope);
        let data = Data::Object(members);
        Message::from_values(data, self.header_addresses, senders, self.refusals)
    }

    /// What breaks no rule and may yet not be meant; see [`warnings`](crate::warnings).
    ///
    /// ```
    /// let builder = pmtaemail::Message::builder().from("a@example.com").to("b@example.org");
    /// assert_eq!(builder.subject("Hello *|FNAME|*").warnings()[0].pointer, "/subject");
    /// ```
    pub fn warnings(&self) -> Vec<Warning> {
        message::warnings_of(Data::Object(self.lend()))
    }

    /// All that is known of the message.
    fn lend(&self) -> Members<'_> {
        finished::with_envelope(self.members.lend(), self.envelope.lend())
    }
}

impl Serialize for MessageBuilder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.refusals.as_slice() {
            [] => self.lend().serialize(serializer),
            // It would look right.
            [refusal, ..] => Err(S::Error::custom(refusal)),
        }
    }
}
