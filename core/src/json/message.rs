//! The message as JSON writes it: the one table of its fields.

use super::shape::object;
use super::values::JsonMailboxes;
use std::borrow::Cow;

object! {
    /// One message.
    JsonMessage, "an object: one message" {
        /// Envelope sender address; `"<>"` is the null reverse-path.
        sender("sender"): Cow<'a, str>,
        /// The From mailbox.
        from("from"): JsonMailboxes<'a>,
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
        /// Date, in RFC 3339.
        date("date"): Cow<'a, str>,
        /// Message-ID, with or without angle brackets.
        message_id("messageId"): Cow<'a, str>,
    }
}
