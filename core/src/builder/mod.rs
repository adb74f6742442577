//! Messages made in Rust, without JSON: the same fields, the same rules, the same problems.
//!
//! ```text
//! recipient   attachment   mailboxes   date_time   options    what a program gives
//! template_value                                              values of any type
//! finished                                                    a message that was made otherwise
//!   of_mail_builder   of_lettre ─ written_parts               … by these crates
//!   library_rules                                             … and what is refused of any of them
//! serialize   written                                         … and of what implements Serialize; as JSON
//! data                                                        what was given, for the one reader of messages
//! ```

mod attachment;
mod data;
mod date_time;
mod finished;
#[cfg(any(feature = "lettre", feature = "mail-builder"))]
mod library_rules;
mod mailboxes;
#[cfg(feature = "lettre")]
mod of_lettre;
#[cfg(feature = "mail-builder")]
mod of_mail_builder;
mod options;
mod recipient;
mod serialize;
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
use crate::json::{Choice, InvalidRecipients, MergeForm, Priority, TemplateLanguage};
use crate::message::{self, HeaderAddresses, Message, Warning};
use crate::problem::{Problems, Refusal};
use data::{Data, Members};
use serde::ser::{Error as _, Serialize, Serializer};
use std::borrow::Cow;

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

/// Setters of texts.
macro_rules! texts {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(self, text: impl Into<Cow<'a, str>>) -> Self {
            self.with($name, Data::Text(text.into()))
        }
    )+};
}

/// Setters of mailboxes, of which several calls give several.
macro_rules! mailboxes {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(mut self, mailboxes: impl Into<Mailboxes<'a>>) -> Self {
            self.members.add($name, mailboxes.into().into_data());
            self
        }
    )+};
}

/// Setters of yes and no.
macro_rules! booleans {
    ($($(#[doc = $doc:literal])* $setter:ident = $name:literal,)+) => {$(
        $(#[doc = $doc])*
        #[must_use]
        pub fn $setter(self, is_so: bool) -> Self {
            self.with($name, Data::Boolean(is_so))
        }
    )+};
}

/// Who sends, and who gets it.
impl<'a> MessageBuilder<'a> {
    /// The From mailbox.
    #[must_use]
    pub fn from(self, mailbox: impl Into<Mailboxes<'a>>) -> Self {
        self.with("from", mailbox.into().into_data())
    }

    mailboxes! {
        /// To, and the envelope.
        to = "to",
        /// Cc, and the envelope.
        cc = "cc",
        /// The envelope alone.
        bcc = "bcc",
        /// Reply-To.
        reply_to = "replyTo",
        /// Who gets a copy of the first recipient's message of a mail merge.
        seeds = "seeds",
    }

    texts! {
        /// The envelope sender, that of [`from`](Self::from) when absent; `"<>"` is the null reverse-path. It is not
        /// the Sender header field.
        sender = "sender",
    }

    /// One personal message each: a recipient of a mail merge, in place of [`to`](Self::to), [`cc`](Self::cc) and
    /// [`bcc`](Self::bcc).
    #[must_use]
    pub fn recipient(mut self, recipient: impl Into<Recipient<'a>>) -> Self {
        let recipient = Data::Object(recipient.into().0);
        self.members.push("recipients", recipient);
        self
    }

    /// Several [recipients](Self::recipient).
    #[must_use]
    pub fn recipients<R: Into<Recipient<'a>>>(
        mut self,
        recipients: impl IntoIterator<Item = R>,
    ) -> Self {
        let recipients = recipients.into_iter();
        let recipients = recipients.map(|recipient| Data::Object(recipient.into().0));
        self.members
            .add("recipients", Data::List(recipients.collect()));
        self
    }

    /// What becomes of a mail merge with recipients that break rules.
    #[must_use]
    pub fn invalid_recipients(self, what: InvalidRecipients) -> Self {
        self.with("invalidRecipients", word(what))
    }
}

/// What is in it.
impl<'a> MessageBuilder<'a> {
    texts! {
        /// Subject.
        subject = "subject",
        /// The text/plain body.
        text = "text",
        /// The text/html body.
        html = "html",
        /// MJML, of which the text/html body is made, in place of [`html`](Self::html). With the feature `mjml`.
        mjml = "mjml",
        /// The text/x-amp-html body.
        amp = "amp",
        /// Message-ID, with or without angle brackets; made when absent.
        message_id = "messageId",
    }

    booleans! {
        /// Whether the style sheets of the HTML are put into `style` attributes. With the feature `inline-css`.
        inline_css = "inlineCss",
        /// Whether the text/plain body is made from the HTML. With the feature `text-from-html`.
        text_from_html = "textFromHtml",
    }

    /// A file that travels with the message.
    #[must_use]
    pub fn attachment(mut self, attachment: Attachment<'a>) -> Self {
        self.members.push("attachments", Data::Object(attachment.0));
        self
    }

    /// Several [attachments](Self::attachment).
    #[must_use]
    pub fn attachments(self, attachments: impl IntoIterator<Item = Attachment<'a>>) -> Self {
        attachments.into_iter().fold(self, Self::attachment)
    }

    /// An iCalendar object as a text/calendar body.
    #[must_use]
    pub fn calendar(self, calendar: Calendar<'a>) -> Self {
        self.with("calendar", Data::Object(calendar.0))
    }

    /// A further header field. One that has a method of its own here is read as that, by the same rules.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.members
            .push("headers", header(name.into(), value.into()));
        self
    }

    /// List-Unsubscribe.
    #[must_use]
    pub fn unsubscribe(self, ways: Unsubscribe<'a>) -> Self {
        self.with("unsubscribe", Data::Object(ways.0))
    }

    /// Date; the present when absent.
    #[must_use]
    pub fn date(self, date: impl Into<DateTime<'a>>) -> Self {
        self.with("date", date.into().into_data())
    }

    /// In-Reply-To: a message identifier, or several with blanks between them.
    #[must_use]
    pub fn in_reply_to(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.members.add("inReplyTo", Data::Text(id.into()));
        self
    }

    /// References: a message identifier, or several with blanks between them, oldest first.
    #[must_use]
    pub fn references(mut self, id: impl Into<Cow<'a, str>>) -> Self {
        self.members.add("references", Data::Text(id.into()));
        self
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.with("priority", word(priority))
    }
}

