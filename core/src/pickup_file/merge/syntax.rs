//! How a template is written: `[name]` is a variable, `[[` a bracket.

use crate::message::Delivery;
use crate::pickup_file::line;

/// PowerMTA's options that no variable holds.
pub(super) fn write_options(out: &mut Vec<u8>, delivery: &Delivery<'_>) {
    if let Some(dkim) = &delivery.dkim {
        line(out, "x-dkim-options", dkim);
    }
}

pub(super) fn push_variable(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'[');
    out.extend_from_slice(name);
    out.push(b']');
}

/// The text as it stands in a template: each `[` twice.
pub(super) fn doubled(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().flat_map(doubled_byte)
}

pub(super) fn doubled_byte(byte: u8) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(byte, if byte == b'[' { 2 } else { 1 })
}
