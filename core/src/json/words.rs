//! The words that fields of the message may be.

use super::choice::choice;

choice! {
    /// How urgent the sender finds it.
    Priority {
        High = "high",
        Normal = "normal",
        Low = "low",
    }
}

choice! {
    /// How content is written as a text.
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
        Attachment = "attachment",
        Inline = "inline",
    }
}

choice! {
    /// The events that are told of (RFC 3461 section 4.1).
    NotifyWord {
        Never = "never",
        Success = "success",
        Failure = "failure",
        Delay = "delay",
    }
}

choice! {
    /// How much of the message comes back (RFC 3461 section 4.3).
    ReturnWord {
        Full = "full",
        Headers = "headers",
    }
}

choice! {
    /// How the texts of a message are read.
    TemplateLanguage {
        /// As they are.
        None = "none",
        /// With placeholders.
        Merge = "merge",
        /// With conditions, loops and filters.
        #[cfg(feature = "jinja")]
        Jinja = "jinja",
    }
}

choice! {
    /// How a mail merge is written down.
    MergeForm {
        /// In PowerMTA's own form, the text once for many recipients.
        Native = "native",
        /// A file for each recipient.
        Expanded = "expanded",
    }
}
