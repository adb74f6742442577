//! Messages of the crate lettre as finished messages.
//!
//! That crate encodes what its fields hold, but a line end within an encoded word is one again for who decodes it, and
//! a text that looks like an encoded word is decoded too. So the fields are compared with the values that they were
//! made of. The parts of a message lettre does not show: they are read from what it writes. All other rules are those
//! of any finished message.
//!
//! What nobody can see once it is written: whether a `Content-` field was forged by a value of
//! `HeaderValue::dangerous_new_pre_encoded` in the same part, where there is none of that name otherwise; and what
//! encoded words hold that came in such a value.

use super::data::{Data, Members};
use super::library_rules::{CONTROL, ENCODED_WORD, NO_FIELD};
use super::written_parts::{self, is_of_content};
use crate::address::AddrSpec;
use crate::header::{KnownField, MessageId};
use crate::problem::{Code, Refusal};
use crate::syntax::{FieldForm, fields, has_control_except_tab, header_end, holds_encoded_word};
use lettre::message::header::{self, Header};
use lettre::message::{Mailbox, Mailboxes};
use lettre::{Address, Message};
use std::borrow::Cow;

const SIGNED_BCC: Refusal = Refusal::new(
    Code::InvalidContent,
    "The message has a Bcc and is signed (DKIM-Signature, ARC): taking Bcc out may break the signature; sign it \
     without Bcc.",
);

const MESSAGE_ID: Refusal = Refusal::new(
    Code::InvalidMessageId,
    "A message identifier must be in angle brackets: <left@right>.",
);

/// The message without Bcc, and what is wrong with it.
pub(super) fn written(mail: &Message) -> (Vec<u8>, Vec<Refusal>) {
    const BCC: &str = "Bcc";
    let mut mail = Cow::Borrowed(mail);
    let has_bcc = mail.headers().get_raw(BCC).is_some();
    if has_bcc {
        mail.to_mut().headers_mut().remove_raw(BCC);
    }
    let mut own = mail.headers().to_string();
    if !own.is_ascii() && !is_signed(own.as_bytes()) {
        in_a_labels(&mut mail);
        own = mail.headers().to_string();
    }
    let bytes = mail.formatted();
    let mut refusals = Vec::new();
    let end = header_end(&bytes);
    if end < own.len() {
        refusals.push(NO_FIELD);
    }
    let is_signed = is_signed(&bytes[..end]);
    let mut written = 0;
    let mut seen: Vec<&str> = Vec::new();
    for field in fields(&bytes[..end], FieldForm::Strict) {
        // lettre keeps one of each name.
        let is_second = seen
            .iter()
            .any(|name| name.eq_ignore_ascii_case(field.name));
        seen.push(field.name);
        let is_of_part = written >= own.len();
        written += field.bytes.len();
        match mail.headers().get_raw(field.name) {
            _ if is_second => refusals.push(NO_FIELD),
            None if is_of_part && is_of_content(field.name) => {}
            None => refusals.push(NO_FIELD),
            Some(_) if is_of_part => refusals.push(NO_FIELD),
            Some(value) if has_control_except_tab(value) => refusals.push(CONTROL),
            Some(value) if holds_encoded_word(value) => refusals.push(ENCODED_WORD),
            Some(_) => refusals.extend(message_ids(field.name, &field.body()).err()),
        }
    }
    if has_bcc && is_signed {
        refusals.push(SIGNED_BCC);
    }
    // A message without parts has no field but its own.
    let by_hand = end == own.len();
    written_parts::check(&bytes, is_signed, by_hand, &mut refusals);
    // Of a value that is in many fields once is enough.
    refusals.dedup();
    (bytes, refusals)
}

fn is_signed(header: &[u8]) -> bool {
    fields(header, FieldForm::Strict)
        .any(|field| KnownField::named(field.name).is_some_and(KnownField::signs_header))
}

/// Gives the addresses of the header their domains in A-labels, as the envelope has them.
fn in_a_labels(mail: &mut Cow<'_, Message>) {
    list_in_a_labels::<header::From>(mail);
    list_in_a_labels::<header::ReplyTo>(mail);
    list_in_a_labels::<header::To>(mail);
    list_in_a_labels::<header::Cc>(mail);
    if let Some(sender) = mail.headers().get::<header::Sender>() {
        let mut mailbox = Mailbox::from(sender);
        if becomes_a_labels(&mut mailbox) {
            let sender = header::Sender::from(mailbox);
            mail.to_mut().headers_mut().set(sender);
        }
    }
}

fn list_in_a_labels<H>(mail: &mut Cow<'_, Message>)
where
    H: Header + Into<Mailboxes> + From<Mailboxes>,
{
    let Some(field) = mail.headers().get::<H>() else {
        return;
    };
    let mut mailboxes: Vec<Mailbox> = field.into().into();
    let changed = mailboxes.iter_mut().map(becomes_a_labels);
    if changed.fold(false, |any, one| any | one) {
        let field = H::from(Mailboxes::from(mailboxes));
        mail.to_mut().headers_mut().set(field);
    }
}

/// Whether the domain was in other letters. What is none stays, and is found later.
fn becomes_a_labels(mailbox: &mut Mailbox) -> bool {
    let address = &mailbox.email;
    if address.domain().is_ascii() {
        return false;
    }
    let read = AddrSpec::from_parts(address.user(), address.domain());
    let Some(address) = read
        .ok()
        .and_then(|read| Address::new(address.user(), read.domain()).ok())
    else {
        return false;
    };
    mailbox.email = address;
    true
}

/// lettre writes identifiers as they were given to it.
fn message_ids(name: &str, body: &str) -> Result<(), Refusal> {
    const OF_OTHERS: [&str; 2] = ["In-Reply-To", "References"];
    let is_one = name.eq_ignore_ascii_case("Message-ID");
    if is_one {
        MessageId::parse(&Cow::Borrowed(body))?;
    } else if OF_OTHERS.iter().any(|of| name.eq_ignore_ascii_case(of)) {
        MessageId::parse_list(body)?;
    } else {
        return Ok(());
    }
    let is_bracketed = |word: &str| word.starts_with('<') && word.ends_with('>');
    if body.split_ascii_whitespace().all(is_bracketed) {
        Ok(())
    } else {
        Err(MESSAGE_ID)
    }
}

/// Whom it comes from, and who gets it.
pub(super) fn envelope(mail: &Message) -> Members<'static> {
    let text = |address: &Address| Data::Text(address.to_string().into());
    let envelope = mail.envelope();
    let sender = envelope.from().map_or(Data::Text("<>".into()), text);
    let recipients = envelope.to().iter().map(text).collect();
    Members(vec![
        ("sender".into(), sender),
        ("to".into(), Data::List(recipients)),
    ])
}
