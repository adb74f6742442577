//! The entity tree (RFC 2045, RFC 2046): bodies, the multiparts that contain them, and their bytes.

mod base64;
mod boundary;
mod content;
#[cfg(feature = "form-data")]
mod content_disposition;
mod file;
mod media_type;
pub(crate) mod quoted_printable;
mod rendered;
mod sendable;
mod unreadable_name;

pub(crate) use base64::Base64;
pub(crate) use content::Content;
#[cfg(feature = "form-data")]
pub use content_disposition::ContentDisposition;
pub(crate) use file::{
    CONTENT_DISPOSITION, CONTENT_TYPE, Disposition, File, NameMarkers, plain_name,
};
pub(crate) use media_type::MediaType;
pub use rendered::Rendered;
pub(crate) use sendable::sendable;
pub use unreadable_name::UnreadableName;

use crate::header::Signs;
use crate::text::put;
use boundary::Boundaries;

/// An entity: its own header fields are only those of its content (`Content-…`).
#[derive(Debug)]
pub(crate) enum Entity<'m> {
    /// A text body in UTF-8.
    Text { subtype: TextSubtype, text: &'m str },
    /// A text body that is already quoted-printable.
    Encoded {
        subtype: TextSubtype,
        bytes: &'m [u8],
    },
    /// A file, and markers in place of the fields with its name.
    File(&'m File<'m>, Option<NameMarkers>),
    /// `multipart/subtype` with at least two children.
    Multipart {
        subtype: &'static str,
        parts: Vec<Entity<'m>>,
    },
}

/// The kinds of text in the bodies of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextSubtype {
    /// text/plain
    Plain,
    /// text/x-amp-html
    Amp,
    /// text/html
    Html,
    /// text/calendar with its iTIP method
    Calendar(&'static str),
}

impl TextSubtype {
    /// The Content-Type field without its line end.
    fn content_type(self) -> [&'static str; 2] {
        match self {
            Self::Plain => ["Content-Type: text/plain; charset=utf-8", ""],
            Self::Amp => ["Content-Type: text/x-amp-html; charset=utf-8", ""],
            Self::Html => ["Content-Type: text/html; charset=utf-8", ""],
            Self::Calendar(method) => [
                "Content-Type: text/calendar; charset=utf-8; method=",
                method,
            ],
        }
    }

    fn write_header(self, out: &mut Vec<u8>) {
        put(out, &self.content_type());
        put(
            out,
            &["\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"],
        );
    }
}

impl<'m> Entity<'m> {
    /// The parts as one entity: a single part is not wrapped.
    pub fn multipart(
        subtype: &'static str,
        first: Entity<'m>,
        mut others: impl Iterator<Item = Entity<'m>>,
    ) -> Self {
        let Some(second) = others.next() else {
            return first;
        };
        let parts = [first, second].into_iter().chain(others).collect();
        Self::Multipart { subtype, parts }
    }

    /// Writes the entity as the content of a message: its header fields, the empty line and the body, which ends with a
    /// line end. Boundaries are derived from `identity`, so the same message has the same bytes. Only these `signs` are
    /// in it as they are.
    pub fn write_message(&self, identity: &str, signs: Signs, out: &mut Rendered<'m>) {
        if let Self::Multipart { .. } = self {
            let mut verbatim = Vec::new();
            self.collect_verbatim(&mut verbatim);
            self.write(signs, &mut Boundaries::new(identity, &verbatim), out);
        } else {
            // One part needs none.
            self.write(signs, &mut Boundaries::default(), out);
        }
        if !out.bytes().ends_with(b"\r\n") {
            out.bytes().extend_from_slice(b"\r\n");
        }
    }

    /// About how many bytes it takes.
    pub fn estimate(&self) -> usize {
        match self {
            Self::Text { text, .. } => quoted_printable::estimate(text) + 96,
            Self::Encoded { bytes, .. } => bytes.len() + 96,
            Self::File(file, _) => file.estimate(),
            Self::Multipart { parts, .. } => {
                parts.iter().map(|part| part.estimate() + 64).sum::<usize>() + 128
            }
        }
    }

    /// Whether it contains bytes beyond ASCII, which the multiparts around it have to declare as well (RFC 2045 section
    /// 6.4).
    fn is_eight_bit(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Encoded { .. } => false,
            Self::File(file, _) => file.is_eight_bit(),
            Self::Multipart { parts, .. } => parts.iter().any(Self::is_eight_bit),
        }
    }

    /// The type that `multipart/related` declares for its root (RFC 2387 section 3.1).
    fn media_type(&self) -> &str {
        match self {
            Self::Multipart { .. } => "multipart/alternative",
            Self::Text { .. } | Self::Encoded { .. } => "text/html",
            Self::File(file, _) => file.media_type.essence(),
        }
    }

    fn collect_verbatim<'s>(&'s self, verbatim: &mut Vec<&'s [u8]>) {
        match self {
            Self::Text { .. } | Self::Encoded { .. } => {}
            Self::File(file, _) => verbatim.extend(file.verbatim()),
            Self::Multipart { parts, .. } => {
                for part in parts {
                    part.collect_verbatim(verbatim);
                }
            }
        }
    }

    fn write(&self, signs: Signs, boundaries: &mut Boundaries, out: &mut Rendered<'m>) {
        match self {
            Self::Text { subtype, text } => {
                subtype.write_header(out.bytes());
                if signs == Signs::All {
                    quoted_printable::encode(text, out.bytes());
                } else {
                    quoted_printable::encode_without_brackets(text, out.bytes());
                }
            }
            Self::Encoded { subtype, bytes } => {
                subtype.write_header(out.bytes());
                out.bytes().extend_from_slice(bytes);
            }
            Self::File(file, markers) => file.write(signs, *markers, out),
            Self::Multipart { subtype, parts } => {
                let boundary = boundaries.next();
                put(out.bytes(), &["Content-Type: multipart/", subtype, ";\r\n"]);
                put(out.bytes(), &[" boundary=\"", &boundary, "\""]);
                if let ("related", Some(root)) = (*subtype, parts.first()) {
                    put(out.bytes(), &[";\r\n type=\"", root.media_type(), "\""]);
                }
                put(out.bytes(), &["\r\n"]);
                if self.is_eight_bit() {
                    put(out.bytes(), &["Content-Transfer-Encoding: 8bit\r\n"]);
                }
                for part in parts {
                    put(out.bytes(), &["\r\n--", &boundary, "\r\n"]);
                    part.write(signs, boundaries, out);
                }
                put(out.bytes(), &["\r\n--", &boundary, "--\r\n"]);
            }
        }
    }
}
