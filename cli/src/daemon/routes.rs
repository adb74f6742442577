//! Which path is answered by what.

use super::error::ApiError;
use super::state::Daemon;
use super::{health, messages};
use axum::Router;
use axum::extract::Request;
use axum::http::{Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;

/// All paths of the daemon.
pub fn router(daemon: Arc<Daemon>) -> Router {
    Router::new()
        .route("/messages", post(messages::submit))
        .route("/messages/check", post(messages::check))
        .route("/messages/render", post(messages::render))
        .route("/health", get(health::health))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .fallback(async || ApiError::NotFound)
        .layer(middleware::from_fn(one_host))
        .with_state(daemon)
}

/// Refuses a request that does not say once, and only once, which host it means. Proxies disagree
/// on such requests, which has been used to smuggle others past them.
async fn one_host(request: Request, next: Next) -> Response {
    if names_one_host(&request) {
        next.run(request).await
    } else {
        ApiError::Host.into_response()
    }
}

fn names_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    // HTTP/2's `:authority` takes the place of Host, which must say the same (RFC 9113 section 8.3.1).
    let authority = match request.version() {
        Version::HTTP_2 => request.uri().authority(),
        _ => None,
    };
    match (host, authority) {
        _ if second.is_some() => false,
        (Some(host), Some(authority)) => {
            (authority.as_str().as_bytes()).eq_ignore_ascii_case(host.as_bytes())
        }
        (Some(_), None) | (None, Some(_)) => true,
        (None, None) => request.version() < Version::HTTP_11,
    }
}
