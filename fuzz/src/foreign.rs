//! Two parsers that nobody here wrote.

use crate::reading::{ADDRESS_FIELDS, File, Mailbox, Reading, normal_address, normal_text};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{
    Address, Encoding, HeaderValue, MessageParser, MessagePart, MimeHeaders, PartType,
};
use mailparse::{MailAddr, MailHeader, MailHeaderMap, ParsedMail, addrparse_header};

/// A parser by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// <https://crates.io/crates/mail-parser>
    MailParser,
    /// <https://crates.io/crates/mailparse>
    Mailparse,
}

/// Both.
pub const READERS: [Reader; 2] = [Reader::MailParser, Reader::Mailparse];

impl Reader {
    /// What it makes of a message; `None` where it cannot read it.
    pub fn read(self, message: &[u8]) -> Option<Reading> {
        let mut reading = match self {
            Self::MailParser => read_by_mail_parser(message)?,
            Self::Mailparse => read_by_mailparse(message)?,
        };
        reading.names.sort();
        reading.own.sort();
        Some(reading)
    }
}

fn read_by_mail_parser(bytes: &[u8]) -> Option<Reading> {
    let message = MessageParser::default().parse(bytes)?;
    let raw: Vec<_> = message
        .headers_raw()
        .map(|(name, body)| (name.to_ascii_lowercase(), body))
        .collect();
    let unstructured = |body: &str| match MessageStream::new(body.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.into_owned(),
        _ => String::new(),
    };
    let mut reading = Reading {
        names: raw.iter().map(|(name, _)| name.clone()).collect(),
        subject: message.subject().unwrap_or_default().to_owned(),
        own: raw
            .iter()
            .filter(|(name, _)| name.starts_with("x-"))
            .map(|(name, body)| (name.clone(), unstructured(body)))
            .collect(),
        addresses: ADDRESS_FIELDS.map(|name| match message.header(name) {
            Some(HeaderValue::Address(Address::List(list))) => {
                let mailbox = |address: &mail_parser::Addr<'_>| -> Mailbox {
                    let name = address.name.as_deref().unwrap_or_default();
                    (
                        name.to_owned(),
                        normal_address(address.address.as_deref().unwrap_or_default()),
                    )
                };
                list.iter().map(mailbox).collect()
            }
            _ => Vec::new(),
        }),
        ..Reading::default()
    };
    for part in &message.parts {
        let is_body = part.content_disposition().is_none();
        match &part.body {
            PartType::Multipart(_) => {}
            PartType::Text(text)
                if is_body && reading.text.is_empty() && is_type(part, "text", "plain") =>
            {
                reading.text = normal_text(text);
            }
            PartType::Html(html) if is_body && reading.html.is_empty() => {
                reading.html = normal_text(html)
            }
            _ => {
                // It gives text in UTF-8, and a message as a tree.
                let raw = bytes.get(part.offset_body as usize..part.offset_end as usize)?;
                let content = match part.encoding {
                    Encoding::None => None,
                    Encoding::Base64 => base64_decode(raw),
                    Encoding::QuotedPrintable => quoted_printable_decode(raw),
                };
                reading.files.push(File {
                    name: part.attachment_name().map(str::to_owned),
                    content: content.unwrap_or_else(|| raw.to_vec()),
                    is_text: is_text(part),
                });
            }
        }
    }
    Some(reading)
}

fn is_text(part: &MessagePart<'_>) -> bool {
    let kind = part.content_type().map_or("text", |kind| kind.ctype());
    ["text", "message"]
        .iter()
        .any(|text| kind.eq_ignore_ascii_case(text))
}

fn is_type(part: &MessagePart<'_>, kind: &str, subtype: &str) -> bool {
    part.content_type().is_none_or(|found| {
        found.ctype().eq_ignore_ascii_case(kind)
            && found
                .subtype()
                .is_some_and(|found| found.eq_ignore_ascii_case(subtype))
    })
}

fn read_by_mailparse(bytes: &[u8]) -> Option<Reading> {
    let message = mailparse::parse_mail(bytes).ok()?;
    let name = |header: &MailHeader<'_>| header.get_key().to_ascii_lowercase();
    let mut reading = Reading {
        names: message.headers.iter().map(name).collect(),
        subject: message
            .headers
            .get_first_value("Subject")
            .unwrap_or_default(),
        own: message
            .headers
            .iter()
            .filter(|header| name(header).starts_with("x-"))
            .map(|header| (name(header), header.get_value()))
            .collect(),
        addresses: ADDRESS_FIELDS.map(|name| {
            let header = message.headers.get_first_header(name);
            let list = header.and_then(|header| addrparse_header(header).ok());
            list.map_or_else(Vec::new, |list| list.iter().flat_map(mailboxes).collect())
        }),
        ..Reading::default()
    };
    add_parts(&message, &mut reading)?;
    Some(reading)
}

fn mailboxes(address: &MailAddr) -> Vec<Mailbox> {
    let singles = match address {
        MailAddr::Single(single) => std::slice::from_ref(single),
        MailAddr::Group(group) => &group.addrs,
    };
    let mailbox = |single: &mailparse::SingleInfo| {
        (
            single.display_name.clone().unwrap_or_default(),
            normal_address(&single.addr),
        )
    };
    singles.iter().map(mailbox).collect()
}

fn add_parts(part: &ParsedMail<'_>, reading: &mut Reading) -> Option<()> {
    if part.ctype.mimetype.starts_with("multipart/") {
        return part
            .subparts
            .iter()
            .try_for_each(|inner| add_parts(inner, reading));
    }
    let is_body = part
        .headers
        .get_first_header("Content-Disposition")
        .is_none();
    match part.ctype.mimetype.as_str() {
        "text/plain" if is_body && reading.text.is_empty() => {
            reading.text = normal_text(&part.get_body().ok()?)
        }
        "text/html" if is_body && reading.html.is_empty() => {
            reading.html = normal_text(&part.get_body().ok()?)
        }
        _ => {
            let disposition = part.get_content_disposition();
            let name = disposition
                .params
                .get("filename")
                .or_else(|| part.ctype.params.get("name"));
            reading.files.push(File {
                name: name.cloned(),
                content: part.get_body_raw().ok()?,
                is_text: ["text/", "message/"]
                    .iter()
                    .any(|kind| part.ctype.mimetype.starts_with(kind)),
            });
        }
    }
    Some(())
}
