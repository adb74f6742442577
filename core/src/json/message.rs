//! The message as JSON writes it: the one table of its fields.

use super::choice::JsonWord;
use super::content::{JsonAttachment, JsonRaw};
use super::headers::JsonHeaders;
use super::mailbox::{JsonMailbox, JsonMailboxes};
use super::names;
use super::object::object;
use super::objects::{JsonCalendar, JsonDkim, JsonDsn, JsonUnsubscribe, JsonWindow};
use super::plain::JsonTexts;
use super::recipient::JsonRecipient;
use super::row::Section::{Content, Envelope, FinishedContent};
use super::shape::Located;
use super::words::{InvalidRecipients, MergeForm, Priority, TemplateLanguage};
use crate::problem::Location;
use crate::variable::Variable;
use std::borrow::Cow;

object! {
    /// One message.
    JsonMessage, "an object: one message", locations {
        /// Envelope sender address, that of `from` when absent; `"<>"` is the null reverse-path.
        sender("sender"): Cow<'a, str> {
            of: Envelope,
            headers: &["Return-Path", "Errors-To", "X-Sender", "X-Sender-Override"],
            example: "bounces@example.com"
        },
        /// The From mailbox.
        from("from"): JsonMailbox<'a> {
            of: Content, headers: &["From"], example: "Shop <shop@example.com>"
        },
        /// To and envelope.
        to("to"): JsonMailboxes<'a> {
            of: Envelope, headers: &["To", "Apparently-To", "X-Receiver"], example: "ann@example.org"
        },
        /// Cc and envelope.
        cc("cc"): JsonMailboxes<'a> { of: Envelope, headers: &["Cc"], example: "bob@example.org" },
        /// Envelope alone.
        bcc("bcc"): JsonMailboxes<'a> {
            of: Envelope, headers: &["Bcc"], example: "audit@example.com"
        },
        /// Reply-To.
        reply_to("replyTo"): JsonMailboxes<'a> {
            of: Content, headers: &["Reply-To"], example: "desk@example.com"
        },
        /// Subject.
        subject("subject"): Cow<'a, str> {
            of: Content, headers: &["Subject"], example: "Your order"
        },
        /// The text/plain body.
        text("text"): Cow<'a, str> {
            of: Content, content: true, headers: &["MIME-Version"], example: "Thank you."
        },
        /// The text/html body.
        html("html"): Cow<'a, str> {
            of: Content, content: true, example: "<p>Thank you.</p>"
        },
        /// MJML, of which the text/html body is made. In place of `html`.
        mjml("mjml"): Cow<'a, str> {
            of: Content,
            content: true,
            example: "<mjml><mj-body><mj-section><mj-column><mj-text>Thank you.</mj-text></mj-column></mj-section></mj-body></mjml>"
        },
        /// Whether the style sheets of `html` are put into the `style` attributes of what they apply to.
        inline_css("inlineCss"): bool { of: Content },
        /// Whether the text/plain body is made from `html`. In place of `text`.
        text_from_html("textFromHtml"): bool { of: Content },
        /// The text/x-amp-html body.
        amp("amp"): Cow<'a, str> {
            of: Content, content: true, example: "<!doctype html><html ⚡4email></html>"
        },
        /// Files that travel with the message.
        attachments("attachments"): Vec<Located<JsonAttachment<'a>>> { of: Content },
        /// An iCalendar object (RFC 5545) as a text/calendar body.
        calendar("calendar"): JsonCalendar<'a> { of: Content },
        /// Further header fields, in order. One that has a field of its own here is read as that. In a mail
        /// merge, `Cc` is shown and delivers nothing.
        headers("headers"): JsonHeaders<'a> { of: Content },
        /// List-Unsubscribe.
        unsubscribe("unsubscribe"): JsonUnsubscribe<'a> {
            of: Content, headers: &["List-Unsubscribe", "List-Unsubscribe-Post"]
        },
        /// Date, in RFC 3339; the present when absent.
        date("date"): Cow<'a, str> {
            of: Content, headers: &["Date"], format: "date-time", example: "2026-11-23T05:33:54Z"
        },
        /// Message-ID, with or without angle brackets; made when absent.
        message_id("messageId"): Cow<'a, str> {
            of: Content, headers: &["Message-ID"], example: "order-42@example.com"
        },
        /// In-Reply-To: one or several message identifiers.
        in_reply_to("inReplyTo"): JsonTexts<'a> {
            of: Content, headers: &["In-Reply-To"], example: "<order-41@example.com>"
        },
        /// References, oldest first.
        references("references"): JsonTexts<'a> {
            of: Content, headers: &["References"], example: "<order-40@example.com>"
        },
        /// `high`, `normal` or `low`.
        priority("priority"): JsonWord<'a, Priority> {
            of: Content, headers: &["X-Priority", "Importance"]
        },
        /// PowerMTA's envelope id; the receipt's id when absent. Where texts are templates, so is this.
        envid("envid"): Cow<'a, str> { of: Envelope, headers: &["X-Envid"], example: "order-42" },
        /// PowerMTA's job.
        job("job"): Cow<'a, str> { of: Envelope, headers: &["X-Job"], example: "spring" },
        /// The virtual MTA, or pool, to send through.
        vmta("vmta"): Cow<'a, str> { of: Envelope, headers: &["X-Virtual-MTA"], example: "bulk" },
        /// PowerMTA's subaccount id, in a mail merge.
        subaccount_id("subaccountId"): Cow<'a, str> { of: Envelope, example: "shop-7" },
        /// PowerMTA's custom message id, in a mail merge.
        custom_message_id("customMessageId"): Cow<'a, str> { of: Envelope, example: "spring-42" },
        /// Which key signs.
        dkim("dkim"): JsonDkim<'a> { of: Envelope, headers: &["DKIM-Signature", "X-DKIM-Options"] },
        /// When the message may be delivered.
        schedule("schedule"): Vec<Located<JsonWindow<'a>>> {
            of: Envelope, headers: &["X-Schedule"]
        },
        /// Whether each recipient gets a bounce address of its own.
        verp("verp"): bool { of: Envelope },
        /// Delivery status notifications (RFC 3461).
        dsn("dsn"): JsonDsn<'a> { of: Envelope },
        /// A whole RFC 5322 message, sent as it is. Of the other fields only those of the envelope go
        /// with it.
        raw("raw"): JsonRaw<'a> { of: FinishedContent, content: true },
        /// One personal message each: mail merge. In place of `to`, `cc` and `bcc`.
        recipients("recipients"): Vec<Located<JsonRecipient<'a>>> { of: Content, iterable: true },
        /// Values for the template that all recipients share.
        variables("variables"): Vec<Variable<'a>> { of: Content },
        /// How texts are read: `none` (when absent), `merge`, `jinja` or `sparkpost`.
        template("template"): JsonWord<'a, TemplateLanguage> { of: Content },
        /// The form of a merge: `native` (when absent; PowerMTA's own) or `expanded` (a file for each
        /// recipient).
        merge("merge"): JsonWord<'a, MergeForm> { of: Content },
        /// Who gets a copy of the first recipient's message of a merge.
        seeds("seeds"): JsonMailboxes<'a> { of: Content, example: "seed@example.net" },
        /// What becomes of a merge with recipients that break rules: `refuse` (when absent; nothing is
        /// submitted) or `skip` (the others get their messages, and the receipt lists those).
        invalid_recipients("invalidRecipients"): JsonWord<'a, InvalidRecipients> { of: Content },
    }
}

