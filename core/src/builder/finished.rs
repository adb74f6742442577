//! Messages that were made otherwise, and are sent as they are after checks.

use super::MessageBuilder;
use super::data::{Data, Members};
#[cfg(feature = "lettre")]
use super::of_lettre;
#[cfg(feature = "mail-builder")]
use super::of_mail_builder;
use super::setters::Fields;
use crate::message::HeaderAddresses;
#[cfg(any(feature = "lettre", feature = "mail-builder"))]
use crate::message::Message;
#[cfg(any(feature = "lettre", feature = "mail-builder"))]
use crate::problem::Problems;
use std::borrow::Cow;

/// What was made otherwise.
impl<'a> MessageBuilder<'a> {
    /// A finished message (RFC 5322), which is sent as it is after checks. Beside it only the fields of the envelope
    /// can be given; without recipients, those of its header are taken.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let mail = b"From: shop@example.com\r\nTo: ann@example.org\r\n\r\nHello\r\n";
    /// let message = Message::builder().raw(mail).sender("bounces@example.com").build()?;
    /// assert!(message.render().ends_with(mail));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn raw(mut self, message: impl Into<Cow<'a, [u8]>>) -> Self {
        self.refusals.clear();
        self.envelope = Members::default();
        let members = vec![
            ("content".into(), Data::Bytes(message.into())),
            // For who reads it as JSON; bytes are what they are.
            ("encoding".into(), Data::Text("base64".into())),
        ];
        self.with("raw", Data::Object(Members(members)))
    }

    /// A message of the crate [mail-builder](mail_builder) as a [finished message](Self::raw), with an envelope of its
    /// own: [`Message::try_from`] takes one as it is. Before it is written its values are checked, as that crate lets
    /// through what would forge header fields.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let mail = mail_builder::MessageBuilder::new()
    ///     .from(("Shop", "shop@example.com"))
    ///     .to("list@example.org")
    ///     .subject("Your order")
    ///     .text_body("Thank you.");
    /// let message = Message::builder()
    ///     .mail_builder(mail)
    ///     .sender("bounces@example.com")
    ///     .to(["ann@example.org", "bob@example.org"])
    ///     .build()?;
    /// assert_eq!(message.addressee_count(), 2);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[cfg(feature = "mail-builder")]
    #[cfg_attr(docsrs, doc(cfg(feature = "mail-builder")))]
    #[must_use]
    pub fn mail_builder(self, mail: mail_builder::MessageBuilder<'_>) -> Self {
        let (bytes, refusals) = of_mail_builder::written(mail);
        Self {
            refusals,
            ..self.raw(bytes)
        }
    }

    /// A message of the crate [lettre](::lettre) as a [finished message](Self::raw). Its envelope is lettre's: a
    /// [`sender`](Self::sender) that is given here is in place of that of lettre, and [`to`](Self::to),
    /// [`cc`](Self::cc) or [`bcc`](Self::bcc) in place of all its recipients, not beside them. Bcc is taken out, whatever
    /// lettre was told.
    ///
    /// lettre lets through what forges header fields, and shows nothing of the parts of a message. So their fields are
    /// read from what it writes. These are problems:
    ///
    /// - a field that another one forged, in the header of the message; the outermost part may add `Content-` fields to
    ///   it, and no others
    /// - a line end, another control character or an encoded word in a file name, a media type or a Content-ID
    /// - a boundary that lettre did not make, as a text may hold it
    /// - a text in UTF-8 whose type names another charset
    /// - a Message-ID, In-Reply-To or References that is none
    /// - LF or CR alone, but in a text in 7bit or 8bit: there LF becomes CRLF, unless something signs it
    /// - Bcc in a message that is signed (DKIM-Signature, ARC)
    ///
    /// Nobody can see in what lettre wrote whether a `Content-` field was forged by a value of
    /// `HeaderValue::dangerous_new_pre_encoded` in the same part: put no foreign text into such a value. A boundary given
    /// by hand that looks like one of lettre's, 40 letters and digits, is taken for one.
    ///
    /// Domains in the header become A-labels (`xn--…`), unless the message is signed: then it is one that only servers
    /// with SMTPUTF8 take where a domain is in other letters.
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let mail = lettre::Message::builder()
    ///     .from("Shop <shop@example.com>".parse()?)
    ///     .to("ann@example.org".parse()?)
    ///     .subject("Your order")
    ///     .body("Thank you.".to_owned())?;
    /// let message = Message::builder().lettre(&mail).sender("bounces@example.com").build()?;
    /// assert_eq!(message.addressee_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// Where lettre does when it writes the message: a multipart has no boundary.
    #[cfg(feature = "lettre")]
    #[cfg_attr(docsrs, doc(cfg(feature = "lettre")))]
    #[must_use]
    pub fn lettre(self, mail: &::lettre::Message) -> Self {
        let (bytes, refusals) = of_lettre::written(mail);
        Self {
            refusals,
            envelope: of_lettre::envelope(mail),
            ..self.raw(bytes)
        }
    }

    /// What the addresses in the header of a [finished message](Self::raw) are for.
    ///
    /// ```
    /// use pmtaemail::{HeaderAddresses, Message};
    ///
    /// let mail = b"From: shop@example.com\r\nBcc: bob@example.org\r\n\r\nHello\r\n";
    /// let builder = Message::builder().raw(mail).to("ann@example.org");
    /// assert!(builder.clone().build().is_err(), "does Bob get it, who is only in Bcc?");
    /// let ignoring = builder.sender("shop@example.com").header_addresses(HeaderAddresses::Ignore);
    /// assert_eq!(ignoring.build()?.addressee_count(), 1);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn header_addresses(mut self, header_addresses: HeaderAddresses) -> Self {
        self.header_addresses = header_addresses;
        self
    }
}

