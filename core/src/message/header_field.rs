//! The fields of the header section, and those of files, that may differ between recipients.

/// A field of the header section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum HeaderField {
    Date,
    From,
    ReplyTo,
    To,
    Subject,
    MessageId,
    InReplyTo,
    References,
    Unsubscribe,
    OneClick,
    /// X-Priority and Importance.
    Priority,
    /// A field of the caller, by its index.
    Extra(usize),
    /// Content-Type of a file, by its index.
    FileType(usize),
    /// Content-Disposition of a file, by its index.
    FileDisposition(usize),
}
