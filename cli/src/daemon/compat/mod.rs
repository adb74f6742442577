//! Other services' APIs, so that a program that was written for one of them can be pointed here.
//!
//! A room for each of them translates its words into our message, and our problems back into its errors. No rule of
//! mail is there: what a message means, and what is wrong with it, is said by the core alone.
//!
//! ```text
//! POST /emails {"from": …, "to": …, "tags": [1]}
//!      │ object           the body as it is written, member by member
//!      │ resend           to our words; what they have and we cannot do is a problem
//!      ▼ translated       {"from": …, "to": …}, and where each part came from
//! submit                  as a message of our own is
//!      ▼
//! a receipt, or problems with pointers into our message: their places tell those into theirs
//! ```
//!
//! Each file uses only files of lower stairs:
//!
//! ```text
//! dialect             which paths are whose, and their errors
//!   sparkpost         /api/v1/transmissions
//!   resend            /emails, /emails/batch, /emails/{id}
//!     submit          from a request in another service's words to its receipt
//!     answer          the answers of both
//!       bytes         files as clients write them
//!       translated    a message in our words, and where it came from
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
        // As Anymail writes it; a redirect would become a GET.
        .route("/api/v1/transmissions/", post(sparkpost::submit))
        .merge(resend::routes())
}
