//! `/preview`: messages in a browser, before they are sent and in the pickup directory.
//!
//! ```text
//! POST /preview/api/views {"from": …}        POST /preview/api/outbox/1ng….eml
//!      │ posted    the pickup files that it would become      │ outbox   a file of the directory
//!      ▼                                                      ▼
//! views            the newest of both, by names that nobody can guess
//!      │ shown     the mail of one recipient, as the core library reads the files back
//!      ▼
//! answer           what the page is told       frames    what its frames show, and what it downloads
//! ```
//!
//! Whatever is shown was written by others, maybe by an attacker. So a frame has no origin, no scripts and no network
//! by its Content-Security-Policy, and what that does not stop is taken out of the HTML. What is asked for has to be
//! asked by the page itself, at a name of this daemon, and with a key where there are keys.
//!
//! Each file uses only files of lower stairs:
//!
//! ```text
//! api              the requests of the page
//!   posted         from a posted message to its pickup files
//!   events         the outbox, told again whenever it changes
//!     outbox       the files of the pickup directory
//! frames           the answers that frames show
//!   html           a mail's HTML without what leaves it
//!     css          the addresses in style sheets
//! answer           a view as JSON
//!   shown          the mail of one recipient
//!     views        what is kept
//!       values     the values of recipients
//! places           lines and columns of a JSON text
//! assets           the page and what belongs to it
//! guard            who may ask
//! ```

mod answer;
mod api;
mod assets;
mod css;
mod events;
mod frames;
mod guard;
mod html;
mod outbox;
mod places;
mod posted;
mod shown;
mod values;
mod views;

pub use guard::{check_key, check_page, harden};

use super::error::ApiError;
use super::paths;
use super::state::Daemon;
use axum::Router;
use axum::routing::{get, post};
use outbox::Outbox;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::Semaphore;
use views::Views;

/// What all requests of the preview share.
pub struct Preview {
    views: Views,
    /// The pickup directory, where it is shown.
    outbox: Option<Arc<Outbox>>,
    /// The message that the page begins with.
    file: Option<String>,
    /// A permit for each client that listens to the outbox.
    listeners: Arc<Semaphore>,
    is_alone: bool,
}

/// Most clients that listen to the outbox at once.
const MOST_LISTENERS: usize = 64;

impl Preview {
    /// A preview that keeps views of so many bytes.
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

    /// Is all that there is of the daemon.
    #[must_use]
    pub fn alone(self) -> Self {
        Self {
            is_alone: true,
            ..self
        }
    }

    /// Whether it is all that there is.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// Begins with this message.
    #[must_use]
    pub fn with_file(self, file: Option<String>) -> Self {
        Self { file, ..self }
    }
}

impl Daemon {
    /// The preview, which is there where its paths are.
    fn preview(&self) -> Result<&Preview, ApiError> {
        self.preview.as_ref().ok_or(ApiError::NotFound)
    }
}

/// The paths of the preview.
pub fn routes() -> Router<Arc<Daemon>> {
    Router::new()
        .route(paths::PREVIEW, get(assets::page))
        .route("/preview/", get(assets::page))
        .route(paths::PREVIEW_FILE, get(assets::file))
        .route(paths::PREVIEW_STATUS, get(api::status))
        .route(paths::PREVIEW_VIEWS, post(api::post_view))
        .route(paths::PREVIEW_VIEW, get(api::view))
        .route(paths::PREVIEW_OUTBOX, get(api::outbox))
        .route(paths::PREVIEW_EVENTS, get(events::events))
        .route(paths::PREVIEW_OUTBOX_FILE, post(api::open_file))
        .route("/preview/views/{view}/html", get(frames::html))
        .route("/preview/views/{view}/source", get(frames::source))
        .route(
            "/preview/views/{view}/pickup-file",
            get(frames::pickup_file),
        )
        .route("/preview/views/{view}/parts/{number}", get(frames::part))
}
