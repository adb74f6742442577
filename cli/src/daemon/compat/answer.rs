//! The answers of other services' APIs.

use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::receipt::JSON;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pmtaemail::{Id, Problem};
use serde_json::Value;

/// Has the receipt's own identifier, which PowerMTA's accounting has, too.
const ID: HeaderName = HeaderName::from_static("x-pmtaemail-id");

/// Their clients expect this media type, and read nothing under another one.
pub fn json(status: StatusCode, body: &Value) -> Response {
    let media_type = [(header::CONTENT_TYPE, JSON)];
    (status, media_type, body.to_string()).into_response()
}

/// An error response with the header fields that our own API gives it.
pub fn error(status: StatusCode, body: &Value, error: &ApiError) -> Response {
    let mut response = json(status, body);
    response.headers_mut().extend(error.headers());
    response
}

/// A problem with its place, as a path of names.
pub fn sentence(problem: &Problem) -> String {
    match problem.pointer() {
        "" => problem.detail().to_owned(),
        pointer => format!("`{}`: {}", &pointer[1..], problem.detail()),
    }
}

/// The result; or the response that `refuse` makes of the error, which is logged.
pub fn or_refusal(
    result: Result<Response, ApiError>,
    log: &RequestLog,
    refuse: fn(&ApiError) -> Response,
) -> Response {
    result.unwrap_or_else(|error| {
        log.failed(&error);
        refuse(&error)
    })
}

/// Names the submission by our own identifier.
pub fn add_id(headers: &mut HeaderMap, id: Id) {
    let id = HeaderValue::from_str(id.as_str()).expect("digits and letters are a value");
    headers.insert(ID, id);
}