// A new field does not compile without its section.
const _: () = {
    let mut rows = JsonMessage::ROWS;
    while let [row, rest @ ..] = rows {
        assert!(row.section.is_some(), "a field of the message says `of`");
        rows = rest;
    }
};

impl JsonMessage<'_> {
    /// The location of the value of the field of this documented name, which may have been taken out
    /// meanwhile.
    pub fn location_of(&self, name: &str) -> Option<Location> {
        let at = Self::ROWS.iter().position(|row| row.name == name)?;
        self.locations.get(at).copied().flatten()
    }

    /// The locations of the fields that only PowerMTA's merge form can say.
    pub fn merge_form_alone(&self) -> impl Iterator<Item = Location> {
        const FIELDS: [usize; 2] = [
            names::index_of(JsonMessage::ROWS, "subaccountId"),
            names::index_of(JsonMessage::ROWS, "customMessageId"),
        ];
        FIELDS.into_iter().filter_map(|index| self.locations[index])
    }

    /// The locations of the fields that make header and bodies, which a finished message has already.
    pub fn composing(&self) -> impl Iterator<Item = Location> + '_ {
        let rows = Self::ROWS.iter().zip(self.locations);
        rows.filter(|(row, _)| row.section == Some(Content))
            .filter_map(|(_, location)| location)
    }
}

