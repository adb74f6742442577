//! The content of files that travel with a message.

use super::base64::{self, Base64};
use super::media_type::MediaType;
use crate::header::{ContentId, HeaderSection, LONGEST_LINE};
use crate::problem::{Code, Refusal};
use crate::syntax::{LineEnds, lines, to_crlf};
use std::borrow::Cow;

/// A file that travels with the message.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub filename: Option<Cow<'a, str>>,
    pub media_type: MediaType<'a>,
    pub content: Content<'a>,
    pub content_id: Option<ContentId<'a>>,
    pub disposition: Disposition,
}

/// What a reader does with a part (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Attachment,
    Inline,
}

/// Bytes, in the form in which they came.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// In base64 already.
    Base64(Base64<'a>),
    /// As they are.
    Bytes(Cow<'a, [u8]>),
    /// A whole message, which may not be encoded (RFC 2046 section 5.2.1).
    Message { bytes: Vec<u8>, is_ascii: bool },
}

impl Content<'_> {
    /// The content as a message that stands in another: lines end with CRLF and are not too long.
    pub fn into_message(self) -> Result<Self, Refusal> {
        let bytes = match self {
            Self::Base64(base64) => Cow::Owned(base64.decode()),
            Self::Bytes(bytes) => bytes,
            message @ Self::Message { .. } => return Ok(message),
        };
        let bytes = to_crlf(bytes).into_owned();
        if bytes.contains(&0) {
            let detail = "An attached message may not hold NUL (RFC 2045 section 2.8).";
            return Err(Refusal::new(Code::InvalidContent, detail));
        }
        if lines(&bytes, LineEnds::Crlf).any(|line| line.len() > LONGEST_LINE) {
            let detail = "An attached message has a line of over 998 octets.";
            return Err(Refusal::new(Code::InvalidContent, detail));
        }
        Ok(Self::Message {
            is_ascii: bytes.is_ascii(),
            bytes,
        })
    }

    /// How many bytes it takes in the message.
    fn encoded_length(&self) -> usize {
        match self {
            Self::Base64(base64) => base64.encoded_length(),
            Self::Bytes(bytes) => base64::encoded_length(bytes.len()),
            Self::Message { bytes, .. } => bytes.len(),
        }
    }

    fn transfer_encoding(&self) -> &'static str {
        match self {
            Self::Base64(_) | Self::Bytes(_) => "base64",
            Self::Message { is_ascii: true, .. } => "7bit",
            Self::Message {
                is_ascii: false, ..
            } => "8bit",
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Base64(base64) => base64.write(out),
            Self::Bytes(bytes) => base64::encode(bytes, out),
            Self::Message { bytes, .. } => out.extend_from_slice(bytes),
        }
    }
}

impl File<'_> {
    /// About how many bytes it takes.
    pub fn estimate(&self) -> usize {
        let name = self.filename.as_ref().map_or(0, |name| name.len());
        self.content.encoded_length() + 4 * name + 256
    }

    /// What stands in the message as it came, so that a boundary could occur in it.
    pub fn verbatim(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Message { bytes, .. } => Some(bytes),
            Content::Base64(_) | Content::Bytes(_) => None,
        }
    }

    /// Whether it holds bytes beyond ASCII.
    pub fn is_eight_bit(&self) -> bool {
        matches!(
            self.content,
            Content::Message {
                is_ascii: false,
                ..
            }
        )
    }

    /// Writes the part: its header fields, the empty line and its content.
    pub fn write(&self, out: &mut Vec<u8>) {
        let name = self.filename.as_deref();
        let mut header = HeaderSection::new(out);
        // Readers that do not know RFC 2231 look for a plain name here.
        let fallback = name.map(plain_name);
        let fallback = fallback.as_deref().map(|name| ("name", name));
        let parameters = self
            .media_type
            .parameters()
            .iter()
            .filter(|(name, _)| name != "name")
            .map(|(name, value)| (name.as_str(), value.as_str()));
        header.parameters(
            "Content-Type",
            self.media_type.essence(),
            parameters.chain(fallback),
        );
        header.tokens(
            "Content-Transfer-Encoding",
            [self.content.transfer_encoding()],
        );
        if let Some(id) = &self.content_id {
            header.content_id(id);
        }
        let disposition = match self.disposition {
            Disposition::Attachment => "attachment",
            Disposition::Inline => "inline",
        };
        header.parameters(
            "Content-Disposition",
            disposition,
            name.map(|name| ("filename", name)),
        );
        out.extend_from_slice(b"\r\n");
        self.content.write(out);
    }
}

/// The name in ASCII, with an underscore for each character that is not, and short.
fn plain_name(name: &str) -> String {
    const STEM: usize = 40;
    const EXTENSION: usize = 12;

    let plain = |c: char| match c {
        '=' | '?' | '"' | '\\' => '_',
        ' '..='~' => c,
        _ => '_',
    };
    let (stem, extension) = match name.rfind('.') {
        Some(at) if at > 0 && name.len() - at <= EXTENSION => name.split_at(at),
        _ => (name, ""),
    };
    let short: String = stem.trim().chars().map(plain).take(STEM).collect();
    let words: Vec<&str> = short.split_whitespace().collect();
    words.join(" ")
        + &extension
            .chars()
            .map(plain)
            .collect::<String>()
            .replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_are_short_ascii_and_keep_their_extension() {
        for (name, plain) in [
            ("report.pdf", "report.pdf"),
            ("Übersicht 2026.xlsx", "_bersicht 2026.xlsx"),
            ("=?utf-8?q?x?=.txt", "__utf-8_q_x__.txt"),
            ("文書", "__"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
        assert!(plain_name(&"長い".repeat(100)).len() <= 60);
    }
}
