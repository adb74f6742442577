//! What the fuzz targets of `fuzz/` reach beside the public interface: built with `--cfg fuzzing` alone.

use crate::header::{Body, KnownField};

/// A header field with a rule of its own.
#[derive(Debug)]
pub struct KnownHeaderField {
    /// Its name in lower case, or how the names of several begin.
    pub name: &'static str,
    /// Whether its body has a grammar; others are text.
    pub is_structured: bool,
}

/// All of them.
pub fn known_header_fields() -> impl Iterator<Item = KnownHeaderField> {
    KnownField::all().map(|field| KnownHeaderField {
        name: field.name,
        is_structured: matches!(field.body, Body::Structured(_)),
    })
}
