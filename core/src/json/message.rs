//! The message as JSON writes it: the one table of its fields.

use super::object::object;
use super::recipients::{JsonRecipient, JsonVariables};
use super::shape::Placed;
use super::values::{
    JsonAttachment, JsonCalendar, JsonDkim, JsonDsn, JsonHeaders, JsonMailbox, JsonMailboxes,
    JsonRaw, JsonTexts, JsonUnsubscribe, JsonWindow,
};
use crate::problem::Place;
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
        attachments("attachments"): Vec<Placed<JsonAttachment<'a>>>,
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
        schedule("schedule"): Vec<Placed<JsonWindow<'a>>>,
        /// Whether each recipient gets a bounce address of its own.
        verp("verp"): bool,
        /// Delivery status notifications.
        dsn("dsn"): JsonDsn<'a>,
        /// A whole RFC 5322 message, sent as it is.
        raw("raw"): JsonRaw<'a>,
        /// One personal message each: mail merge. In place of `to`, `cc` and `bcc`.
        recipients("recipients"): Vec<Placed<JsonRecipient<'a>>>,
        /// Values for the template.
        variables("variables"): JsonVariables<'a>,
        /// How texts are read: `none`, `merge` or `jinja`.
        template("template"): Cow<'a, str>,
        /// The form of a merge: `native` (PowerMTA's own) or `expanded` (a file for each recipient).
        merge("merge"): Cow<'a, str>,
    }
}

impl JsonMessage<'_> {
    /// The places of the fields that make header and bodies, which a finished message has already.
    pub fn composing(&self) -> impl Iterator<Item = Place> + use<> {
        fn place<T>(field: Option<&Placed<T>>) -> Option<Place> {
            field.map(|field| field.place)
        }
        [
            place(self.from.as_ref()),
            place(self.reply_to.as_ref()),
            place(self.subject.as_ref()),
            place(self.text.as_ref()),
            place(self.html.as_ref()),
            place(self.amp.as_ref()),
            place(self.attachments.as_ref()),
            place(self.calendar.as_ref()),
            place(self.headers.as_ref()),
            place(self.unsubscribe.as_ref()),
            place(self.date.as_ref()),
            place(self.message_id.as_ref()),
            place(self.in_reply_to.as_ref()),
            place(self.references.as_ref()),
            place(self.priority.as_ref()),
            place(self.recipients.as_ref()),
            place(self.variables.as_ref()),
            place(self.template.as_ref()),
            place(self.merge.as_ref()),
        ]
        .into_iter()
        .flatten()
    }
}
