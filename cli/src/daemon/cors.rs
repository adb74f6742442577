//! Lets named web pages use the daemon from a browser (CORS, the Fetch standard section 3.2).
//!
//! ```text
//! OPTIONS with Access-Control-Request-Method   a preflight: 204, and what such a page may send
//! any other request                            its answer, and which page may read it
//! ```
//!
//! `pages` refuses all others beforehand. A preflight has no `Authorization`: it is answered before that is checked.

use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};

const METHODS: &str = "GET, POST";

/// Header fields that a page may set besides those that it always may.
const REQUEST_FIELDS: &str = "authorization, content-encoding, content-type, idempotency-key, traceparent, tracestate, x-request-id";

/// Header fields that a page may read besides those that it always may.
const RESPONSE_FIELDS: &str = "idempotent-replayed, retry-after, traceparent, x-request-id";

/// Seconds for which a browser need not ask again: two hours, the most that Chromium accepts.
const MAX_AGE: &str = "7200";

/// Whether a browser asks what its page may send.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && (request.headers()).contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight of a page that is named.
pub fn preflight() -> Response {
    let fields = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_FIELDS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    (StatusCode::NO_CONTENT, fields).into_response()
}

/// Lets pages of an allowed `origin` read a response. Other requests may have other origins.
pub fn allow(response: &mut Response, origin: Option<HeaderValue>) {
    let fields = response.headers_mut();
    fields.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let exposed = HeaderValue::from_static(RESPONSE_FIELDS);
        fields.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}
