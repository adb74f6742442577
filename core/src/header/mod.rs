//! The header section: field bodies in the form of RFC 5322 and RFC 2047, written once, here.
//!
//! The encoded words come from `encodify`, the codec crate of mail-builder; folding and the choice
//! of form are ours, since mail-builder encodes ASCII where folding would do, lets text through
//! that looks like an encoded word, and folds inside quotes.

mod content_id;
mod date;
mod field;
mod fields;
mod message_id;
mod parameter;
mod phrase;
mod signs;
mod structured;
mod text;
mod url;

pub(crate) use content_id::ContentId;
pub(crate) use date::{Date, local_time};
pub(crate) use field::{
    ENCODED_LINE, LINE, WORD_TOO_LONG, append_encoded_words, has_long_line, words_fit,
};
#[cfg(test)]
pub(crate) use fields::Party;
pub(crate) use fields::{Body, Grammar, KnownField, Occurs, Owner};
pub(crate) use message_id::MessageId;
pub(crate) use parameter::{is_plain_parameter, is_token};
pub(crate) use signs::Signs;
pub(crate) use structured::{StructuredBody, single_spaced};
pub(crate) use text::{folds, needs_encoding};
pub(crate) use url::without_brackets;

use crate::address::Mailbox;
use field::Field;

/// Writes header fields one after the other.
pub(crate) struct HeaderSection<'o> {
    out: &'o mut Vec<u8>,
    signs: Signs,
}

impl<'o> HeaderSection<'o> {
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self {
            out,
            signs: Signs::All,
        }
    }

    /// Writes only these characters as they are, wherever another form can express the others.
    pub fn with_signs(self, signs: Signs) -> Self {
        Self { signs, ..self }
    }

    /// A field of which only the name is written yet, and a marker where its body will be: a number between two NUL,
    /// which nothing else in a message contains. Without a name, the marker stands for complete fields.
    pub fn marker(&mut self, name: Option<&str>, marker: usize) {
        if let Some(name) = name {
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b':');
        }
        push_marker(self.out, marker);
        self.out.extend_from_slice(b"\r\n");
    }

    /// An unstructured field (RFC 5322 section 2.2.1). `text` contains no control characters except tabs.
    pub fn text(&mut self, name: &str, text: &str) {
        let field = Field::begin(self.out, name);
        text::write(field, text, false, self.signs);
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
                    phrase::write(&mut field, name, self.signs);
                    field.token(&[b"<", address, b">", comma]);
                }
            }
        }
        field.end();
    }

    /// Only a display name, the start of a field that continues with an address.
    pub fn display_name(&mut self, name: &str, display_name: &str) {
        let mut field = Field::begin(self.out, name);
        phrase::write(&mut field, display_name, self.signs);
        field.end();
    }

    /// The Date field.
    pub fn date(&mut self, name: &str, date: &Date) {
        let mut field = Field::begin(self.out, name);
        field.token(&date.to_rfc5322().pieces());
        field.end();
    }

    /// A structured field with parameters (RFC 2045 section 5.1). `value` is a token or two.
    pub fn parameters<'p>(
        &mut self,
        name: &str,
        value: &str,
        parameters: impl IntoIterator<Item = (&'p str, &'p str)>,
    ) {
        let mut field = Field::begin(self.out, name);
        field.token(&[value.as_bytes()]);
        for (name, value) in parameters {
            parameter::write(&mut field, name, value, self.signs);
        }
        field.end();
    }

    /// A field of tokens that are known to be valid, folded between them.
    pub fn tokens<'t>(&mut self, name: &str, tokens: impl IntoIterator<Item = &'t str>) {
        let mut field = Field::begin(self.out, name);
        for token in tokens {
            field.token(&[token.as_bytes()]);
        }
        field.end();
    }

    /// The Content-ID field (RFC 2045 section 7).
    pub fn content_id(&mut self, id: &ContentId<'_>) {
        let mut field = Field::begin(self.out, "Content-ID");
        field.token(&[b"<", id.as_str().as_bytes(), b">"]);
        field.end();
    }

    /// An unstructured field of the caller. No word of it is encoded merely because it is long, since it may well be
    /// structured for those who read it.
    pub fn extra(&mut self, name: &str, text: &str) {
        let field = Field::begin(self.out, name);
        text::write(field, text, true, self.signs);
    }

    /// A structured field of the caller.
    pub fn structured(&mut self, name: &str, body: &StructuredBody<'_>) {
        body.write(Field::begin(self.out, name), self.signs);
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

/// Appends a marker.
pub(crate) fn push_marker(out: &mut Vec<u8>, marker: usize) {
    out.push(0);
    out.extend_from_slice(marker.to_string().as_bytes());
    out.push(0);
}
