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
//! Whatever is shown was written by others, maybe by an attacker. So its Content-Security-Policy leaves a frame without
//! an origin, scripts and network, and what the policy does not stop is removed from the HTML. Requests must come from
//! the page itself, use a name of this daemon, and have a key if there are keys.
//!
//! Each file uses only files of lower stairs:
//!
//! ```text
//! api              the requests of the page
//!   posted         from a posted message to its pickup files
//! events           the outbox, told again whenever it changes
//! frames           the answers that frames show
//!   wanted         whose mail of which view is wanted, and whether there is room to show it
//!     state        what all requests share
//!     answer       a view as JSON
//!       html       a mail's HTML without what leaves its frame
//!         css      the addresses in style sheets
//!     outbox       the files of the pickup directory
//!       shown      the mail of one recipient
//!         views    what is kept
//!           values the values of recipients
//!           places lines and columns of a JSON text
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
mod state;
mod values;
mod views;
mod wanted;

pub use guard::{check_key, check_page, harden};
pub use state::Preview;

use super::paths;
use super::state::Daemon;
use axum::Router;
use axum::routing::{get, post};
use state::Shared;
use std::sync::Arc;

/// The paths of the preview.
pub fn routes(daemon: Arc<Daemon>, preview: Preview) -> Router<Arc<Daemon>> {
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
        .with_state(Arc::new(Shared { daemon, preview }))
}
