//! How a template is written: `[name]` is a variable.

pub(super) fn push_variable(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'[');
    out.extend_from_slice(name);
    out.push(b']');
}

/// Whether a text holds a bracket, which in a template means a variable. How one is to be written that
/// means none (`[[`, and a `]` after it) is not said well enough to depend on.
pub(super) fn has_bracket(text: &[u8]) -> bool {
    memchr::memchr2(b'[', b']', text).is_some()
}
