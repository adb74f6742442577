//! Header fields that one recipient has of their own.

use super::extra::ExtraHeader;
use crate::message::header_field::HeaderField;

/// The header fields of one recipient's own. Each stands in place of the message's fields of its name.
#[derive(Debug, Default)]
pub(crate) struct RecipientHeaders<'a> {
    /// Those that no field of the message stands for, in order.
    pub extra: Vec<ExtraHeader<'a>>,
    /// Which fields of the message others are read as; [`FilledHeader`](crate::message::templates::FilledHeader)
    /// has what they say.
    pub fields: Vec<HeaderField>,
}

impl RecipientHeaders<'_> {
    /// Whether the message's own field of this name gives way.
    pub fn replace(&self, name: &str) -> bool {
        let mut extra = self.extra.iter();
        extra.any(|own| own.name.eq_ignore_ascii_case(name))
    }
}
