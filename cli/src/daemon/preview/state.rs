//! What all requests of the preview share.

use super::super::error::ApiError;
use super::super::state::Daemon;
use super::outbox::Outbox;
use super::views::Views;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Maximum number of clients that listen to the outbox at once.
const MOST_LISTENERS: usize = 64;

/// A preview.
pub struct Preview {
    pub views: Views,
    /// The pickup directory, where it is shown.
    outbox: Option<Arc<Outbox>>,
    /// The message that the page starts with.
    pub file: Option<String>,
    /// A permit for each client that listens to the outbox.
    pub listeners: Arc<Semaphore>,
    is_alone: bool,
}

/// The preview, and its daemon.
pub struct Shared {
    pub daemon: Arc<Daemon>,
    pub preview: Preview,
}

impl Preview {
    /// A preview that keeps views up to this total size.
    pub fn new(room: usize) -> Self {
        Self {
            views: Views::new(room),
            outbox: None,
            file: None,
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
            is_alone: false,
        }
    }

    /// Shows the files of this directory.
    #[must_use]
    pub fn with_outbox(self, directory: &Path) -> Self {
        Self {
            outbox: Some(Arc::new(Outbox::new(directory.to_owned()))),
            ..self
        }
    }

    /// Begins with this message.
    #[must_use]
    pub fn with_file(self, file: Option<String>) -> Self {
        Self { file, ..self }
    }

    /// Makes the preview everything that the daemon offers.
    #[must_use]
    pub fn alone(self) -> Self {
        Self {
            is_alone: true,
            ..self
        }
    }

    /// Whether the daemon offers nothing else.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Whether the pickup directory is shown.
    pub fn has_outbox(&self) -> bool {
        self.outbox.is_some()
    }

    /// The pickup directory, where it is shown.
    pub fn outbox(&self) -> Result<Arc<Outbox>, ApiError> {
        self.outbox.clone().ok_or(ApiError::NotFound)
    }
}
