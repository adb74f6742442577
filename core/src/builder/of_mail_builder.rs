//! Messages of the crate mail-builder as finished messages.
//!
//! That crate checks next to nothing, and once a message is written nobody can tell a field that a caller's text forged
//! from one that was meant. So its values are looked at before they are written, and each field once it is: it must be
//! one. All other rules are those of any finished message.

use super::library_rules::{CHARSET, CONTROL, ENCODED_WORD, NO_FIELD, PARAMETER};
use crate::address::AddrSpec;
use crate::header::{ContentId, MessageId, is_token};
use crate::problem::{Code, Refusal};
use crate::syntax::{
    FieldForm, WrittenField, fields, has_control, has_control_except_tab, holds_encoded_word,
};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::{Header as _, HeaderType};
use mail_builder::mime::{BodyPart, MimePart};
use std::borrow::Cow;

const URL: Refusal = Refusal::new(
    Code::InvalidHeaderValue,
    "A URL in a header field holds a blank, an angle bracket or a control character.",
);

const BOUNDARY: Refusal = Refusal::new(
    Code::InvalidContent,
    "A boundary that was given for the message occurs in its content.",
);

/// A message with the fields that it was given, and none that mail-builder makes of the clock and the host's name:
/// Date and Message-ID are made where the message is submitted. Beside it what is wrong with it.
pub(super) fn written(mut mail: MessageBuilder<'_>) -> (Vec<u8>, Vec<Refusal>) {
    let mut check = Check::default();
    for (name, value) in &mut mail.headers {
        check.value(name, value);
        check.field(name, value);
    }
    let has_version = |(name, _): &(Cow<'_, str>, _)| name.eq_ignore_ascii_case("MIME-Version");
    if !mail.headers.iter().any(has_version) {
        check.bytes.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    let attachments = mail.attachments.iter_mut().flatten();
    let bodies = [&mut mail.body, &mut mail.text_body, &mut mail.html_body];
    check.parts(bodies.into_iter().flatten().chain(attachments).collect());
    let Check {
        mut bytes,
        boundaries,
        mut refusals,
    } = check;
    mail.serialize_body(&mut bytes);
    if boundaries.iter().any(|boundary| boundary.is_hidden(&bytes)) {
        refusals.push(BOUNDARY);
    }
    // Of a value that is in many fields once is enough.
    refusals.dedup();
    (bytes, refusals)
}

/// A boundary that was given by hand.
struct Boundary {
    delimiter: String,
    /// How many lines begin with it where it parts nothing else.
    lines: usize,
}

impl Boundary {
    fn is_hidden(&self, bytes: &[u8]) -> bool {
        let found = memchr::memmem::find_iter(bytes, self.delimiter.as_bytes());
        found.filter(|at| bytes[..*at].ends_with(b"\n")).count() != self.lines
    }
}

#[derive(Default)]
struct Check {
    /// The header section so far.
    bytes: Vec<u8>,
    boundaries: Vec<Boundary>,
    refusals: Vec<Refusal>,
}

impl Check {
    fn parts(&mut self, mut open: Vec<&mut MimePart<'_>>) {
        while let Some(part) = open.pop() {
            let MimePart { headers, contents } = part;
            for (name, value) in &mut *headers {
                self.value(name, value);
                if let HeaderType::ContentType(value) = value {
                    self.content_type(value, contents);
                }
                let length = self.bytes.len();
                self.field(name, value);
                self.bytes.truncate(length);
            }
            if let BodyPart::Multipart(parts) = contents {
                open.extend(parts);
            }
        }
    }

    /// Writes a field, which must be one.
    fn field(&mut self, name: &str, value: &HeaderType<'_>) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b": ");
        value.write_header(&mut self.bytes, name.len() + 2);
        let written = &self.bytes[start..];
        let first = fields(written, FieldForm::Strict).next();
        let is_one =
            |field: &WrittenField<'_>| field.name == name && field.bytes.len() == written.len();
        if !first.as_ref().is_some_and(is_one) {
            self.refusals.push(NO_FIELD);
        }
    }

    fn value(&mut self, name: &str, value: &mut HeaderType<'_>) {
        match value {
            HeaderType::Address(address) => self.addresses(address),
            HeaderType::MessageId(ids) => {
                for id in &ids.id {
                    let read = if name.eq_ignore_ascii_case("Content-ID") {
                        ContentId::parse(id).map(drop)
                    } else {
                        MessageId::parse(id).map(drop)
                    };
                    self.refusals.extend(read.err());
                }
            }
            HeaderType::Text(text) => self.text(&text.text),
            HeaderType::URL(urls) => {
                let is_wrong =
                    |c: char| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>');
                if urls.url.iter().any(|url| url.contains(is_wrong)) {
                    self.refusals.push(URL);
                }
            }
            HeaderType::ContentType(value) => {
                let values = value.attributes.iter().map(|(_, value)| value);
                if values.chain([&value.c_type]).any(|text| has_control(text)) {
                    self.refusals.push(CONTROL);
                }
                if !value.attributes.iter().all(|(name, _)| is_token(name)) {
                    self.refusals.push(PARAMETER);
                }
            }
            // A date is a number, and what is raw is judged once it is written.
            HeaderType::Date(_) | HeaderType::Raw(_) => {}
        }
    }

    fn text(&mut self, text: &str) {
        if has_control_except_tab(text) {
            self.refusals.push(CONTROL);
        } else if holds_encoded_word(text) {
            self.refusals.push(ENCODED_WORD);
        }
    }

    /// Addresses get their domains in A-labels.
    fn addresses(&mut self, address: &mut Address<'_>) {
        let mut open = vec![address];
        while let Some(address) = open.pop() {
            match address {
                Address::Address(mailbox) => {
                    if let Some(name) = &mailbox.name {
                        self.text(name);
                    }
                    match AddrSpec::read(Cow::Borrowed(mailbox.email.trim())) {
                        Ok(address) => mailbox.email = address.into_owned().into(),
                        Err(refusal) => self.refusals.push(refusal),
                    }
                }
                Address::Group(group) => {
                    if let Some(name) = &group.name {
                        self.text(name);
                    }
                    open.extend(&mut group.addresses);
                }
                Address::List(list) => open.extend(list),
            }
        }
    }

    fn content_type(&mut self, content_type: &ContentType<'_>, contents: &BodyPart<'_>) {
        let attributes = &content_type.attributes;
        match contents {
            BodyPart::Text(_) => {
                let is_charset = |name: &str| name.eq_ignore_ascii_case("charset");
                let given = attributes.iter().filter(|(name, _)| is_charset(name));
                let mut given = given.map(|(_, value)| value);
                // The crate takes a type with parameters in its name for one without a charset.
                let has_parameters = content_type.c_type.contains(';');
                let is_utf8 =
                    given.next().is_none_or(|value| is_utf8(value)) && given.next().is_none();
                if has_parameters || !is_utf8 {
                    self.refusals.push(CHARSET);
                }
            }
            BodyPart::Multipart(parts) => {
                let is_boundary = |(name, _): &&(Cow<'_, str>, Cow<'_, str>)| {
                    name.eq_ignore_ascii_case("boundary")
                };
                if let Some((_, boundary)) = attributes.iter().find(is_boundary) {
                    let lines = parts.len() + 1;
                    let delimiter = format!("--{boundary}");
                    self.boundaries.push(Boundary { delimiter, lines });
                }
            }
            BodyPart::Binary(_) => {}
        }
    }
}

fn is_utf8(charset: &str) -> bool {
    let is = |name: &&str| charset.eq_ignore_ascii_case(name);
    ["utf-8", "us-ascii"].iter().any(is)
}
