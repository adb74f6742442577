//! Why a file cannot be read.

/// The file differs from what this library writes.
///
/// ```
/// use pmtaemail::outbox::OutboxFile;
///
/// let error = OutboxFile::read(b"Subject: Hello\r\n\r\n").unwrap_err();
/// assert_eq!(error.line(), 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct UnreadableFile {
    line: usize,
    why: &'static str,
}

impl UnreadableFile {
    pub(super) const fn new(line: usize, why: &'static str) -> Self {
        Self { line, why }
    }

    /// The line number, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}
