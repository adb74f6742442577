//! `GET /health`: whether messages would be taken.

use super::state::Daemon;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rustix::fs::{Access, access};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// A file system that takes longer to answer does not take messages either.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Health {
    /// `ok`, or `pickup-unavailable`.
    status: &'static str,
    version: &'static str,
}

/// Answers 200 when the pickup directory can be written to, and 503 otherwise.
pub async fn health(State(daemon): State<Arc<Daemon>>) -> Response {
    let test = spawn_blocking(move || is_usable(&daemon));
    let usable = matches!(timeout(PATIENCE, test).await, Ok(Ok(true)));
    let (code, status) = if usable {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "pickup-unavailable")
    };
    let version = pmtaemail::VERSION;
    let body = serde_json::to_vec(&Health { status, version }).expect("texts are JSON");
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// One system call: the directory is there and may be written to.
fn is_usable(daemon: &Daemon) -> bool {
    // The dot makes it fail where the path is no directory any more.
    let inside = daemon.pickup.path().join(".");
    access(&inside, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}
