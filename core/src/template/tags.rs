//! The positions of placeholders and statements in a template, for code that changes the text around them.

use std::ops::Range;

/// A placeholder or a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub range: Range<usize>,
    pub kind: TagKind,
}

/// What a tag does with the text around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagKind {
    /// It writes a value, as HTML or as text.
    Value { is_html: bool },
    /// It starts something that is written zero or more times.
    Opens,
    /// It starts another branch.
    Branches,
    /// It ends what another one started.
    Closes,
    /// It writes nothing, and does not affect what is around it.
    Silent,
    /// It starts or ends text without tags.
    Verbatim,
}

impl TagKind {
    /// Whether it writes a value.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Value { .. })
    }
}
