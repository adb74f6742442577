//! One message for all of its recipients.

use super::composed::{Addressees, Composed};
use super::delivery::Delivery;
use super::raw_message::RawMessage;
use crate::address::{Mailbox, ReversePath};
use crate::envelope::Envelope;
use crate::identity::Identity;
use crate::mime::Rendered;

/// One message for all of its recipients.
#[derive(Debug)]
pub(crate) struct SingleMessage<'a> {
    /// The given sender, or the address of From.
    pub reverse_path: ReversePath<'a>,
    pub to: Vec<Mailbox<'a>>,
    pub cc: Vec<Mailbox<'a>>,
    pub bcc: Vec<Mailbox<'a>>,
    /// What PowerMTA is told besides the addresses.
    pub delivery: Delivery<'a>,
    pub(super) content: Content<'a>,
}

/// Where header and bodies come from.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// From the message's fields.
    Composed(Box<Composed<'a>>),
    /// It is a finished message.
    Raw(RawMessage<'a>),
}

impl SingleMessage<'_> {
    pub fn envelope(&self) -> Envelope<'_> {
        let recipients = self.to.iter().chain(&self.cc).chain(&self.bcc);
        Envelope::new(
            self.reverse_path.address(),
            recipients.map(|mailbox| &mailbox.address),
            self.is_internationalized(),
        )
    }

    /// Whether the header requires SMTPUTF8 (RFC 6531).
    fn is_internationalized(&self) -> bool {
        match &self.content {
            Content::Composed(composed) => composed.is_internationalized(),
            Content::Raw(raw) => raw.is_internationalized,
        }
    }

    /// The Message-ID without angle brackets.
    pub fn message_id(&self, identity: &Identity) -> String {
        match &self.content {
            Content::Composed(composed) => composed.message_id(identity).as_str().to_owned(),
            Content::Raw(raw) => raw.message_id(identity),
        }
    }

    /// The message (RFC 5322).
    pub fn render(&self, identity: &Identity) -> Rendered<'_> {
        match &self.content {
            Content::Composed(composed) => {
                let (to, cc) = (self.to.as_slice(), self.cc.as_slice());
                composed.render(Addressees { to, cc }, identity)
            }
            Content::Raw(raw) => raw.render(identity),
        }
    }
}
