//! Progress of the work on a mail merge.

use std::fmt;

/// Progress of the work on a mail merge; see [`StreamedMessage::with_progress`](super::StreamedMessage::with_progress).
///
/// ```
/// use pmtaemail::Progress;
///
/// fn percent(progress: Progress) -> u64 {
///     progress.size * 100 / progress.total_size.max(1)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Progress {
    /// How many recipients are done.
    pub recipients: usize,
    /// The size of their input, in bytes.
    pub size: u64,
    /// The size of the input of all recipients.
    pub total_size: u64,
}

/// Who is called.
pub(super) struct Listener(Box<dyn Fn(Progress) + Send + Sync>);

impl Listener {
    pub fn new(listener: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Box::new(listener))
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

/// Counts recipients and calls a listener now and then.
pub(super) struct Counter<'l> {
    listener: Option<&'l Listener>,
    progress: Progress,
    /// The progress at the last call.
    told: Progress,
}

/// This many recipients pass between two calls of the listener.
const RECIPIENTS: usize = 256;
/// Fewer if they are this large: then the work on them may be, too.
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

    /// Updates the progress.
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
