//! The syntax of a template: `[name]` is a variable.

pub(super) fn push_variable(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'[');
    out.extend_from_slice(name);
    out.push(b']');
}

/// Whether a text contains a bracket, which starts a variable in a template. How to write one that does not (`[[`, with
/// a `]` after it) is not documented well enough to depend on.
pub(super) fn has_bracket(text: &[u8]) -> bool {
    memchr::memchr2(b'[', b']', text).is_some()
}
