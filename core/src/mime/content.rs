//! The content of files that travel with a message.

use super::base64::{self, Base64};
use crate::header::LONGEST_LINE;
use crate::problem::{Code, Refusal};
use crate::syntax::{LineEnds, has_bare_cr, lines, to_crlf};
use std::borrow::Cow;

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
        // Where all lines end with CR alone there is no doubt.
        if bytes.contains(&b'\n') && has_bare_cr(&bytes, |_| false) {
            let detail =
                "The header of an attached message holds a CR that is no part of a line end.";
            return Err(Refusal::new(Code::InvalidContent, detail));
        }
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
    pub(super) fn encoded_length(&self) -> usize {
        match self {
            Self::Base64(base64) => base64.encoded_length(),
            Self::Bytes(bytes) => base64::encoded_length(bytes.len()),
            Self::Message { bytes, .. } => bytes.len(),
        }
    }

    pub(super) fn transfer_encoding(&self) -> &'static str {
        match self {
            Self::Base64(_) | Self::Bytes(_) => "base64",
            Self::Message { is_ascii: true, .. } => "7bit",
            Self::Message {
                is_ascii: false, ..
            } => "8bit",
        }
    }

    /// Encodes it to memory of [`encoded_length`](Self::encoded_length) bytes.
    pub(super) fn encode_to(&self, memory: &mut [u8]) {
        match self {
            Self::Base64(base64) => base64.write_to(memory),
            Self::Bytes(bytes) => base64::encode_to(bytes, memory),
            Self::Message { bytes, .. } => memory.copy_from_slice(bytes),
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Base64(base64) => base64.write(out),
            Self::Bytes(bytes) => base64::encode(bytes, out),
            Self::Message { bytes, .. } => out.extend_from_slice(bytes),
        }
    }
}
