//! What is refused in the messages of other libraries, whichever it is.

use crate::problem::{Code, Refusal};

pub(super) const CONTROL: Refusal = Refusal::new(
    Code::ControlCharacter,
    "A header field of the message, or of one of its parts, holds a line end or another control character.",
);

pub(super) const NO_FIELD: Refusal = Refusal::new(
    Code::InvalidContent,
    "A header field of the message, or of one of its parts, would be written as none or as several.",
);

pub(super) const ENCODED_WORD: Refusal = Refusal::new(
    Code::InvalidHeaderValue,
    "A text in a header field looks like an encoded word (RFC 2047), which readers would decode.",
);

pub(super) const PARAMETER: Refusal = Refusal::new(
    Code::InvalidHeaderValue,
    "A parameter of a media type or disposition is malformed or given twice (RFC 2045 section 5.1).",
);

pub(super) const CHARSET: Refusal = Refusal::new(
    Code::InvalidContent,
    "A part of text names its charset twice, or another than that in which it would be written.",
);
