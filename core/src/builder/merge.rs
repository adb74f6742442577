//! Mail merges, and templates.

use super::data::Data;
use super::setters::{Fields, mailboxes, template_values, word};
use super::{Mailboxes, MessageBuilder, Recipient, TemplateValue, serialize};
use crate::json::{InvalidRecipients, MergeForm, TemplateLanguage};
use serde::Serialize;
use std::borrow::Cow;

/// Mail merges, and templates.
impl<'a> MessageBuilder<'a> {
    /// One personal message each: a recipient of a mail merge, in place of [`to`](Self::to), [`cc`](Self::cc) and
    /// [`bcc`](Self::bcc).
    #[must_use]
    pub fn recipient(self, recipient: impl Into<Recipient<'a>>) -> Self {
        self.pushing("recipients", Data::Object(recipient.into().0))
    }

    /// Several [recipients](Self::recipient).
    #[must_use]
    pub fn recipients<R: Into<Recipient<'a>>>(
        self,
        recipients: impl IntoIterator<Item = R>,
    ) -> Self {
        let recipients = recipients.into_iter();
        let recipients = recipients.map(|recipient| Data::Object(recipient.into().0));
        self.adding("recipients", Data::List(recipients.collect()))
    }

    mailboxes! {
        /// Who gets a copy of the first recipient's message of a mail merge.
        ///
        /// ```
        /// use pmtaemail::Message;
        ///
        /// let message = Message::builder()
        ///     .from("shop@example.com")
        ///     .recipients(["ann@example.org", "bob@example.org"])
        ///     .seeds("deliverability@example.com")
        ///     .build()?;
        /// assert_eq!(message.addressee_count(), 3);
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        seeds = "seeds",
    }

    /// What becomes of a mail merge with recipients that break rules.
    #[must_use]
    pub fn invalid_recipients(self, what: InvalidRecipients) -> Self {
        self.with("invalidRecipients", word(what))
    }

    /// How texts are read: as they are, unless this is called.
    #[must_use]
    pub fn template(self, language: TemplateLanguage) -> Self {
        self.with("template", word(language))
    }

    template_values! {
        /// A value for the template that all recipients share.
        variable
    }

    /// How a mail merge is written down.
    #[must_use]
    pub fn merge(self, form: MergeForm) -> Self {
        self.with("merge", word(form))
    }
}
