//! Values in HTML.

/// Replaces a byte of a value that has a meaning in HTML, in text and in attributes.
pub(crate) fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#39;"),
        _ => None,
    }
}

/// A value as plain text within HTML, in an element or an attribute.
pub(super) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    push_escaped(&mut text, value);
    text
}

/// Appends a value as plain text within HTML, in an element or an attribute.
pub(crate) fn push_escaped(out: &mut String, value: &str) {
    let mut start = 0;
    for (at, byte) in value.bytes().enumerate() {
        if let Some(entity) = entity(byte) {
            out.push_str(&value[start..at]);
            out.push_str(entity);
            start = at + 1;
        }
    }
    out.push_str(&value[start..]);
}
