//! A rendered message, and memory to write it to.

use super::content::Content;
use std::borrow::Cow;

/// Smaller files are encoded at once: knowing their size beforehand would save nothing.
const LARGE: usize = 16 << 10;

pub(super) fn is_large(encoded_length: usize) -> bool {
    encoded_length >= LARGE
}

/// A rendered message whose large files are not encoded yet; see
/// [`Message::with_rendered`](crate::Message::with_rendered).
///
/// ```text
/// bytes   Date: … Content-Transfer-Encoding: base64 ↵↵ ↵ --=_…_1-- ↵
/// files                                                ^ report.pdf
/// ```
///
/// Its size is known before its largest parts are encoded, and these are encoded right into the caller's buffer: a
/// message with an attachment of 1 MB needs no second buffer of 1.4 MB, which the allocator would take from the system
/// and give back for each message.
///
/// ```
/// use pmtaemail::Message;
///
/// let message = Message::from_json(br#"{"from": "a@example.com", "to": "b@example.org", "text": "Hello"}"#)?;
/// let mail = message.with_rendered(|rendered| {
///     println!("{} bytes", rendered.size());
///     rendered.into_vec()
/// });
/// assert!(mail.ends_with(b"Hello\r\n"));
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug)]
pub struct Rendered<'m> {
    /// Everything except the large files.
    bytes: Cow<'m, [u8]>,
    files: Vec<LargeFile<'m>>,
}

#[derive(Debug)]
struct LargeFile<'m> {
    /// Position in the bytes at which its content is inserted.
    at: usize,
    content: &'m Content<'m>,
}

impl<'m> Rendered<'m> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            bytes: Cow::Owned(Vec::with_capacity(capacity)),
            files: Vec::new(),
        }
    }

    /// What is written at once.
    pub(crate) fn bytes(&mut self) -> &mut Vec<u8> {
        self.bytes.to_mut()
    }

    /// Appends the content of a file.
    pub(super) fn push(&mut self, content: &'m Content<'m>) {
        if is_large(content.encoded_length()) {
            let at = self.bytes.len();
            self.files.push(LargeFile { at, content });
        } else {
            content.write(self.bytes());
        }
    }

    /// The size of the whole message, in bytes.
    pub fn size(&self) -> usize {
        let files = self.files.iter().map(|file| file.content.encoded_length());
        self.bytes.len() + files.sum::<usize>()
    }

    /// Whether it contains a bracket.
    pub(crate) fn holds_bracket(&self) -> bool {
        let has = |bytes: &[u8]| memchr::memchr2(b'[', b']', bytes).is_some();
        let mut files = self.files.iter();
        // There is none in base64.
        has(&self.bytes) || files.any(|file| file.content.verbatim().is_some_and(has))
    }

    /// Writes the message.
    ///
    /// # Panics
    /// The length of `memory` is not exactly [`size`](Self::size).
    pub fn write_to(&self, memory: &mut [u8]) {
        assert_eq!(memory.len(), self.size(), "there is room for the message");
        let mut rest = memory;
        let mut done = 0;
        for LargeFile { at, content } in &self.files {
            rest = copied(&self.bytes[done..*at], rest);
            let (room, after) = rest.split_at_mut(content.encoded_length());
            content.encode_to(room);
            rest = after;
            done = *at;
        }
        copied(&self.bytes[done..], rest);
    }

    /// The message in a buffer of its own.
    pub fn into_vec(self) -> Vec<u8> {
        if self.files.is_empty() {
            return self.bytes.into_owned();
        }
        let mut message = Vec::with_capacity(self.size());
        let mut done = 0;
        for LargeFile { at, content } in &self.files {
            message.extend_from_slice(&self.bytes[done..*at]);
            content.write(&mut message);
            done = *at;
        }
        message.extend_from_slice(&self.bytes[done..]);
        message
    }
}

impl<'m> From<Cow<'m, [u8]>> for Rendered<'m> {
    /// A message that is already finished.
    fn from(bytes: Cow<'m, [u8]>) -> Self {
        let files = Vec::new();
        Self { bytes, files }
    }
}

/// Copies to the start of `memory`; returns the rest of it.
fn copied<'r>(bytes: &[u8], memory: &'r mut [u8]) -> &'r mut [u8] {
    let (room, rest) = memory.split_at_mut(bytes.len());
    room.copy_from_slice(bytes);
    rest
}

#[cfg(test)]
mod tests {
    use crate::Message;
    use serde_json::json;

    #[test]
    fn large_files_are_written_where_they_belong() {
        let text = |length: usize| encodify::base64::STANDARD.encode(vec![b'x'; length]);
        let mail = "From: a@example.com\r\n\r\n".to_owned() + &"line\r\n".repeat(5_000);
        for attachments in [
            json!([]),
            json!([{"content": text(10)}]),
            json!([{"content": text(100_000)}]),
            json!([{"content": text(12_100), "cid": "a"}, {"content": text(12_101)}, {"content": text(3)},
                   {"content": text(99_999)}]),
            json!([{"content": "é".repeat(50_000), "encoding": "utf8"}, {"content": text(99_998)}]),
            json!([{"content": mail, "encoding": "utf8", "contentType": "message/rfc822"}, {"content": text(1)}]),
        ] {
            let json = json!({
                "from": "a@example.com", "to": "b@example.org", "text": "Hello", "html": "<p>Hello",
                "date": "2026-11-23T05:33:54Z", "messageId": "m@example.com", "attachments": attachments,
            })
            .to_string();
            let message = Message::from_json(json.as_bytes()).unwrap();
            let written = message.with_rendered(|rendered| {
                let mut memory = vec![0; rendered.size()];
                rendered.write_to(&mut memory);
                memory
            });
            let whole = message.render();
            assert!(written == whole);
            let files = attachments.as_array().unwrap().len();
            let count = |what: &[u8]| memchr::memmem::find_iter(&whole, what).count();
            assert_eq!(count(b"Content-Disposition: "), files);
        }
    }
}
