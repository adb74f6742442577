//! The header section: field bodies in the form of RFC 5322 and RFC 2047, written once, here.
//!
//! The encoded words come from `encodify`, the codec crate of mail-builder; folding and the choice
//! of form are ours, since mail-builder encodes ASCII where folding would do, lets text through
//! that looks like an encoded word, and folds inside quotes.

mod date;
mod field;
mod message_id;
mod phrase;
mod text;

pub(crate) use date::Date;
pub(crate) use message_id::MessageId;

use crate::address::Mailbox;
use field::Field;

/// Writes header fields one after the other.
pub(crate) struct HeaderSection<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> HeaderSection<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out }
    }

    /// An unstructured field (RFC 5322 section 2.2.1). `text` holds no control character but tabs.
    pub fn text(&mut self, name: &str, text: &str) {
        text::write(Field::begin(self.out, name), text);
    }

    /// A mailbox-list (RFC 5322 section 3.4).
    pub fn mailboxes<'m>(
        &mut self,
        name: &str,
        mailboxes: impl IntoIterator<Item = &'m Mailbox<'m>>,
    ) {
        let mut field = Field::begin(self.out, name);
        let mut mailboxes = mailboxes.into_iter().peekable();
        while let Some(mailbox) = mailboxes.next() {
            let comma: &[u8] = if mailboxes.peek().is_some() {
                b","
            } else {
                b""
            };
            let address = mailbox.address.as_str().as_bytes();
            match &mailbox.name {
                None => field.token(&[address, comma]),
                Some(name) => {
                    phrase::write(&mut field, name);
                    field.token(&[b"<", address, b">", comma]);
                }
            }
        }
        field.end();
    }

    /// The Date field.
    pub fn date(&mut self, name: &str, date: &Date) {
        let mut field = Field::begin(self.out, name);
        field.token(&date.to_rfc5322().pieces());
        field.end();
    }

    /// A field of message identifiers (RFC 5322 section 3.6.4).
    pub fn message_ids<'m>(
        &mut self,
        name: &str,
        ids: impl IntoIterator<Item = &'m MessageId<'m>>,
    ) {
        let mut field = Field::begin(self.out, name);
        for id in ids {
            field.token(&[b"<", id.as_str().as_bytes(), b">"]);
        }
        field.end();
    }
}
