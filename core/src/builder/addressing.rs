//! Who sends the message, and who gets it.

use super::data::Data;
use super::setters::{Fields, mailboxes, texts};
use super::{Mailboxes, MessageBuilder};
use std::borrow::Cow;

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
        ///
        /// ```
        /// use pmtaemail::Message;
        ///
        /// let message = Message::builder()
        ///     .from("noreply@example.com")
        ///     .to("ann@example.org")
        ///     .reply_to("Help desk <help@example.com>")
        ///     .build()?;
        /// let mail = String::from_utf8(message.render()).unwrap();
        /// assert!(mail.contains("Reply-To: Help desk <help@example.com>\r\n"));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        reply_to = "replyTo",
    }

    texts! {
        /// The envelope sender, that of [`from`](Self::from) when absent; `"<>"` is the null reverse-path. It is not
        /// the Sender header field.
        sender = "sender",
    }
}
