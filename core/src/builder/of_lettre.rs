//! Messages of the crate lettre as finished messages.
//!
//! That crate encodes what its fields hold, but a line end within an encoded word is one again for who decodes it, and
//! a text that looks like an encoded word is decoded too. So the fields are compared with the values that they were
//! made of. All other rules are those of any finished message.

use super::data::{Data, Members};
use crate::problem::{Code, Refusal};
use crate::syntax::{FieldForm, fields, has_control_except_tab, header_end, holds_encoded_word};
use lettre::Message;
use std::borrow::Cow;

const CONTROL: Refusal = Refusal::new(
    Code::ControlCharacter,
    "A header field of the message holds a line end or another control character.",
);

const NO_FIELD: Refusal = Refusal::new(
    Code::InvalidContent,
    "A header field of the message would be written as none or as several.",
);

const ENCODED_WORD: Refusal = Refusal::new(
    Code::InvalidHeaderValue,
    "A text in a header field looks like an encoded word (RFC 2047), which readers would decode.",
);

/// The message without Bcc, and what is wrong with it.
pub(super) fn written(mail: &Message) -> (Vec<u8>, Vec<Refusal>) {
    const BCC: &str = "Bcc";
    let mut mail = Cow::Borrowed(mail);
    if mail.headers().get_raw(BCC).is_some() {
        mail.to_mut().headers_mut().remove_raw(BCC);
    }
    let header = mail.headers().to_string();
    let mut refusals = Vec::new();
    if header_end(header.as_bytes()) < header.len() {
        refusals.push(NO_FIELD);
    }
    let mut seen: Vec<&str> = Vec::new();
    for field in fields(header.as_bytes(), FieldForm::Strict) {
        // lettre keeps one of each name.
        let is_second = seen
            .iter()
            .any(|name| name.eq_ignore_ascii_case(field.name));
        seen.push(field.name);
        match mail.headers().get_raw(field.name) {
            Some(_) if is_second => refusals.push(NO_FIELD),
            Some(value) if has_control_except_tab(value) => refusals.push(CONTROL),
            Some(value) if holds_encoded_word(value) => refusals.push(ENCODED_WORD),
            Some(_) => {}
            None => refusals.push(NO_FIELD),
        }
    }
    // Of a value that is in many fields once is enough.
    refusals.dedup();
    (mail.formatted(), refusals)
}

/// Whom it comes from, and who gets it.
pub(super) fn envelope(mail: &Message) -> Members<'static> {
    let text = |address: &lettre::Address| Data::Text(address.to_string().into());
    let envelope = mail.envelope();
    let sender = envelope.from().map_or(Data::Text("<>".into()), text);
    let recipients = envelope.to().iter().map(text).collect();
    Members(vec![
        ("sender".into(), sender),
        ("to".into(), Data::List(recipients)),
    ])
}