/// Templates.
impl<'a> MessageBuilder<'a> {
    /// How texts are read: as they are, unless this is called.
    #[must_use]
    pub fn template(self, language: TemplateLanguage) -> Self {
        self.with("template", word(language))
    }

    /// A value for the template that all recipients share.
    #[must_use]
    pub fn variable(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<TemplateValue<'a>>,
    ) -> Self {
        let value = value.into().into_data();
        self.members.insert("variables", name.into(), value);
        self
    }

    /// Values for the template: the fields of a struct, or a map. Their texts are copied.
    #[must_use]
    pub fn variables(mut self, variables: &(impl Serialize + ?Sized)) -> Self {
        self.members.extend("variables", serialize::data(variables));
        self
    }

    /// How a mail merge is written down.
    #[must_use]
    pub fn merge(self, form: MergeForm) -> Self {
        self.with("merge", word(form))
    }
}

/// What PowerMTA is told.
impl<'a> MessageBuilder<'a> {
    texts! {
        /// PowerMTA's envelope id; the receipt's id when absent. Where texts are templates, so is this.
        envid = "envid",
        /// PowerMTA's job.
        job = "job",
        /// The virtual MTA, or pool, to send through.
        vmta = "vmta",
        /// PowerMTA's subaccount id, in a mail merge.
        subaccount_id = "subaccountId",
        /// PowerMTA's custom message id, in a mail merge.
        custom_message_id = "customMessageId",
    }

    booleans! {
        /// Whether each recipient gets a bounce address of its own.
        verp = "verp",
    }

    /// Which key signs.
    #[must_use]
    pub fn dkim(self, dkim: Dkim<'a>) -> Self {
        self.with("dkim", Data::Object(dkim.0))
    }

    /// A time in which the message may be delivered; several calls give several.
    #[must_use]
    pub fn schedule(
        mut self,
        start: impl Into<DateTime<'a>>,
        end: impl Into<DateTime<'a>>,
    ) -> Self {
        let window = vec![
            ("start".into(), start.into().into_data()),
            ("end".into(), end.into().into_data()),
        ];
        self.members.push("schedule", Data::Object(Members(window)));
        self
    }

    /// Delivery status notifications.
    #[must_use]
    pub fn dsn(self, dsn: Dsn) -> Self {
        self.with("dsn", Data::Object(dsn.0))
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

    fn with(mut self, name: &'static str, value: Data<'a>) -> Self {
        self.members.set(name, value);
        self
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

fn word(choice: impl Choice) -> Data<'static> {
    Data::Text(choice.word().into())
}

fn header<'a>(name: Cow<'a, str>, value: Cow<'a, str>) -> Data<'a> {
    let members = vec![
        ("name".into(), Data::Text(name)),
        ("value".into(), Data::Text(value)),
    ];
    Data::Object(Members(members))
}
