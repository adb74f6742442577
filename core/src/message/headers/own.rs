//! Fields in `headers` that correspond to a field of the message: they are read as that field, by the rules of the
//! header field.
//!
//! ```text
//! headers: {"Reply-To": "Desk <desk@example.com>",      replyTo: "Desk <desk@example.com>"
//!           "X-Priority": "1 (Highest)"}                priority: "high"
//! ```

use crate::address::Mailbox;
use crate::header::{Date, KnownField, MessageId, single_spaced};
use crate::message::header_field::HeaderField;
use crate::message::priority::Urgency;
use crate::message::unsubscribe::{ONE_CLICK, Unsubscribe};
use crate::problem::{Code, Refusal};
use std::borrow::Cow;

/// A header field that corresponds to a field of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OwnHeader {
    Date,
    ReplyTo,
    InReplyTo,
    References,
    Unsubscribe,
    OneClick,
    XPriority,
    Importance,
}

/// The values of such fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnValues<'a> {
    pub date: Option<Date>,
    pub reply_to: Vec<Mailbox<'a>>,
    pub in_reply_to: Vec<MessageId<'a>>,
    pub references: Vec<MessageId<'a>>,
    pub unsubscribe: Option<Unsubscribe<'a>>,
    /// Whether List-Unsubscribe-Post was given.
    pub one_click: bool,
    pub urgency: Urgency,
}

impl OwnHeader {
    /// The name of the header field.
    pub fn name(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::ReplyTo => "Reply-To",
            Self::InReplyTo => "In-Reply-To",
            Self::References => "References",
            Self::Unsubscribe => "List-Unsubscribe",
            Self::OneClick => "List-Unsubscribe-Post",
            Self::XPriority => "X-Priority",
            Self::Importance => "Importance",
        }
    }

    /// Which of them a known field is.
    pub fn of(known: &KnownField) -> Option<Self> {
        Some(match known.name {
            "date" => Self::Date,
            "reply-to" => Self::ReplyTo,
            "in-reply-to" => Self::InReplyTo,
            "references" => Self::References,
            "list-unsubscribe" => Self::Unsubscribe,
            "list-unsubscribe-post" => Self::OneClick,
            "x-priority" => Self::XPriority,
            "importance" => Self::Importance,
            _ => return None,
        })
    }

    /// The field of the header section.
    pub fn field(self) -> HeaderField {
        match self {
            Self::Date => HeaderField::Date,
            Self::ReplyTo => HeaderField::ReplyTo,
            Self::InReplyTo => HeaderField::InReplyTo,
            Self::References => HeaderField::References,
            Self::Unsubscribe => HeaderField::Unsubscribe,
            Self::OneClick => HeaderField::OneClick,
            Self::XPriority | Self::Importance => HeaderField::Priority,
        }
    }
}

impl<'a> OwnValues<'a> {
    /// Reads the body of one of the fields. It contains no control characters except tabs.
    #[expect(
        clippy::ptr_arg,
        reason = "what is read borrows from the text where that is borrowed"
    )]
    pub fn read(&mut self, header: OwnHeader, text: &Cow<'a, str>) -> Result<(), Refusal> {
        match header {
            OwnHeader::Date => self.date = Some(Date::from_rfc5322(text)?),
            OwnHeader::ReplyTo => {
                self.reply_to = Mailbox::parse_list(&single_spaced(text, false)?)?;
            }
            OwnHeader::InReplyTo => self.in_reply_to = MessageId::parse_body(text)?,
            OwnHeader::References => self.references = MessageId::parse_body(text)?,
            OwnHeader::Unsubscribe => self.unsubscribe = Some(Unsubscribe::from_header(text)?),
            OwnHeader::OneClick => {
                if text.trim_matches([' ', '\t']) != ONE_CLICK {
                    let detail =
                        "The value of List-Unsubscribe-Post must be List-Unsubscribe=One-Click.";
                    return Err(Refusal::new(Code::InvalidUnsubscribe, detail));
                }
                self.one_click = true;
            }
            OwnHeader::XPriority => {
                self.urgency = self.urgency.and(Urgency::from_number(text)?)?;
            }
            OwnHeader::Importance => self.urgency = self.urgency.and(Urgency::from_word(text)?)?,
        }
        Ok(())
    }

    /// Whether any of them was given, except those of List-Unsubscribe.
    pub fn says_anything(&self) -> bool {
        self.urgency != Urgency::default() || self.fields().next().is_some()
    }

    /// The fields of the header section that were given, except those of List-Unsubscribe and of the priority.
    pub fn fields(&self) -> impl Iterator<Item = HeaderField> {
        let fields = [
            (HeaderField::Date, self.date.is_some()),
            (HeaderField::ReplyTo, !self.reply_to.is_empty()),
            (HeaderField::InReplyTo, !self.in_reply_to.is_empty()),
            (HeaderField::References, !self.references.is_empty()),
        ];
        fields
            .into_iter()
            .filter_map(|(field, is_given)| is_given.then_some(field))
    }

    /// Takes over the values of others, except List-Unsubscribe.
    pub fn replace_with(&mut self, others: Self) {
        self.date = others.date.or(self.date);
        if others.urgency != Urgency::default() {
            self.urgency = others.urgency;
        }
        for (known, other) in [
            (&mut self.in_reply_to, others.in_reply_to),
            (&mut self.references, others.references),
        ] {
            if !other.is_empty() {
                *known = other;
            }
        }
        if !others.reply_to.is_empty() {
            self.reply_to = others.reply_to;
        }
    }

    /// Whether it contains an address that requires SMTPUTF8.
    pub fn is_internationalized(&self) -> bool {
        let mut mailboxes = self.reply_to.iter();
        mailboxes.any(|mailbox| mailbox.address.is_internationalized())
    }
}
