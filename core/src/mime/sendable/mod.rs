//! Finished messages whose bodies contain what SMTP cannot carry: a line over 998 bytes, NUL, or a CR that is not part
//! of a line end (RFC 5321 sections 2.3.8, 4.5.2, 4.5.3.1.6). A part that is not encoded becomes quoted-printable, too
//! long lines of quoted-printable and base64 are broken, and all other parts are kept:
//!
//! ```text
//! multipart/mixed
//! ├─ text/plain; 8bit     a line of 2,000 bytes     quoted-printable
//! ├─ text/html; 8bit                                as it was
//! └─ message/rfc822                                 its own parts, by the same rules
//! ```
//!
//! Blanks before the colon of a part's fields (`Content-Type : text/html`) are removed: some readers would display
//! these lines, and all after them, as text.

mod entity;

use super::{Base64, quoted_printable};
use crate::header::has_long_line;
use crate::problem::{Code, Refusal};
use crate::syntax::{LineEnds, header_end, holds_bare_cr, is_obsolete_field, lines, to_crlf};
use entity::{Delimiter, Encoding, Entity, Inner, Kind};
use std::borrow::Cow;

/// Maximum nesting of messages and parts: no mail has more.
const DEEPEST: usize = 50;

const SIGNED: Refusal = refusal(
    "The body contains NUL, a bare CR or a line longer than 998 bytes, and encoding it would break \
     the message's signature or encryption; encode it as quoted-printable or base64 before signing.",
);
const HAS_ENCODING: Refusal = refusal(
    "A part that already has a transfer encoding, or may not have one, contains NUL or a line longer than 998 bytes (RFC 5322 \
     section 2.1.1).",
);
const OUTSIDE: Refusal = refusal(
    "A multipart contains NUL or a line longer than 998 bytes outside of its parts (RFC 2046 section 5.1.1).",
);
const HEADER: Refusal = refusal(
    "The header of a part contains NUL, a bare CR, a line longer than 998 bytes, or a line that is not a header \
             field.",
);
const UNREADABLE: Refusal = refusal(
    "NUL, a bare CR or a line longer than 998 bytes cannot be encoded, because the Content-Type or \
     Content-Transfer-Encoding of its part cannot be read or is given twice.",
);
const TOO_DEEP: Refusal = refusal("The message has parts nested more than 50 deep.");

/// The message with every body in a form that can be sent. Its lines end with CRLF; any other CR is content.
pub(crate) fn sendable(message: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let body = &message[header_end(&message)..];
    if stays(body) {
        return Ok(message);
    }
    let may_stay = can_be_sent(body);
    let mut out = Vec::with_capacity(message.len() + message.len() / 8);
    match (Writer { out: &mut out }).message(&message, 0) {
        Ok(()) => Ok(out),
        // What need not be changed need not be understood.
        Err(_) if may_stay => Ok(message),
        Err(refusal) => Err(refusal),
    }
}

/// Whether nothing has to change, whatever kind of entity it is.
fn stays(bytes: &[u8]) -> bool {
    can_be_sent(bytes) && !lines(bytes, LineEnds::Crlf).any(is_obsolete_field)
}

fn can_be_sent(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes).is_none() && !holds_bare_cr(bytes) && !has_long_line(bytes)
}

