//! `GET /health`: whether messages would be taken.

use super::log::RequestLog;
use super::query::{self, Query};
use super::state::Daemon;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Health {
    /// `ok`, `pickup-unavailable` or `busy`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    version: &'static str,
}

/// Answers 200 when a message would be taken, and 503 with the cause otherwise.
pub async fn health(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Response {
    log.event("health_request");
    if let Err(error) = Query::of(&uri, query::HEALTH).and_then(Query::without_others) {
        log.failed(&error);
        return error.into_response();
    }
    let (status, cause) = if daemon.admission.is_full() {
        ("busy", Some("all-places-taken"))
    } else {
        let readiness = daemon.readiness.clone();
        match readiness.cause(move || daemon.pickup.probe()).await {
            None => ("ok", None),
            cause => ("pickup-unavailable", cause),
        }
    };
    let code = if cause.is_none() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let health = Health {
        status,
        cause,
        version: pmtaemail::VERSION,
    };
    let body = serde_json::to_vec(&health).expect("texts are JSON");
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
