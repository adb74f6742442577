//! Recipients of a mail merge.

use super::data::{Data, Members};
use super::serialize;
use super::template_value::TemplateValue;
use super::word;
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

    /// The name to show in To.
    #[must_use]
    pub fn name(self, name: impl Into<Cow<'a, str>>) -> Self {
        self.with("name", Data::Text(name.into()))
    }

    /// A value for the template, which wins over the message's of this name.
    #[must_use]
    pub fn variable(
        mut self,
        name: impl Into<Cow<'a, str>>,
        value: impl Into<TemplateValue<'a>>,
    ) -> Self {
        let value = value.into().into_data();
        self.0.insert("variables", name.into(), value);
        self
    }

    /// Values for the template: the fields of a struct, or a map. Their texts are copied.
    #[must_use]
    pub fn variables(mut self, variables: &(impl Serialize + ?Sized)) -> Self {
        self.0.extend("variables", serialize::data(variables));
        self
    }

    /// The envelope sender; `"<>"` is the null reverse-path.
    #[must_use]
    pub fn sender(self, address: impl Into<Cow<'a, str>>) -> Self {
        self.with("sender", Data::Text(address.into()))
    }

    /// PowerMTA's envelope id; made when absent.
    #[must_use]
    pub fn envid(self, envid: impl Into<Cow<'a, str>>) -> Self {
        self.with("envid", Data::Text(envid.into()))
    }

    /// PowerMTA's job.
    #[must_use]
    pub fn job(self, job: impl Into<Cow<'a, str>>) -> Self {
        self.with("job", Data::Text(job.into()))
    }

    /// The virtual MTA, or pool, to send through.
    #[must_use]
    pub fn vmta(self, vmta: impl Into<Cow<'a, str>>) -> Self {
        self.with("vmta", Data::Text(vmta.into()))
    }

    /// PowerMTA's subaccount id.
    #[must_use]
    pub fn subaccount_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.with("subaccountId", Data::Text(id.into()))
    }

    /// PowerMTA's custom message id.
    #[must_use]
    pub fn custom_message_id(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.with("customMessageId", Data::Text(id.into()))
    }

    /// A header field of this recipient's message. It stands in place of the message's fields of this name, or beside
    /// the message's others.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.0
            .push("headers", super::header(name.into(), value.into()));
        self
    }

    /// How urgent it is, for the header.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.with("priority", word(priority))
    }

    /// PowerMTA's own priority, from 1 to 100.
    #[must_use]
    pub fn delivery_priority(self, priority: u8) -> Self {
        self.with("priority", Data::Unsigned(priority.into()))
    }

    fn with(mut self, name: &'static str, value: Data<'a>) -> Self {
        self.0.set(name, value);
        self
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