const fn refusal(detail: &'static str) -> Refusal {
    Refusal::new(Code::InvalidContent, detail)
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    /// A complete message, which becomes MIME if it was not.
    fn message(&mut self, message: &[u8], depth: usize) -> Result<(), Refusal> {
        let Some(entity) = self.read(message, Kind::Leaf)? else {
            return Ok(());
        };
        let may_stay = can_be_sent(message);
        if entity.is_signed() {
            if !may_stay {
                return Err(SIGNED);
            }
            self.out.extend_from_slice(message);
            return Ok(());
        }
        let mime_version = if may_stay || entity.has("mime-version") {
            ""
        } else {
            "MIME-Version: 1.0\r\n"
        };
        self.entity(&entity, mime_version, depth)
    }

    /// A part, which has this kind unless it says otherwise.
    fn part(&mut self, part: &[u8], default: Kind, depth: usize) -> Result<(), Refusal> {
        match self.read(part, default)? {
            Some(entity) => self.entity(&entity, "", depth),
            None => Ok(()),
        }
    }

    /// Reads an entity; `None` if it does not change and is already written. What need not change need not be
    /// understood.
    fn read<'m>(&mut self, bytes: &'m [u8], default: Kind) -> Result<Option<Entity<'m>>, Refusal> {
        match Entity::read(bytes, default) {
            Ok(entity) if !stays(bytes) => Ok(Some(entity)),
            Err(refusal) if !can_be_sent(bytes) => Err(refusal),
            _ => {
                self.out.extend_from_slice(bytes);
                Ok(None)
            }
        }
    }

    /// `fields`: those missing from its header.
    fn entity(&mut self, entity: &Entity<'_>, fields: &str, depth: usize) -> Result<(), Refusal> {
        if depth > DEEPEST {
            return Err(TOO_DEEP);
        }
        let may_stay = can_be_sent(entity.body);
        let as_8bit = |is_binary: bool| (is_binary && !may_stay).then_some("8bit");
        match (&entity.kind, &entity.encoding) {
            (Kind::Leaf | Kind::Sealed | Kind::Unencoded, _) if may_stay => {
                self.header(entity, None, fields);
                self.out.extend_from_slice(entity.body);
                Ok(())
            }
            (Kind::Sealed, _) => Err(SIGNED),
            (Kind::Leaf, Encoding::None { .. }) => {
                let fields = [fields, entity.missing_type()].concat();
                self.header(entity, Some("quoted-printable"), &fields);
                quoted_printable::encode_body(entity.body, self.out);
                Ok(())
            }
            (Kind::Leaf, Encoding::Base64) => {
                let text = String::from_utf8_lossy(entity.body);
                let base64 = Base64::parse(text).map_err(|_| HAS_ENCODING)?;
                self.header(entity, None, fields);
                base64.write(self.out);
                Ok(())
            }
            (Kind::Leaf, Encoding::QuotedPrintable) => {
                self.header(entity, None, fields);
                quoted_printable::mend(entity.body, self.out);
                Ok(())
            }
            (Kind::Multipart(inner), Encoding::None { is_binary }) => {
                // What is in it has lines now.
                self.header(entity, as_8bit(*is_binary), fields);
                self.parts(entity.body, inner, depth)
            }
            (Kind::Message, Encoding::None { is_binary }) => {
                self.header(entity, as_8bit(*is_binary), fields);
                self.message(entity.body, depth + 1)
            }
            (Kind::Leaf | Kind::Unencoded | Kind::Multipart(_) | Kind::Message, _) => {
                self.header(entity, None, fields);
                self.as_it_is(entity.body, HAS_ENCODING)
            }
        }
    }

    /// The header and its empty line, with the new transfer encoding if there is one.
    fn header(&mut self, entity: &Entity<'_>, encoding: Option<&str>, more: &str) {
        for field in &entity.fields {
            if encoding.is_none() || !entity::is_encoding(field) {
                self.out.extend_from_slice(field.name.as_bytes());
                self.out.push(b':');
                self.out.extend_from_slice(&field.bytes[field.body_start..]);
            }
        }
        self.out.extend_from_slice(more.as_bytes());
        if let Some(encoding) = encoding {
            let field = format!("Content-Transfer-Encoding: {encoding}\r\n");
            self.out.extend_from_slice(field.as_bytes());
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// The body of a multipart (RFC 2046 section 5.1.1).
    fn parts(&mut self, body: &[u8], inner: &Inner, depth: usize) -> Result<(), Refusal> {
        let delimiter = ["--", &inner.boundary].concat();
        let mut rest = body;
        let mut is_part = false;
        while let Some(line) = Delimiter::find(rest, delimiter.as_bytes()) {
            // The line end before a delimiter belongs to it.
            let content = rest[..line.start].strip_suffix(b"\r\n");
            let content = content.unwrap_or_default();
            self.part_or_outside(content, is_part, inner, depth)?;
            self.out.extend_from_slice(&rest[content.len()..line.end]);
            rest = &rest[line.end..];
            is_part = !line.closes;
            if line.closes {
                break;
            }
        }
        self.part_or_outside(rest, is_part, inner, depth)
    }

    fn part_or_outside(
        &mut self,
        content: &[u8],
        is_part: bool,
        inner: &Inner,
        depth: usize,
    ) -> Result<(), Refusal> {
        if is_part {
            let default = if inner.is_digest {
                Kind::Message
            } else {
                Kind::Leaf
            };
            self.part(content, default, depth + 1)
        } else {
            self.as_it_is(content, OUTSIDE)
        }
    }

    /// A body that cannot be encoded. Of its faults, only a bare CR can be fixed.
    fn as_it_is(&mut self, bytes: &[u8], refusal: Refusal) -> Result<(), Refusal> {
        let mended = to_crlf(Cow::Borrowed(bytes), LineEnds::Any);
        if !can_be_sent(&mended) {
            return Err(refusal);
        }
        self.out.extend_from_slice(&mended);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
