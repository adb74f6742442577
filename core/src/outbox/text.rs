//! Text in header sections.

use mail_parser::parsers::MessageStream;

/// The body of a field, or the words of a phrase, in plain text: unfolded, and without encoded words (RFC 2047).
pub(super) fn decoded(raw: &[u8]) -> String {
    // It reads up to the end of the line.
    let line = [raw, b"\n"].concat();
    let value = MessageStream::new(&line).parse_unstructured();
    value.as_text().unwrap_or_default().to_owned()
}
