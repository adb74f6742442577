//! Where in a template its placeholders and statements are, for what changes the text around them.

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
    /// It writes a value; in HTML as HTML, or as text.
    Value { is_html: bool },
    /// It begins what is written not at all, once or several times.
    Opens,
    /// It begins another branch.
    Branches,
    /// It ends what another one begins.
    Closes,
    /// It writes nothing, and what is around it is written in any case.
    Silent,
    /// It begins or ends text in which there are no tags.
    Verbatim,
}

impl TagKind {
    /// Whether it writes a value.
    pub fn is_value(self) -> bool {
        matches!(self, Self::Value { .. })
    }
}
