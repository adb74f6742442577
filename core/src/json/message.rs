//! The message as JSON writes it: the one table of its fields.

use super::object::object;
use super::recipients::{JsonRecipient, JsonVariables};
use super::shape::Located;
use super::values::{
    JsonAttachment, JsonCalendar, JsonDkim, JsonDsn, JsonHeaders, JsonMailbox, JsonMailboxes,
    JsonRaw, JsonTexts, JsonUnsubscribe, JsonWindow,
};
use crate::problem::Location;
use std::borrow::Cow;

object! {
    /// One message.
    JsonMessage, "an object: one message" {
        /// Envelope sender address; `"<>"` is the null reverse-path.
        sender("sender"): Cow<'a, str>,
        /// The From mailbox.
        from("from"): JsonMailbox<'a>,
        /// To and envelope.
        to("to"): JsonMailboxes<'a>,
        /// Cc and envelope.
        cc("cc"): JsonMailboxes<'a>,
        /// Envelope alone.
        bcc("bcc"): JsonMailboxes<'a>,
        /// Reply-To.
        reply_to("replyTo"): JsonMailboxes<'a>,
        /// Subject.
        subject("subject"): Cow<'a, str>,
        /// The text/plain body.
        text("text"): Cow<'a, str>,
        /// The text/html body.
        html("html"): Cow<'a, str>,
        /// The text/x-amp-html body.
        amp("amp"): Cow<'a, str>,
        /// Files that travel with the message.
        attachments("attachments"): Vec<Located<JsonAttachment<'a>>>,
        /// A text/calendar body.
        calendar("calendar"): JsonCalendar<'a>,
        /// Further header fields, in order.
        headers("headers"): JsonHeaders<'a>,
        /// List-Unsubscribe.
        unsubscribe("unsubscribe"): JsonUnsubscribe<'a>,
        /// Date, in RFC 3339.
        date("date"): Cow<'a, str>,
        /// Message-ID, with or without angle brackets.
        message_id("messageId"): Cow<'a, str>,
        /// In-Reply-To: one or several message identifiers.
        in_reply_to("inReplyTo"): JsonTexts<'a>,
        /// References, oldest first.
        references("references"): JsonTexts<'a>,
        /// `high`, `normal` or `low`.
        priority("priority"): Cow<'a, str>,
        /// PowerMTA's envelope id.
        envid("envid"): Cow<'a, str>,
        /// PowerMTA's job.
        job("job"): Cow<'a, str>,
        /// The virtual MTA, or pool, to send through.
        vmta("vmta"): Cow<'a, str>,
        /// Which key signs.
        dkim("dkim"): JsonDkim<'a>,
        /// When the message may be delivered.
        schedule("schedule"): Vec<Located<JsonWindow<'a>>>,
        /// Whether each recipient gets a bounce address of its own.
        verp("verp"): bool,
        /// Delivery status notifications.
        dsn("dsn"): JsonDsn<'a>,
        /// A whole RFC 5322 message, sent as it is.
        raw("raw"): JsonRaw<'a>,
        /// One personal message each: mail merge. In place of `to`, `cc` and `bcc`.
        recipients("recipients"): Vec<Located<JsonRecipient<'a>>>,
        /// Values for the template.
        variables("variables"): JsonVariables<'a>,
        /// How texts are read: `none`, `merge` or `jinja`.
        template("template"): Cow<'a, str>,
        /// The form of a merge: `native` (PowerMTA's own) or `expanded` (a file for each recipient).
        merge("merge"): Cow<'a, str>,
    }
}

impl JsonMessage<'_> {
    /// The locations of the fields that make header and bodies, which a finished message has already.
    pub fn composing(&self) -> impl Iterator<Item = Location> + use<> {
        fn location<T>(field: Option<&Located<T>>) -> Option<Location> {
            field.map(|field| field.location)
        }
        [
            location(self.from.as_ref()),
            location(self.reply_to.as_ref()),
            location(self.subject.as_ref()),
            location(self.text.as_ref()),
            location(self.html.as_ref()),
            location(self.amp.as_ref()),
            location(self.attachments.as_ref()),
            location(self.calendar.as_ref()),
            location(self.headers.as_ref()),
            location(self.unsubscribe.as_ref()),
            location(self.date.as_ref()),
            location(self.message_id.as_ref()),
            location(self.in_reply_to.as_ref()),
            location(self.references.as_ref()),
            location(self.priority.as_ref()),
            location(self.recipients.as_ref()),
            location(self.variables.as_ref()),
            location(self.template.as_ref()),
            location(self.merge.as_ref()),
        ]
        .into_iter()
        .flatten()
    }
}
