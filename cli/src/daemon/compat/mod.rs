//! APIs of other services, so that a program written for one of them can use this daemon.
//!
//! A module for each of them translates its messages into ours, and our problems into its errors. It contains no rule
//! of mail: only the core decides what a message means, and what is wrong with it.
//!
//! ```text
//! POST /emails {"from": …, "to": …, "tags": [1]}
//!      │ object           the body as it is written, member by member
//!      │ resend           to our fields; what they have and we cannot do is a problem
//!      ▼ translated       {"from": …, "to": …}, and where each part came from
//! submit                  like a message of our own
//!      ▼
//! a receipt, or problems with pointers into our message, which are mapped back to theirs
//! ```
//!
//! Each file uses only files of lower levels:
//!
//! ```text
//! dialect             which paths belong to which service, and their errors
//!   sparkpost         /api/v1/transmissions
//!   resend            /emails, /emails/batch, /emails/{id}
//!     submit          from a request in another service's format to its receipt
//!     answer          the responses of both
//!       bytes         files as clients write them
//!       translated    a message in our format, and where it came from
//!       object        theirs, as it is written
//! ```

mod answer;
mod bytes;
mod dialect;
mod object;
mod resend;
mod sparkpost;
mod submit;
mod translated;

pub use dialect::Dialect;

use super::paths;
use super::state::Daemon;
use axum::Router;
use axum::routing::post;
use std::sync::Arc;

/// The paths of other services.
pub fn routes() -> Router<Arc<Daemon>> {
    Router::new()
        .route(paths::TRANSMISSIONS, post(sparkpost::submit))
        // As Anymail writes it; after a redirect it would be a GET.
        .route("/api/v1/transmissions/", post(sparkpost::submit))
        .merge(resend::routes())
}
