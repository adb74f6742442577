//! Files that are part of a message.

use super::content::Content;
use super::media_type::MediaType;
use super::rendered::{Rendered, is_large};
use crate::header::{ContentId, HeaderSection, Signs};
use std::borrow::Cow;

/// A file that is part of the message.
#[derive(Debug)]
pub(crate) struct File<'a> {
    pub filename: Option<Cow<'a, str>>,
    pub media_type: MediaType<'a>,
    pub content: Content<'a>,
    pub content_id: Option<ContentId<'a>>,
    pub disposition: Disposition,
}

/// How a reader presents a part (RFC 2183).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Attachment,
    Inline,
}

impl File<'_> {
    /// About how many bytes of it are written at once.
    pub fn estimate(&self) -> usize {
        let name = self.filename.as_ref().map_or(0, |name| name.len());
        let content = self.content.encoded_length();
        let content = if is_large(content) { 0 } else { content };
        content + 4 * name + 256
    }

    /// What the message contains unencoded, so that it might contain a boundary.
    pub fn verbatim(&self) -> Option<&[u8]> {
        self.content.verbatim()
    }

    /// Whether it contains bytes beyond ASCII.
    pub fn is_eight_bit(&self) -> bool {
        matches!(
            self.content,
            Content::Unencoded {
                is_ascii: false,
                ..
            }
        )
    }

    /// The same file with another name.
    pub fn named<'m>(&'m self, filename: Option<&'m str>) -> File<'m> {
        let filename = filename.or(self.filename.as_deref());
        File {
            filename: filename.map(Cow::Borrowed),
            media_type: self.media_type.lend(),
            content: self.content.lend(),
            content_id: self.content_id.clone(),
            disposition: self.disposition,
        }
    }

    /// Writes the part: its header fields, the empty line and its content. Its header contains only these `signs` as
    /// they are. With markers, these replace the fields with its name.
    pub fn write<'m>(&'m self, signs: Signs, markers: Option<NameMarkers>, out: &mut Rendered<'m>) {
        let mut header = HeaderSection::new(out.bytes()).with_signs(signs);
        match markers {
            Some(markers) => header.marker(Some(CONTENT_TYPE), markers.content_type),
            None => self.write_type(self.plain_name(signs).as_deref(), &mut header),
        }
        header.tokens(
            "Content-Transfer-Encoding",
            [self.content.transfer_encoding()],
        );
        if let Some(id) = &self.content_id {
            header.content_id(id);
        }
        match markers {
            Some(markers) => header.marker(Some(CONTENT_DISPOSITION), markers.disposition),
            None => self.write_disposition(self.filename.as_deref(), &mut header),
        }
        out.bytes().extend_from_slice(b"\r\n");
        out.push(&self.content);
    }

    /// The name for readers that do not support RFC 2231 and look for a plain one in Content-Type.
    fn plain_name(&self, signs: Signs) -> Option<String> {
        let name = self.filename.as_deref();
        name.map(|name| plain_name(name, signs))
    }

    /// Writes Content-Type, with the plain name.
    pub fn write_type(&self, name: Option<&str>, header: &mut HeaderSection<'_>) {
        let parameters = self
            .media_type
            .parameters()
            .iter()
            .filter(|(name, _)| name != "name")
            .map(|(name, value)| (name.as_str(), value.as_str()));
        header.parameters(
            CONTENT_TYPE,
            self.media_type.essence(),
            parameters.chain(name.map(|name| ("name", name))),
        );
    }

    /// Writes Content-Disposition.
    pub fn write_disposition(&self, name: Option<&str>, header: &mut HeaderSection<'_>) {
        let disposition = match self.disposition {
            Disposition::Attachment => "attachment",
            Disposition::Inline => "inline",
        };
        header.parameters(
            CONTENT_DISPOSITION,
            disposition,
            name.map(|name| ("filename", name)),
        );
    }
}

pub(crate) const CONTENT_TYPE: &str = "Content-Type";
pub(crate) const CONTENT_DISPOSITION: &str = "Content-Disposition";

/// The markers of the two fields that hold the name of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameMarkers {
    pub content_type: usize,
    pub disposition: usize,
}

/// The name in ASCII, shortened, with an underscore for each character that is not ASCII or not one of the `signs`.
pub(crate) fn plain_name(name: &str, signs: Signs) -> String {
    const STEM: usize = 40;
    const EXTENSION: usize = 12;

    let plain = |c: char| match c {
        '=' | '?' | '"' | '\\' => '_',
        c if signs.exclude(c) => '_',
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
            assert_eq!(plain_name(name, Signs::All), plain);
        }
        assert!(plain_name(&"長い".repeat(100), Signs::All).len() <= 60);
        assert_eq!(plain_name("[x].txt", Signs::NoBrackets), "_x_.txt");
    }
}
