//! Files.

use super::data::{Data, Members};
use std::borrow::Cow;

/// A file that travels with the message.
///
/// Its content is given as it is, and encoded once, when the message is rendered. The media type is made from the
/// name where none is given.
///
/// ```
/// use pmtaemail::{Attachment, Message};
///
/// # let (png, pdf) = (b"\x89PNG\r\n\x1a\n", b"%PDF-1.7");
/// let message = Message::builder()
///     .from("shop@example.com")
///     .to("ann@example.org")
///     .html(r#"<img src="cid:logo" alt="Shop"> Your invoice is attached."#)
///     .attachment(Attachment::new("logo.png", png).content_id("logo"))
///     .attachment(Attachment::new("invoice.pdf", pdf))
///     .build()?;
/// let mail = String::from_utf8(message.render()).unwrap();
/// assert!(mail.contains("Content-ID: <logo>") && mail.contains("Content-Type: application/pdf"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attachment<'a>(pub(super) Members<'a>);

impl<'a> Attachment<'a> {
    /// A file with its name, as the reader shall see it, and its content.
    pub fn new(filename: impl Into<Cow<'a, str>>, content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self::unnamed(content).filename(filename)
    }

    /// A file without a name.
    pub fn unnamed(content: impl Into<Cow<'a, [u8]>>) -> Self {
        Self(Members::default()).with("content", Data::Bytes(content.into()))
    }

    /// A file of text, whose type gets `charset=utf-8`.
    pub fn text(filename: impl Into<Cow<'a, str>>, content: impl Into<Cow<'a, str>>) -> Self {
        Self(Members::default())
            .with("content", Data::Text(content.into()))
            .with("encoding", Data::Text("utf8".into()))
            .filename(filename)
    }

    /// A file whose content is base64 already (RFC 4648 section 4); it is not decoded and encoded again.
    pub fn base64(filename: impl Into<Cow<'a, str>>, content: impl Into<Cow<'a, str>>) -> Self {
        Self(Members::default())
            .with("content", Data::Text(content.into()))
            .filename(filename)
    }

    /// Its name.
    #[must_use]
    pub fn filename(self, filename: impl Into<Cow<'a, str>>) -> Self {
        self.with("filename", Data::Text(filename.into()))
    }

    /// Its media type, such as `application/pdf`.
    #[must_use]
    pub fn content_type(self, content_type: impl Into<Cow<'a, str>>) -> Self {
        self.with("contentType", Data::Text(content_type.into()))
    }

    /// The name by which the HTML refers to it: `<img src="cid:logo">`. It makes the file inline.
    #[must_use]
    pub fn content_id(self, content_id: impl Into<Cow<'a, str>>) -> Self {
        self.with("cid", Data::Text(content_id.into()))
    }

    /// Whether it is shown within the message (RFC 2183 section 2.1); when this is not called, if it has a
    /// [content id](Self::content_id).
    #[must_use]
    pub fn inline(self, inline: bool) -> Self {
        let word = if inline { "inline" } else { "attachment" };
        self.with("disposition", Data::Text(word.into()))
    }

    fn with(mut self, name: &'static str, value: Data<'a>) -> Self {
        self.0.set(name, value);
        self
    }
}
