//! What must be known about an entity of a finished message to encode it, or its parts.

use super::{HEADER, UNREADABLE, can_be_sent};
use crate::header::KnownField;
use crate::problem::Refusal;
use crate::syntax::{
    Cursor, FieldForm, LineEnds, WrittenField, fields, header_end, lines, next_parameter,
};

const ENCODING: &str = "content-transfer-encoding";

/// A message or a part of one.
pub(super) struct Entity<'m> {
    pub fields: Vec<WrittenField<'m>>,
    pub body: &'m [u8],
    pub kind: Kind,
    pub encoding: Encoding,
}

/// The kind of body of an entity.
pub(super) enum Kind {
    Multipart(Inner),
    /// A signed or encrypted multipart (RFC 1847).
    Sealed,
    /// A message/rfc822 or message/global: its parts may be encoded, but not the message itself (RFC 2046 section
    /// 5.2.1).
    Message,
    /// Another message type, which has no transfer encoding (RFC 2045 section 6.4).
    Unencoded,
    Leaf,
}

/// The parts of a multipart.
pub(super) struct Inner {
    pub boundary: String,
    /// Parts are messages unless they say otherwise (RFC 2046 section 5.1.5).
    pub is_digest: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// 7bit, 8bit or binary.
    None {
        is_binary: bool,
    },
    Base64,
    QuotedPrintable,
    Other,
}

impl<'m> Entity<'m> {
    pub fn read(entity: &'m [u8], default: Kind) -> Result<Self, Refusal> {
        let (header, body) = entity.split_at(header_end(entity));
        let fields: Vec<_> = fields(header, FieldForm::Obsolete).collect();
        // A line that does not end is not among them.
        let length: usize = fields.iter().map(|field| field.bytes.len()).sum();
        let is_read = length == header.len() && fields.iter().all(WrittenField::is_field);
        if !can_be_sent(header) || !is_read {
            return Err(HEADER);
        }
        let kind = match only(&fields, "content-type")? {
            None => default,
            Some(body) => Kind::read(&body)?,
        };
        let encoding = match only(&fields, ENCODING)? {
            None => Encoding::None { is_binary: false },
            Some(body) => Encoding::read(&body),
        };
        Ok(Self {
            fields,
            body: body.strip_prefix(b"\r\n").unwrap_or(body),
            kind,
            encoding,
        })
    }

    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| is(field, name))
    }

    pub fn is_signed(&self) -> bool {
        let signs = |field: &WrittenField<'_>| {
            KnownField::named(field.name).is_some_and(KnownField::signs_header)
        };
        self.fields.iter().any(signs)
    }

    /// The type of a text without one: bytes beyond ASCII were displayed as they are, as UTF-8.
    pub fn missing_type(&self) -> &'static str {
        let is_utf8 = || simdutf8::basic::from_utf8(self.body).is_ok();
        if self.has("content-type") || self.body.is_ascii() || !is_utf8() {
            ""
        } else {
            "Content-Type: text/plain; charset=utf-8\r\n"
        }
    }
}

impl Kind {
    fn read(content_type: &str) -> Result<Self, Refusal> {
        let mut cursor = Cursor::new(content_type);
        cursor.skip_blanks();
        let kind = content_type[cursor.token()].to_ascii_lowercase();
        let has_slash = cursor.eat(b'/');
        let subtype = content_type[cursor.token()].to_ascii_lowercase();
        Ok(match (kind.as_str(), subtype.as_str()) {
            _ if !has_slash => Self::Leaf,
            ("multipart", "signed" | "encrypted") => Self::Sealed,
            ("multipart", _) => {
                let boundary = boundary(content_type, &mut cursor).ok_or(UNREADABLE)?;
                let is_digest = subtype == "digest";
                Self::Multipart(Inner {
                    boundary,
                    is_digest,
                })
            }
            ("message", "rfc822" | "global") => Self::Message,
            ("message", _) => Self::Unencoded,
            _ => Self::Leaf,
        })
    }
}

fn boundary(content_type: &str, cursor: &mut Cursor<'_>) -> Option<String> {
    let mut parameters = Cursor::new(&content_type[cursor.position()..]);
    let text = &content_type[cursor.position()..];
    while let Ok(Some(parameter)) = next_parameter(text, &mut parameters) {
        if parameter.name.eq_ignore_ascii_case("boundary") {
            return Some(parameter.value.into_owned());
        }
    }
    None
}

impl Encoding {
    fn read(body: &str) -> Self {
        let mut cursor = Cursor::new(body);
        cursor.skip_blanks();
        match body[cursor.token()].to_ascii_lowercase().as_str() {
            "7bit" | "8bit" => Self::None { is_binary: false },
            "binary" => Self::None { is_binary: true },
            "base64" => Self::Base64,
            "quoted-printable" => Self::QuotedPrintable,
            _ => Self::Other,
        }
    }
}

/// The body of a field that may occur only once.
fn only(fields: &[WrittenField<'_>], name: &str) -> Result<Option<String>, Refusal> {
    let mut found = fields.iter().filter(|field| is(field, name));
    match (found.next(), found.next()) {
        (field, None) => Ok(field.map(WrittenField::body)),
        (_, Some(_)) => Err(UNREADABLE),
    }
}

/// Whether the field is the transfer encoding.
pub(super) fn is_encoding(field: &WrittenField<'_>) -> bool {
    is(field, ENCODING)
}

fn is(field: &WrittenField<'_>, name: &str) -> bool {
    field.name.eq_ignore_ascii_case(name)
}

/// A line between the parts of a multipart, or after the last.
pub(super) struct Delimiter {
    pub start: usize,
    /// After its line end.
    pub end: usize,
    pub closes: bool,
}

impl Delimiter {
    /// The first one. `delimiter` is the boundary with two hyphens before it.
    pub fn find(bytes: &[u8], delimiter: &[u8]) -> Option<Self> {
        let is_at_start = |start: &usize| *start == 0 || bytes[..*start].ends_with(b"\r\n");
        let mut starts = memchr::memmem::find_iter(bytes, delimiter).filter(is_at_start);
        starts.find_map(|start| {
            let rest = &bytes[start + delimiter.len()..];
            let line = lines(rest, LineEnds::Crlf).next().unwrap_or_default();
            let padding = line.strip_prefix(b"--");
            let closes = padding.is_some();
            let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
            let is_delimiter = padding.unwrap_or(line).iter().all(is_blank);
            let end = start + delimiter.len() + line.len();
            is_delimiter.then(|| Self {
                start,
                end: bytes.len().min(end + 2),
                closes,
            })
        })
    }
}
