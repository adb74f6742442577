//! Header fields of a single recipient.

use super::extra::ExtraHeader;
use crate::message::header_field::HeaderField;

/// The header fields of a single recipient. Each replaces the message's fields with that name.
#[derive(Debug, Default)]
pub(crate) struct RecipientHeaders<'a> {
    /// Those that do not correspond to a field of the message, in order.
    pub extra: Vec<ExtraHeader<'a>>,
    /// The fields of the message as which the others are read;
    /// [`FilledHeader`](crate::message::templates::FilledHeader) has their values.
    pub fields: Vec<HeaderField>,
}

impl RecipientHeaders<'_> {
    /// Whether the message's own field with this name is replaced.
    pub fn replace(&self, name: &str) -> bool {
        let mut extra = self.extra.iter();
        extra.any(|own| own.name.eq_ignore_ascii_case(name))
    }
}
