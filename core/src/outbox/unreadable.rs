//! Why a file cannot be read.

/// A file is not one that this library writes.
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

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }
}
