//! Files.

use super::data::{Data, Members};
use super::setters::{Fields, texts};
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
    ///
    /// ```
    /// # use pmtaemail::{Attachment, Message};
    /// let key = Attachment::unnamed(b"-----BEGIN PGP PUBLIC KEY BLOCK-----").content_type("application/pgp-keys");
    /// let builder = Message::builder().from("ann@example.com").to("bob@example.org");
    /// let mail = String::from_utf8(builder.attachment(key).build()?.render()).unwrap();
    /// assert!(mail.contains("Content-Disposition: attachment\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
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
    ///
    /// ```
    /// # use pmtaemail::{Attachment, Message};
    /// let invoice = Attachment::base64("invoice.pdf", "JVBERi0xLjc=");
    /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
    /// let mail = String::from_utf8(builder.attachment(invoice).build()?.render()).unwrap();
    /// assert!(mail.contains("\r\n\r\nJVBERi0xLjc=\r\n"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    pub fn base64(filename: impl Into<Cow<'a, str>>, content: impl Into<Cow<'a, str>>) -> Self {
        Self(Members::default())
            .with("content", Data::Text(content.into()))
            .filename(filename)
    }

    texts! {
        /// Its name.
        filename = "filename",
        /// Its media type, such as `application/pdf`.
        ///
        /// ```
        /// # use pmtaemail::{Attachment, Message};
        /// let entries = Attachment::new("entries.log", b"a\tb\n").content_type("text/tab-separated-values");
        /// let builder = Message::builder().from("shop@example.com").to("ann@example.org");
        /// let mail = String::from_utf8(builder.attachment(entries).build()?.render()).unwrap();
        /// assert!(mail.contains("Content-Type: text/tab-separated-values;"));
        /// # Ok::<(), pmtaemail::Problems>(())
        /// ```
        content_type = "contentType",
        /// The name by which the HTML refers to it: `<img src="cid:logo">`. It makes the file inline.
        content_id = "cid",
    }

    /// Whether it is shown within the message (RFC 2183 section 2.1); when this is not called, if it has a
    /// [content id](Self::content_id).
    ///
    /// ```
    /// # use pmtaemail::{Attachment, Message};
    /// let photo = Attachment::new("photo.jpg", b"\xFF\xD8\xFF").inline(true);
    /// let builder = Message::builder().from("ann@example.com").to("bob@example.org").text("Look:");
    /// let mail = String::from_utf8(builder.attachment(photo).build()?.render()).unwrap();
    /// assert!(mail.contains("Content-Disposition: inline; filename=photo.jpg"));
    /// # Ok::<(), pmtaemail::Problems>(())
    /// ```
    #[must_use]
    pub fn inline(self, inline: bool) -> Self {
        let word = if inline { "inline" } else { "attachment" };
        self.with("disposition", Data::Text(word.into()))
    }
}

impl<'a> Fields<'a> for Attachment<'a> {
    fn fields(&mut self) -> &mut Members<'a> {
        &mut self.0
    }
}
