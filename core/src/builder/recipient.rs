//! Recipients of a mail merge.

use super::data::{Data, Members};
use super::serialize;
use super::setters::{Fields, template_values, texts, word};
use super::template_value::TemplateValue;
use crate::address::{AddrSpec, InvalidAddress, Mailbox};
use crate::json::Priority;
use serde::Serialize;
use std::borrow::Cow;
use std::str::FromStr;

/// A recipient of a mail merge: an address, and what is this recipient's own.
///
/// ```
/// use pmtaemail::{Message, Recipient, TemplateLanguage};
///
/// let recipients = [("Ann Lee <ann@example.org>", "Ann"), ("bob@example.org", "Bob")];
/// let message = Message::builder()
///     .from("shop@example.com")
///     .recipients(recipients.map(|(to, first)| Recipient::new(to).variable("first", first)))
///     .template(TemplateLanguage::Merge)
///     .subject("{{ first }}, your spring offer")
///     .build()?;
/// assert!(message.is_merge());
/// let mail = String::from_utf8(message.render_recipient(1).unwrap()).unwrap();
/// assert!(mail.contains("To: bob@example.org\r\nSubject: Bob, your spring offer\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient<'a>(pub(super) Members<'a>);

impl<'a> Recipient<'a> {
    /// A recipient by a mailbox: a text in the form of RFC 5322, a [`Mailbox`] or an [`AddrSpec`].
    pub fn new(mailbox: impl Into<Self>) -> Self {
        mailbox.into()
    }

    fn of(name: Option<Cow<'a, str>>, address: Cow<'a, str>) -> Self {
        let mut members = Members(Vec::with_capacity(4));
        members.0.push(("address".into(), Data::Text(address)));
        let recipient = Self(members);
        match name {
            Some(name) => recipient.name(name),
            None => recipient,
        }
    }

    fn of_text(text: Cow<'a, str>) -> Self {
        // What is no mailbox is an address that is refused.
        let mailbox = text.contains('<').then(|| Mailbox::parse(text.clone()));
        match mailbox {
            Some(Ok(mailbox)) => mailbox.into(),
            _ => Self::of(None, text),
        }
    }

    texts! {
        /// The name to show in To.
        name = "name",
        /// The envelope sender; `"<>"` is the null reverse-path.
        sender = "sender",
        /// PowerMTA's envelope id; made when absent.
        envid = "envid",
        /// PowerMTA's job.
        job = "job",
        /// The virtual MTA, or pool, to send through.
        vmta = "vmta",
        /// PowerMTA's subaccount id.
        subaccount_id = "subaccountId",
        /// PowerMTA's custom message id.
        custom_message_id = "customMessageId",
    }

    template_values! {
        /// A value for the template, which wins over the message's of this name.
        variable
    }

    /// A header field of this recipient's message. It stands in place of the message's fields of this name, or beside
    /// the message's others.
    #[must_use]
    pub fn header(self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.pushing_header(name.into(), value.into())
    }

    /// How urgent it is, for the header.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.with("priority", word(priority))
    }

    /// PowerMTA's own priority, from 1 to 100.
    ///
    /// ```
    /// use pmtaemail::{Message, Recipient};
    ///
    /// let first = Recipient::new("ann@example.org").delivery_priority(100);
    /// let last = Recipient::new("bob@example.org").delivery_priority(1);
    /// let builder = Message::builder().from("shop@example.com").recipients([first, last]);
    /// assert!(builder.build().is_ok());
    ///
    /// let beyond = Recipient::new("cy@example.org").delivery_priority(101);
    /// assert!(Message::builder().from("shop@example.com").recipient(beyond).build().is_err());
    /// ```
    #[must_use]
    pub fn delivery_priority(self, priority: u8) -> Self {
        self.with("priority", Data::Unsigned(priority.into()))
    }
}

impl<'a> Fields<'a> for Recipient<'a> {
    fn fields(&mut self) -> &mut Members<'a> {
        &mut self.0
    }
}

/// A mailbox, which is checked at once.
///
/// ```
/// use pmtaemail::Recipient;
///
/// let recipient: Recipient<'_> = "Ann Lee <ann@example.org>".parse()?;
/// assert_eq!(recipient, Recipient::new("ann@example.org").name("Ann Lee"));
/// assert!("ann".parse::<Recipient<'_>>().is_err());
/// # Ok::<(), pmtaemail::InvalidAddress>(())
/// ```
impl FromStr for Recipient<'static> {
    type Err = InvalidAddress;

    fn from_str(mailbox: &str) -> Result<Self, InvalidAddress> {
        Ok(mailbox.parse::<Mailbox<'static>>()?.into())
    }
}

impl<'a> From<&'a str> for Recipient<'a> {
    fn from(mailbox: &'a str) -> Self {
        Self::of_text(mailbox.into())
    }
}

impl<'a> From<&'a String> for Recipient<'a> {
    fn from(mailbox: &'a String) -> Self {
        Self::of_text(mailbox.into())
    }
}

impl From<String> for Recipient<'_> {
    fn from(mailbox: String) -> Self {
        Self::of_text(mailbox.into())
    }
}

impl<'a> From<Cow<'a, str>> for Recipient<'a> {
    fn from(mailbox: Cow<'a, str>) -> Self {
        Self::of_text(mailbox)
    }
}

impl<'a> From<AddrSpec<'a>> for Recipient<'a> {
    fn from(address: AddrSpec<'a>) -> Self {
        Self::of(None, address.into())
    }
}

impl<'a> From<&'a AddrSpec<'_>> for Recipient<'a> {
    fn from(address: &'a AddrSpec<'_>) -> Self {
        Self::of(None, address.into())
    }
}

impl<'a> From<Mailbox<'a>> for Recipient<'a> {
    fn from(mailbox: Mailbox<'a>) -> Self {
        Self::of(mailbox.name, mailbox.address.into())
    }
}

impl<'a> From<&'a Mailbox<'_>> for Recipient<'a> {
    fn from(mailbox: &'a Mailbox<'_>) -> Self {
        let name = mailbox.name().map(Cow::Borrowed);
        Self::of(name, mailbox.address().into())
    }
}
