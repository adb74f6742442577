//! What is in the message.

use super::data::Data;
use super::setters::{Fields, booleans, texts, word};
use super::{Attachment, Calendar, DateTime, MessageBuilder, Unsubscribe};
use crate::json::Priority;
use std::borrow::Cow;

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
        ///
        /// ```
        /// use pmtaemail::Message;
        ///
        /// let mjml = "<mjml><mj-body><mj-section><mj-column>\
        ///                 <mj-text>Spring is here.</mj-text>\
        ///             </mj-column></mj-section></mj-body></mjml>";
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org").mjml(mjml);
        /// # #[cfg(feature = "mjml")] {
        /// let mail = String::from_utf8(builder.build()?.render()).unwrap();
        /// assert!(mail.contains("Content-Type: text/html") && mail.contains("Spring is here."));
        /// # }
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        mjml = "mjml",
        /// The text/x-amp-html body.
        amp = "amp",
        /// Message-ID, with or without angle brackets; made when absent.
        message_id = "messageId",
    }

    booleans! {
        /// Whether the style sheets of the HTML are put into `style` attributes. With the feature `inline-css`.
        ///
        /// ```
        /// # #[cfg(feature = "inline-css")] {
        /// use pmtaemail::Message;
        ///
        /// let html = "<html><head><style>h1 { color: navy }</style></head><body><h1>Sale</h1></body></html>";
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org").html(html);
        /// let mail = builder.inline_css(true).build()?.render();
        /// assert!(String::from_utf8(mail).unwrap().contains(r#"<h1 style=3D"color: navy">Sale</h1>"#));
        /// # }
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        inline_css = "inlineCss",
        /// Whether the text/plain body is made from the HTML. With the feature `text-from-html`.
        ///
        /// ```
        /// # #[cfg(feature = "text-from-html")] {
        /// use pmtaemail::Message;
        ///
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
        /// let builder = builder.html("<ul><li>Tea<li>Milk</ul>").text_from_html(true);
        /// let mail = String::from_utf8(builder.build()?.render()).unwrap();
        /// assert!(mail.contains("\r\n\r\n* Tea\r\n* Milk\r\n"));
        /// # }
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        text_from_html = "textFromHtml",
    }

    /// A file that travels with the message.
    #[must_use]
    pub fn attachment(self, attachment: Attachment<'a>) -> Self {
        self.pushing("attachments", Data::Object(attachment.0))
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
    pub fn header(self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.pushing_header(name.into(), value.into())
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
    ///
    /// An answer also names the messages before the one that it answers, in [References](Self::references):
    ///
    /// ```
    /// use pmtaemail::Message;
    ///
    /// let message = Message::builder()
    ///     .from("help@example.com")
    ///     .to("ann@example.org")
    ///     .in_reply_to("<2@example.org>")
    ///     .references("<1@example.com>")
    ///     .references("<2@example.org>")
    ///     .build()?;
    /// let mail = String::from_utf8(message.render()).unwrap();
    /// assert!(mail.contains("In-Reply-To: <2@example.org>\r\n"));
    /// assert!(mail.contains("References: <1@example.com> <2@example.org>\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn in_reply_to(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.adding("inReplyTo", Data::Text(id.into()))
    }

    /// References: a message identifier, or several with blanks between them, oldest first.
    #[must_use]
    pub fn references(self, id: impl Into<Cow<'a, str>>) -> Self {
        self.adding("references", Data::Text(id.into()))
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.with("priority", word(priority))
    }
}
