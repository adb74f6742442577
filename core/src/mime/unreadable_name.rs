//! Why a part's file name cannot be read.

/// Why the name of a file cannot be read as it came with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableName {
    /// It is in another charset, such as that of curl on Windows.
    #[error("the file name is not valid UTF-8")]
    NotUtf8,
    /// Its quotes do not close, its `filename*` (RFC 5987) has no charset that is known, or it comes in pieces
    /// (`filename*0`, RFC 2231 section 3).
    #[error("the file name is malformed, split into pieces, or in an unknown charset")]
    Malformed,
}
