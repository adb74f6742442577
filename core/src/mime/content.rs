//! The content of files that travel with a message.

use super::base64::{self, Base64};
use super::media_type::AllowedEncodings;
use crate::header::has_long_line;
use crate::problem::{Code, Refusal};
use crate::syntax::{LineEnds, has_bare_cr, header_end, to_crlf};
use std::borrow::Cow;

/// Content in the form in which it came.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// Already in base64.
    Base64(Base64<'a>),
    /// As bytes.
    Bytes(Cow<'a, [u8]>),
    /// As bytes that must not be encoded (RFC 2045 section 6.4).
    Unencoded {
        bytes: Cow<'a, [u8]>,
        is_ascii: bool,
    },
}

impl Content<'_> {
    /// The same content, borrowed.
    pub fn lend(&self) -> Content<'_> {
        match self {
            Self::Base64(base64) => Content::Base64(base64.lend()),
            Self::Bytes(bytes) => Content::Bytes(Cow::Borrowed(bytes)),
            Self::Unencoded { bytes, is_ascii } => Content::Unencoded {
                bytes: Cow::Borrowed(bytes),
                is_ascii: *is_ascii,
            },
        }
    }

    /// The bytes without any encoding.
    pub fn decoded(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Base64(base64) => Cow::Owned(base64.decode()),
            Self::Bytes(bytes) | Self::Unencoded { bytes, .. } => Cow::Borrowed(bytes),
        }
    }

    /// The content in a form that its media type allows.
    pub fn allowed(self, encodings: AllowedEncodings) -> Result<Self, Refusal> {
        if encodings == AllowedEncodings::All {
            return Ok(self);
        }
        let bytes = match self {
            Self::Base64(base64) => Cow::Owned(base64.decode()),
            Self::Bytes(bytes) | Self::Unencoded { bytes, .. } => bytes,
        };
        match Self::unencoded(&bytes, encodings == AllowedEncodings::SevenBit) {
            Err(_) if encodings == AllowedEncodings::PreferIdentity => Ok(Self::Bytes(bytes)),
            unencoded => unencoded.map_err(|detail| Refusal::new(Code::InvalidContent, detail)),
        }
    }

    /// The content with CRLF at the end of every line. An error says why it has to be encoded.
    fn unencoded(bytes: &[u8], seven_bit: bool) -> Result<Self, &'static str> {
        // Where all lines end with CR alone there is no doubt.
        if bytes.contains(&b'\n') && has_bare_cr(bytes, |_| false) {
            return Err(
                "The header of an attached message contains a CR that is not part of a line ending.",
            );
        }
        let bytes = to_crlf(Cow::Borrowed(bytes), LineEnds::Any).into_owned();
        if bytes.contains(&0) {
            return Err(
                "Content of type message/* is sent unencoded (RFC 2045 section 6.4), so it may not \
                 contain NUL.",
            );
        }
        if has_long_line(&bytes) {
            return Err(
                "Content of type message/* is sent unencoded (RFC 2045 section 6.4), so its lines \
                 may be at most 998 bytes long.",
            );
        }
        let is_ascii = bytes.is_ascii();
        if seven_bit && !is_ascii {
            return Err(
                "Content of type message/partial or message/external-body must be ASCII (RFC 2046 \
                 sections 5.2.2.1 and 5.2.3).",
            );
        }
        let bytes = Cow::Owned(bytes);
        Ok(Self::Unencoded { bytes, is_ascii })
    }

    /// The content, which is a message, with a line end after its header if that is missing. A message ends its fields
    /// (RFC 5322 section 2.2); a reader that looks for the empty line would take the delimiter for part of the header,
    /// and so everything attached after it.
    pub fn with_ended_header(mut self) -> Self {
        if let Self::Unencoded { bytes, .. } = &mut self
            && !bytes.is_empty()
            && header_end(bytes) == bytes.len()
            && !bytes.ends_with(b"\r\n")
        {
            bytes.to_mut().extend_from_slice(b"\r\n");
        }
        self
    }

    /// What the message contains unencoded; `None` if it is encoded.
    pub(super) fn verbatim(&self) -> Option<&[u8]> {
        match self {
            Self::Unencoded { bytes, .. } => Some(bytes),
            Self::Base64(_) | Self::Bytes(_) => None,
        }
    }

    /// How many bytes it takes in the message.
    pub(super) fn encoded_length(&self) -> usize {
        match self {
            Self::Base64(base64) => base64.encoded_length(),
            Self::Bytes(bytes) => base64::encoded_length(bytes.len()),
            Self::Unencoded { bytes, .. } => bytes.len(),
        }
    }

    pub(super) fn transfer_encoding(&self) -> &'static str {
        match self {
            Self::Base64(_) | Self::Bytes(_) => "base64",
            Self::Unencoded { is_ascii: true, .. } => "7bit",
            Self::Unencoded {
                is_ascii: false, ..
            } => "8bit",
        }
    }

    /// Encodes it to a buffer of [`encoded_length`](Self::encoded_length) bytes.
    pub(super) fn encode_to(&self, memory: &mut [u8]) {
        match self {
            Self::Base64(base64) => base64.write_to(memory),
            Self::Bytes(bytes) => base64::encode_to(bytes, memory),
            Self::Unencoded { bytes, .. } => memory.copy_from_slice(bytes),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Base64(base64) => base64.write(out),
            Self::Bytes(bytes) => base64::encode(bytes, out),
            Self::Unencoded { bytes, .. } => out.extend_from_slice(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(content: &[u8], encodings: AllowedEncodings) -> Result<&'static str, Code> {
        let content = Content::Bytes(Cow::Borrowed(content));
        let allowed = content.allowed(encodings).map_err(|refusal| refusal.code)?;
        Ok(allowed.transfer_encoding())
    }

    #[test]
    fn transfer_encodings_respect_what_is_allowed() {
        use AllowedEncodings::{All, Identity, PreferIdentity, SevenBit};
        let refused = Err(Code::InvalidContent);
        let long = [b'x'; 999];
        for (content, [all, prefer, identity, seven_bit]) in [
            (
                &b"a: b\n\nHello"[..],
                [Ok("base64"), Ok("7bit"), Ok("7bit"), Ok("7bit")],
            ),
            (
                "a: é".as_bytes(),
                [Ok("base64"), Ok("8bit"), Ok("8bit"), refused],
            ),
            (&long, [Ok("base64"), Ok("base64"), refused, refused]),
            (b"a\0", [Ok("base64"), Ok("base64"), refused, refused]),
            (
                b"a: b\rc: d\n",
                [Ok("base64"), Ok("base64"), refused, refused],
            ),
        ] {
            assert_eq!(encoding(content, All), all);
            assert_eq!(encoding(content, PreferIdentity), prefer);
            assert_eq!(encoding(content, Identity), identity);
            assert_eq!(encoding(content, SevenBit), seven_bit);
        }
        let kept = Content::Bytes(Cow::Borrowed(b"a\0\n")).allowed(PreferIdentity);
        let mut out = Vec::new();
        kept.unwrap().write(&mut out);
        assert_eq!(out, b"YQAK\r\n");
    }

    #[test]
    fn the_header_of_a_message_ends_with_a_line_end() {
        for (content, expected) in [
            ("A: b", "A: b\r\n"),
            ("A: b\nC: d\n e", "A: b\r\nC: d\r\n e\r\n"),
            ("no field", "no field\r\n"),
            ("A: b\n", "A: b\r\n"),
            ("A: b\n\n", "A: b\r\n\r\n"),
            ("A: b\n\nHello", "A: b\r\n\r\nHello"),
            ("\nHello", "\r\nHello"),
            ("", ""),
        ] {
            let content = Content::Bytes(Cow::Borrowed(content.as_bytes()));
            let allowed = content.allowed(AllowedEncodings::Identity).unwrap();
            let mut out = Vec::new();
            allowed.with_ended_header().write(&mut out);
            assert_eq!(out, expected.as_bytes());
        }
        let encoded = Content::Bytes(Cow::Borrowed(b"A: b")).with_ended_header();
        assert_eq!(*encoded.decoded(), *b"A: b");
    }
}
