//! A decoded part of a message.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use serde::Serialize;

/// How deeply parts may be nested; deeper ones are not parsed.
const DEEPEST: usize = 64;

/// One entity of a message, which is a tree of them (RFC 2046).
///
/// ```
/// use pmtaemail::outbox::Mail;
///
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello", "html": "<p>Hello</p>"}"#;
/// let mail = Mail::read(&pmtaemail::render(json)?).unwrap();
/// let types: Vec<&str> = mail.root.walk().map(|part| part.media_type.as_str()).collect();
/// assert_eq!(types, ["multipart/alternative", "text/plain", "text/html"]);
/// assert_eq!(mail.part(1).unwrap().text(), Some("Hello"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Part {
    /// Its number in document order. 0 is the message itself.
    pub number: usize,
    /// In lower case, such as `text/html`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// The name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// `attachment` or `inline`, if it is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// The Content-ID without angle brackets, to which `cid:` URLs refer (RFC 2392).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// The size of the content, in bytes.
    pub octets: usize,
    /// The decoded content. Empty for a multipart; for an enclosed message, the message.
    #[serde(skip)]
    pub content: Vec<u8>,
    /// The content as text if it is not UTF-8.
    #[serde(skip)]
    converted: Option<String>,
    /// The parts of a multipart, or the single part that an enclosed message is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl Part {
    /// Parses a message.
    pub(super) fn of(message: &Message<'_>) -> Self {
        Self::new(message, message.root_part(), &mut 0, 0)
    }

    fn new(message: &Message<'_>, part: &MessagePart<'_>, next: &mut usize, depth: usize) -> Self {
        let number = *next;
        *next += 1;
        let mut parts = Vec::new();
        let content = match &part.body {
            PartType::Multipart(numbers) if depth < DEEPEST => {
                let of = |number: &u32| message.parts.get(*number as usize);
                for inner in numbers.iter().filter_map(of) {
                    parts.push(Self::new(message, inner, next, depth + 1));
                }
                Vec::new()
            }
            PartType::Multipart(_) => raw(message, part).to_vec(),
            PartType::Message(inner) => {
                if let Some(root) = inner.parts.first().filter(|_| depth < DEEPEST) {
                    parts.push(Self::new(inner, root, next, depth + 1));
                }
                decoded(message, part)
            }
            _ => decoded(message, part),
        };
        let text = part.text_contents();
        let converted = text
            .filter(|text| text.as_bytes() != content)
            .map(String::from);
        let media_type = match part.content_type() {
            Some(kind) => {
                let subtype = kind.subtype().unwrap_or_default();
                [kind.ctype(), "/", subtype].concat().to_ascii_lowercase()
            }
            // RFC 2046 section 5.1.5 has another where it is in a digest.
            None if matches!(part.body, PartType::Message(_)) => "message/rfc822".to_owned(),
            None => "text/plain".to_owned(),
        };
        let disposition = part.content_disposition();
        Self {
            number,
            media_type,
            filename: part.attachment_name().map(str::to_owned),
            disposition: disposition.map(|kind| kind.ctype().to_ascii_lowercase()),
            content_id: part.content_id().map(str::to_owned),
            octets: content.len(),
            content,
            converted,
            parts,
        }
    }

    /// The content as text if the type is `text/…`; otherwise `None`.
    pub fn text(&self) -> Option<&str> {
        if !self.media_type.starts_with("text/") {
            return None;
        }
        let converted = self.converted.as_deref();
        converted.or_else(|| str::from_utf8(&self.content).ok())
    }

    /// This part and all parts within it, in document order.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.parts.iter().rev());
            Some(next)
        })
    }
}

/// What is after the header section of a part.
fn raw<'m>(message: &'m Message<'_>, part: &MessagePart<'_>) -> &'m [u8] {
    let range = part.offset_body as usize..part.offset_end as usize;
    message.raw_message.get(range).unwrap_or_default()
}

/// That, without its transfer encoding.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> Vec<u8> {
    let raw = raw(message, part);
    let decoded = match part.encoding {
        Encoding::None => None,
        Encoding::Base64 => base64_decode(raw),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
    };
    // What is not encoded as it says is shown as it is.
    decoded.unwrap_or_else(|| raw.to_vec())
}
