//! How what differs is written for one recipient.

/// In which of its variants what stands at a marker is written for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Choice {
    pub variant: u8,
    /// How many lines it has beyond the first.
    pub more: u8,
}

/// The variants of To.
pub(super) const TO_BARE: u8 = 0;
pub(super) const TO_INLINE: u8 = 1;
pub(super) const TO_LINES: u8 = 2;
/// The variants of a text: values stand in it, or all of it is worked out.
pub(super) const INLINE: u8 = 0;
pub(super) const LINES: u8 = 1;
/// The recipient has none of its values, so it is the same for all who have none.
pub(super) const COMMON: u8 = 2;
/// The variant of a value that ends its body with lines of its own, where it is empty.
pub(super) const ABSENT: u8 = 1;
