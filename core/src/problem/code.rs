//! The codes of problems.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// The kind of a problem. Codes never change their meaning, so programs may compare them.
        ///
        /// ```
        /// use pmtaemail::Code;
        ///
        /// assert_eq!(Code::TooManyMailboxes.as_str(), "too_many_mailboxes");
        /// assert_eq!(Code::DuplicateField.meaning(), "A field is given twice.");
        /// for code in Code::ALL {
        ///     println!("{code}: {}", code.meaning());
        /// }
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// All codes, for documentation and tests.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word that stands for this code in JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What the code means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii_start(),)+
                }
            }
        }
    };
}

codes! {
    /// The input is not one JSON text in UTF-8 (RFC 8259).
    NotJson = "not_json",
    /// There is no field with this name.
    UnknownField = "unknown_field",
    /// A field is given twice.
    DuplicateField = "duplicate_field",
    /// The value has the wrong JSON type.
    WrongType = "wrong_type",
    /// A mandatory field is missing.
    MissingField = "missing_field",
    /// The text contains half of a surrogate pair (`\ud800`), which is not a character.
    LoneSurrogate = "lone_surrogate",
    /// A header or envelope value contains a control character (CR and LF are the dangerous ones).
    ControlCharacter = "control_character",
    /// The string is not a mailbox (RFC 5322 section 3.4).
    InvalidMailbox = "invalid_mailbox",
    /// There are more mailboxes than the field allows.
    TooManyMailboxes = "too_many_mailboxes",
    /// The address is not valid (RFC 5321 section 4.1.2).
    InvalidAddress = "invalid_address",
    /// The domain is not a host name, an internationalized domain name (UTS 46) or an address
    /// literal.
    InvalidDomain = "invalid_domain",
    /// The address exceeds a length limit of RFC 5321 section 4.5.3.1.
    AddressTooLong = "address_too_long",
    /// The message has no recipients.
    NoRecipients = "no_recipients",
    /// The date is not in the format of RFC 3339, or a Date field cannot express it.
    InvalidDate = "invalid_date",
    /// Two fields exclude each other.
    Conflict = "conflict",
    /// The word is not one of those that the field allows.
    InvalidChoice = "invalid_choice",
    /// The content is not what it should be: not base64, or not a message.
    InvalidContent = "invalid_content",
    /// The media type is not valid (RFC 2045 section 5.1), or not allowed here.
    InvalidContentType = "invalid_content_type",
    /// HTML cannot refer to this content ID, or two parts have the same one.
    InvalidContentId = "invalid_content_id",
    /// The file name is empty, too long, or that of a folder.
    InvalidFilename = "invalid_filename",
    /// The iCalendar object or its method is not valid (RFC 5545, RFC 5546).
    InvalidCalendar = "invalid_calendar",
    /// No header field can have this name (RFC 5322 section 3.6.8).
    InvalidHeaderName = "invalid_header_name",
    /// The value does not match the grammar of the header field: addresses, URLs, identifiers, tokens.
    InvalidHeaderValue = "invalid_header_value",
    /// Another field of the message sets this header field, or it is reserved for PowerMTA or other
    /// mail servers.
    ReservedHeader = "reserved_header",
    /// The value exceeds a limit, such as that of a header line, 998 bytes.
    TooLong = "too_long",
    /// List-Unsubscribe cannot express this URL or address.
    InvalidUnsubscribe = "invalid_unsubscribe",
    /// PowerMTA does not accept this envelope ID, job, virtual MTA or DKIM option.
    InvalidToken = "invalid_token",
    /// The delivery windows are not valid.
    InvalidSchedule = "invalid_schedule",
    /// The form has no part of the name in `part`.
    UnknownPart = "unknown_part",
    /// No attachment uses this file of the form.
    UnusedPart = "unused_part",
    /// The message identifier is not valid (RFC 5322 section 3.6.4).
    InvalidMessageId = "invalid_message_id",
    /// The template has a syntax error, or cannot be evaluated.
    InvalidTemplate = "invalid_template",
    /// A variable of the template has neither a value nor a default.
    MissingVariable = "missing_variable",
    /// The access key may not send from the domain of From, Sender or the envelope sender.
    ForbiddenSender = "forbidden_sender",
    /// A feature of another service's API that does not exist here, or that this build does not have.
    Unsupported = "unsupported",
    /// A warning: the text contains another program's placeholder, which nothing will fill in.
    ForeignPlaceholder = "foreign_placeholder",
    /// A warning: the HTML exceeds 102 kB, where Gmail clips messages.
    LargeHtml = "large_html",
    /// A warning: the message has HTML but no text.
    MissingText = "missing_text",
    /// A warning: an image has no `alt`.
    MissingAlt = "missing_alt",
    /// A warning: a link does not use https.
    InsecureLink = "insecure_link",
    /// A warning: an address in the HTML is a script (`javascript:`).
    ScriptLink = "script_link",
    /// A warning: a mail merge has more than 5,000 recipients, and they cannot unsubscribe.
    MissingUnsubscribe = "missing_unsubscribe",
}

impl Code {
    /// Whether a recipient of a mail merge may be left out because of this problem. Invalid JSON text may be
    /// broken elsewhere, too.
    pub(crate) fn may_be_skipped(self) -> bool {
        !matches!(self, Self::NotJson | Self::LoneSurrogate)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
