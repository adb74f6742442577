//! The answers of other services' APIs.

use super::super::error::ApiError;
use super::super::receipt::JSON;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// Their clients ask for this media type, and read nothing under another one.
pub fn json(status: StatusCode, body: &Value) -> Response {
    let media_type = [(header::CONTENT_TYPE, JSON)];
    (status, media_type, body.to_string()).into_response()
}

/// An error, with the fields of the head that all of our answers to it have.
pub fn error(status: StatusCode, body: &Value, error: &ApiError) -> Response {
    let mut response = json(status, body);
    response.headers_mut().extend(error.headers());
    response
}
