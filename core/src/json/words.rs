//! The words that fields of the message accept.

use super::choice::choice;

choice! {
    /// How urgent the message is.
    ///
    /// ```
    /// use pmtaemail::{Message, Priority};
    ///
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello");
    /// let mail = builder.priority(Priority::High).build()?.render();
    /// assert!(String::from_utf8(mail).unwrap().contains("Importance: high\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    Priority {
        /// Before others.
        High = "high",
        /// As others.
        Normal = "normal",
        /// After others.
        Low = "low",
    }
}

choice! {
    /// How content is encoded in a string.
    Encoding {
        /// RFC 4648 section 4.
        Base64 = "base64",
        /// As it is.
        Utf8 = "utf8",
    }
}

choice! {
    /// How an attachment is shown (RFC 2183).
    DispositionWord {
        /// As a file.
        Attachment = "attachment",
        /// Within the message.
        Inline = "inline",
    }
}

choice! {
    /// The events that are reported (RFC 3461 section 4.1).
    ///
    /// ```
    /// use pmtaemail::{Dsn, Message, Notify};
    ///
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello");
    /// let failures_only = Dsn::default().notify(Notify::Failure);
    /// assert!(builder.dsn(failures_only).build().is_ok());
    /// ```
    NotifyWord {
        /// None; it is alone.
        Never = "never",
        /// It was delivered.
        Success = "success",
        /// It cannot be delivered.
        Failure = "failure",
        /// It is not delivered yet.
        Delay = "delay",
    }
}

choice! {
    /// How much of the message a report returns (RFC 3461 section 4.3).
    ///
    /// ```
    /// use pmtaemail::{Dsn, Message, Return};
    ///
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello");
    /// assert!(builder.dsn(Dsn::default().ret(Return::Headers)).build().is_ok());
    /// ```
    ReturnWord {
        /// All of it.
        Full = "full",
        /// Its header.
        Headers = "headers",
    }
}

choice! {
    /// The template language of the texts.
    ///
    /// ```
    /// use pmtaemail::{Message, Recipient, TemplateLanguage};
    ///
    /// let message = Message::builder()
    ///     .from("shop@example.com")
    ///     .recipient(Recipient::new("ann@example.org").variable("name", "Ann"))
    ///     .text("Hello {{ name }}")
    ///     .template(TemplateLanguage::Merge)
    ///     .build()?;
    /// assert!(message.render().ends_with(b"Hello Ann\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    TemplateLanguage {
        /// Texts are not templates.
        None = "none",
        /// Liquid's placeholders and filters.
        Merge = "merge",
        /// Conditions, loops and filters.
        #[cfg(feature = "jinja")]
        Jinja = "jinja",
        /// SparkPost's conditions and loops.
        SparkPost = "sparkpost",
    }
}

choice! {
    /// How a mail merge is written.
    ///
    /// ```
    /// use pmtaemail::{MergeForm, Message, Recipient, Submission};
    ///
    /// let merge = || {
    ///     let recipients = ["ann@example.org", "bo@example.org"].map(Recipient::new);
    ///     Message::builder().from("shop@example.com").recipients(recipients).text("Hello")
    /// };
    /// assert_eq!(Submission::new(&merge().build()?).files().len(), 1);
    /// assert_eq!(Submission::new(&merge().merge(MergeForm::Expanded).build()?).files().len(), 2);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    MergeForm {
        /// In PowerMTA's merge form, with the text once for many recipients.
        Native = "native",
        /// A file for each recipient.
        Expanded = "expanded",
    }
}

choice! {
    /// What happens to a mail merge if recipients are invalid.
    ///
    /// ```
    /// use pmtaemail::{InvalidRecipients, Message, Recipient};
    ///
    /// let merge = |what| {
    ///     let recipients = ["ann@example.org", "nobody"].map(Recipient::new);
    ///     Message::builder().from("shop@example.com").recipients(recipients).invalid_recipients(what).build()
    /// };
    /// assert!(merge(InvalidRecipients::Refuse).is_err());
    /// assert_eq!(merge(InvalidRecipients::Skip)?.addressee_count(), 1);
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    InvalidRecipients {
        /// Nothing is submitted.
        Refuse = "refuse",
        /// The others get their messages.
        Skip = "skip",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Choice;

    #[test]
    fn words_are_taken_in_any_letter_case_and_named_when_they_are_not() {
        let problems = |priority: &str| {
            let json = format!(
                r#"{{"from": "a@example.com", "to": "b@example.org", "priority": "{priority}"}}"#
            );
            let problems = crate::check(json.as_bytes()).err();
            problems.map(|problems| problems.to_string())
        };
        assert_eq!(problems("high"), None);
        assert_eq!(problems("HiGH"), None);
        let expected = "/priority: invalid_choice: This must be one of `high`, `normal`, `low`.";
        assert_eq!(problems("higher"), Some(expected.to_owned()));
        assert_eq!(Priority::expected(), "one of `high`, `normal`, `low`");
        let words = crate::schema()["$defs"]["Priority"]["enum"].clone();
        assert_eq!(words, serde_json::json!(["high", "normal", "low"]));
    }
}
