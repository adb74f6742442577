//! A part of a message, decoded.

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};
use serde::Serialize;

/// How deep parts may lie in each other; what lies deeper is not taken apart.
const DEEPEST: usize = 64;

/// One entity of the tree that a message is (RFC 2046).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Part {
    /// Its place in the order of the text, counted from 0, which is the message itself.
    pub number: usize,
    /// In lower case, such as `text/html`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// The name of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// `attachment` or `inline`, where it says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disposition: Option<String>,
    /// The Content-ID without its angle brackets, which `cid:` URLs name (RFC 2392).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_id: Option<String>,
    /// How many octets the content has.
    pub octets: usize,
    /// The content without its transfer encoding. A multipart has none; of an enclosed message it is the message.
    #[serde(skip)]
    pub content: Vec<u8>,
    /// The content as text where it is not UTF-8.
    #[serde(skip)]
    converted: Option<String>,
    /// The parts of a multipart, and the one part that an enclosed message is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl Part {
    /// Takes a message apart.
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
            // RFC 2046 section 5.1.5 has another where it stands in a digest.
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

    /// The content of a part whose type is `text` as text; `None` for others.
    pub fn text(&self) -> Option<&str> {
        if !self.media_type.starts_with("text/") {
            return None;
        }
        let converted = self.converted.as_deref();
        converted.or_else(|| str::from_utf8(&self.content).ok())
    }

    /// It, and all that lies within it, in the order of the text.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.parts.iter().rev());
            Some(next)
        })
    }
}

/// What stands behind the header section of a part.
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