/// The message goes to the addresses of its To, Cc and Bcc, which is taken out, and comes from that of its From.
///
/// ```
/// use pmtaemail::Message;
///
/// let mail = mail_builder::MessageBuilder::new()
///     .from(("Shop", "shop@example.com"))
///     .to("ann@example.org")
///     .bcc("audit@example.com")
///     .subject("Your order")
///     .text_body("Thank you.");
/// let message = Message::try_from(mail)?;
/// assert_eq!(message.addressee_count(), 2);
/// assert!(!String::from_utf8(message.render()).unwrap().contains("audit@example.com"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[cfg(feature = "mail-builder")]
#[cfg_attr(docsrs, doc(cfg(feature = "mail-builder")))]
impl TryFrom<mail_builder::MessageBuilder<'_>> for Message<'static> {
    type Error = Problems;

    fn try_from(mail: mail_builder::MessageBuilder<'_>) -> Result<Self, Problems> {
        Message::builder().mail_builder(mail).build()
    }
}

/// The message goes to the recipients of lettre's envelope, and comes from its sender.
///
/// ```
/// use pmtaemail::Message;
///
/// let mail = lettre::Message::builder()
///     .from("Shop <shop@example.com>".parse()?)
///     .to("ann@example.org".parse()?)
///     .bcc("audit@example.com".parse()?)
///     .subject("Your order")
///     .body("Thank you.".to_owned())?;
/// let message = Message::try_from(&mail)?;
/// assert_eq!(message.addressee_count(), 2);
/// assert!(!String::from_utf8(message.render())?.contains("audit@example.com"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "lettre")]
#[cfg_attr(docsrs, doc(cfg(feature = "lettre")))]
impl TryFrom<&::lettre::Message> for Message<'static> {
    type Error = Problems;

    fn try_from(mail: &::lettre::Message) -> Result<Self, Problems> {
        Message::builder().lettre(mail).build()
    }
}

/// The same as of a reference.
#[cfg(feature = "lettre")]
#[cfg_attr(docsrs, doc(cfg(feature = "lettre")))]
impl TryFrom<::lettre::Message> for Message<'static> {
    type Error = Problems;

    fn try_from(mail: ::lettre::Message) -> Result<Self, Problems> {
        Self::try_from(&mail)
    }
}

/// Gives a message the envelope that came with it, where it has none of its own.
pub(super) fn with_envelope<'a>(mut members: Members<'a>, envelope: Members<'a>) -> Members<'a> {
    let has = |names: &[&str]| {
        let mut given = members.0.iter();
        given.any(|(name, _)| names.contains(&&**name))
    };
    let (has_sender, has_recipients) = (has(&["sender"]), has(&["to", "cc", "bcc", "recipients"]));
    let missing = envelope.0.into_iter().filter(|(name, _)| match &**name {
        "sender" => !has_sender,
        _ => !has_recipients,
    });
    members.0.extend(missing);
    members
}
