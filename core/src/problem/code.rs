//! The words that name each kind of problem.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// What kind of problem it is. The words are frozen: programs may compare them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code there is, for documentation and tests.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The frozen word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// What it says, in a sentence.
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
    /// A name that no field has.
    UnknownField = "unknown_field",
    /// A field that one object has twice.
    DuplicateField = "duplicate_field",
    /// A value of another JSON type than the field takes.
    WrongType = "wrong_type",
    /// A field that must be there and is not.
    MissingField = "missing_field",
    /// Text with half of a surrogate pair (`\ud800`), which is no character.
    LoneSurrogate = "lone_surrogate",
    /// A control character (CR and LF are the dangerous ones) in a header or an envelope line.
    ControlCharacter = "control_character",
    /// A string that is not a mailbox of RFC 5322 section 3.4.
    InvalidMailbox = "invalid_mailbox",
    /// More mailboxes than the field takes.
    TooManyMailboxes = "too_many_mailboxes",
    /// An addr-spec that RFC 5321 section 4.1.2 does not allow.
    InvalidAddress = "invalid_address",
    /// A domain that is neither a host name, nor an internationalised one (UTS 46), nor an
    /// address literal.
    InvalidDomain = "invalid_domain",
    /// An address over a length limit of RFC 5321 section 4.5.3.1.
    AddressTooLong = "address_too_long",
    /// A message that would go to nobody.
    NoRecipients = "no_recipients",
    /// A date that is not of RFC 3339, or that a Date field cannot say.
    InvalidDate = "invalid_date",
    /// Fields that exclude each other.
    Conflict = "conflict",
    /// A word that is none of those that the field knows.
    InvalidChoice = "invalid_choice",
    /// Content that is not written as it says: no base64, or no message.
    InvalidContent = "invalid_content",
    /// A media type that RFC 2045 section 5.1 does not allow here.
    InvalidContentType = "invalid_content_type",
    /// A content id that HTML could not refer to, or one that two parts have.
    InvalidContentId = "invalid_content_id",
    /// A file name that is empty, too long, or that names a folder.
    InvalidFilename = "invalid_filename",
    /// An iCalendar object or a method that RFC 5545 and RFC 5546 do not know.
    InvalidCalendar = "invalid_calendar",
    /// A name that no header field can have (RFC 5322 section 3.6.8).
    InvalidHeaderName = "invalid_header_name",
    /// A header field whose value is not of its grammar: addresses, URLs, identifiers, tokens.
    InvalidHeaderValue = "invalid_header_value",
    /// A header field that another field of the message makes, or that belongs to PowerMTA or to
    /// those who carry mail.
    ReservedHeader = "reserved_header",
    /// Text that does not fit in a line of 998 bytes.
    TooLong = "too_long",
    /// An address of a list's web page or mailbox that List-Unsubscribe cannot say.
    InvalidUnsubscribe = "invalid_unsubscribe",
    /// An envelope id, job, virtual MTA or DKIM option that PowerMTA would not take.
    InvalidToken = "invalid_token",
    /// Delivery windows that are none.
    InvalidSchedule = "invalid_schedule",
    /// A file that is not there: `part` names a file of a form.
    UnknownPart = "unknown_part",
    /// A file of a form that no attachment takes.
    UnusedPart = "unused_part",
    /// A message identifier that RFC 5322 section 3.6.4 does not allow.
    InvalidMessageId = "invalid_message_id",
    /// A text that the template language does not understand, or that it cannot work out.
    InvalidTemplate = "invalid_template",
    /// A variable that the template asks for and that has neither a value nor a default.
    MissingVariable = "missing_variable",
    /// An address of From, Sender or the envelope's sender in a domain that the submitter may not send from.
    ForbiddenSender = "forbidden_sender",
    /// What another service's dialect has and this library cannot do, or what it was built without.
    Unsupported = "unsupported",
    /// A warning: a placeholder that nothing here puts a value in.
    ForeignPlaceholder = "foreign_placeholder",
    /// A warning: HTML with more than 102 kB, where Gmail cuts a message off.
    LargeHtml = "large_html",
    /// A warning: HTML without text beside it.
    MissingText = "missing_text",
    /// A warning: an image without `alt`.
    MissingAlt = "missing_alt",
    /// A warning: a link without `https://`.
    InsecureLink = "insecure_link",
    /// A warning: an address in HTML that is a script (`javascript:`).
    ScriptLink = "script_link",
    /// A warning: a mail merge with more than 5,000 recipients, who cannot unsubscribe.
    MissingUnsubscribe = "missing_unsubscribe",
}

impl Code {
    /// Whether a recipient of a mail merge that has such a problem may be left out. What is no text of JSON
    /// may be broken elsewhere, too.
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
