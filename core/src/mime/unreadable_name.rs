//! Why a part's file name cannot be read.

/// Why a file name cannot be read in the form in which it came with the file.
///
/// ```
/// use pmtaemail::{FilePart, Message, UnreadableName};
///
/// let json = br#"{"from": "a@example.com", "to": "b@example.org", "attachments": [{"part": "file"}]}"#;
/// let file = FilePart { name: "file", filename: Some(Err(UnreadableName::NotUtf8)), content_type: None, content: b"Hi" };
/// let problems = Message::from_form(json, &[file]).unwrap_err();
/// assert_eq!(problems.iter().next().unwrap().code().as_str(), "invalid_filename");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableName {
    /// The name is in another charset, as curl on Windows sends it.
    #[error("the file name is not valid UTF-8")]
    NotUtf8,
    /// Its quotes are not closed, its `filename*` (RFC 5987) has an unknown charset, or it is split into sections
    /// (`filename*0`, RFC 2231 section 3).
    #[error("the file name is malformed, split into pieces, or in an unknown charset")]
    Malformed,
}