/// The documented names of the fields that may be so long that a language may give their elements one
/// by one: `recipients`. For bindings that have iterables which they must wait for.
///
/// ```
/// assert_eq!(pmtaemail::iterable_fields().collect::<Vec<_>>(), ["recipients"]);
/// ```
pub fn iterable_fields() -> impl Iterator<Item = &'static str> {
    let iterable = JsonMessage::ROWS.iter().filter(|row| row.is_iterable);
    iterable.map(|row| row.name)
}

/// Whether the message's field `name` is true or false.
pub(crate) fn is_boolean(name: &str) -> bool {
    let row = names::find(JsonMessage::ROWS, name).and_then(|at| JsonMessage::ROWS.get(at));
    row.is_some_and(|row| row.is_boolean)
}

/// The documented name of the message's field from which the header field `name` is made. Letter case
/// does not count.
pub(crate) fn field_of_header(name: &str) -> Option<&'static str> {
    let is_it = |own: &&str| own.eq_ignore_ascii_case(name);
    let mut rows = JsonMessage::ROWS.iter();
    rows.find(|row| row.headers.iter().any(is_it))
        .map(|row| row.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::{KnownField, Owner};
    use crate::json::headers::JsonHeaderObject;
    use crate::json::mailbox::JsonMailboxObject;
    use crate::json::recipient::JsonRecipientObject;
    use crate::json::row::Row;
    use serde_json::{Value, json};

    #[test]
    fn who_owns_a_header_field_is_said_alike_by_both_tables() {
        for row in JsonMessage::ROWS {
            for header in row.headers {
                assert_eq!(
                    field_of_header(header),
                    Some(row.name),
                    "{header}: another row"
                );
                let owner = KnownField::named(header).map(|field| field.owner);
                assert!(!matches!(owner, None | Some(Owner::Sender)), "{header}");
            }
        }
        for field in KnownField::all() {
            let is_made = matches!(field.owner, Owner::Message | Owner::Field);
            assert!(
                !is_made || field_of_header(field.name).is_some(),
                "{}",
                field.name
            );
        }
        assert_eq!(field_of_header("x-PRIORITY"), Some("priority"));
        assert_eq!(field_of_header("X-Campaign"), None);
    }

    #[test]
    fn fields_that_are_true_or_false_are_known_by_any_spelling() {
        let all = JsonMessage::ROWS.iter().map(|row| row.name);
        assert_eq!(
            all.filter(|name| is_boolean(name)).collect::<Vec<_>>(),
            ["inlineCss", "textFromHtml", "verp"]
        );
        assert!(is_boolean("VERP") && !is_boolean("") && !is_boolean("job"));
    }

    fn check(name: &str, value: Value) {
        let mut message = json!({"from": "a@example.com"});
        match name {
            "recipients" => {}
            #[cfg(not(feature = "mjml"))]
            "mjml" => return,
            "seeds" | "subaccountId" | "customMessageId" => {
                message["recipients"] = json!(["b@example.org"]);
            }
            _ => message["to"] = "b@example.org".into(),
        }
        message[name] = value;
        let checked = crate::check(message.to_string().as_bytes());
        assert_eq!(checked, Ok(()), "{name}");
    }

    fn examples(rows: &[Row]) -> Value {
        let examples = rows.iter().filter_map(|row| Some((row.name, row.example?)));
        examples.collect()
    }

    #[test]
    fn examples_are_values_of_their_fields() {
        for row in JsonMessage::ROWS {
            if let Some(example) = row.example {
                check(row.name, example.into());
            }
        }
        let mut attachment = examples(JsonAttachment::ROWS);
        // There is no form.
        attachment["part"] = Value::Null;
        let mut calendar = examples(JsonCalendar::ROWS);
        calendar["content"] = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n".into();
        check("attachments", json!([attachment]));
        check("calendar", calendar);
        check("to", examples(JsonMailboxObject::ROWS));
        check("headers", json!([examples(JsonHeaderObject::ROWS)]));
        check("unsubscribe", examples(JsonUnsubscribe::ROWS));
        check("dkim", examples(JsonDkim::ROWS));
        check("schedule", json!([examples(JsonWindow::ROWS)]));
        check("recipients", json!([examples(JsonRecipientObject::ROWS)]));
    }
}
