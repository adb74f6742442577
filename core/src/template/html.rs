//! Values in HTML.

/// The characters that mean something in HTML, in text and in attributes, and what stands for them.
const ESCAPES: [(char, &str); 5] = [
    ('&', "&amp;"),
    ('<', "&lt;"),
    ('>', "&gt;"),
    ('"', "&quot;"),
    ('\'', "&#39;"),
];

/// What stands for an octet of a value in HTML, if it cannot stand there itself.
pub(crate) fn entity(octet: u8) -> Option<&'static str> {
    ESCAPES
        .iter()
        .find(|(character, _)| *character == char::from(octet))
        .map(|(_, entity)| *entity)
}

/// Appends a value so that it is text and nothing else, within an element as in an attribute.
pub(crate) fn push_escaped(out: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let (octet, after) = found.split_at(1);
        out.push_str(octet.bytes().next().and_then(entity).unwrap_or_default());
        rest = after;
    }
    out.push_str(rest);
}
