//! Resend's API: <https://resend.com/docs/api-reference>.

mod errors;

pub use errors::refuse;

use super::super::state::Daemon;
use axum::Router;
use std::sync::Arc;

/// Its paths.
pub fn routes() -> Router<Arc<Daemon>> {
    Router::new()
}
