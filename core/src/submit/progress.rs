//! How far the work on a mail merge has come.

use std::fmt;

/// How far the work on a mail merge has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many recipients are done.
    pub recipients: usize,
    /// How many bytes they are written in.
    pub size: u64,
    /// How many bytes all of them are written in.
    pub total_size: u64,
}

/// Who is told.
pub(super) struct Listener(Box<dyn Fn(Progress) + Send>);

impl Listener {
    pub fn new(listener: impl Fn(Progress) + Send + 'static) -> Self {
        Self(Box::new(listener))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Counts recipients, and tells a listener now and then.
pub(super) struct Counter<'l> {
    listener: Option<&'l Listener>,
    progress: Progress,
    /// How much there was when the listener was told.
    told: Progress,
}

/// Between two calls of the listener come as many recipients.
const RECIPIENTS: usize = 256;
/// Fewer if they are so large: their work may be, too.
const SIZE: u64 = 64 << 10;

impl<'l> Counter<'l> {
    pub fn new(listener: Option<&'l Listener>, total_size: u64) -> Self {
        let progress = Progress {
            recipients: 0,
            size: 0,
            total_size,
        };
        Self {
            listener,
            progress,
            told: progress,
        }
    }

    /// So many recipients are done, and bytes were read.
    pub fn tell(&mut self, recipients: usize, size: u64) {
        let Some(Listener(listener)) = self.listener else {
            return;
        };
        self.progress.recipients = recipients;
        self.progress.size = size;
        if self.progress.recipients - self.told.recipients >= RECIPIENTS
            || self.progress.size - self.told.size >= SIZE
        {
            listener(self.progress);
            self.told = self.progress;
        }
    }
}
