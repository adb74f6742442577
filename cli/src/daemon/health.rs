//! `GET /health`: whether messages would be taken.

use super::back_pressure::{BadMailFigures, Figures};
use super::log::RequestLog;
use super::query::{self, Query};
use super::state::Daemon;
use crate::args::PressureLimit;
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;

#[derive(Serialize)]
struct Health {
    /// `ok`, `pickup-unavailable`, `back-pressure` or `busy`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pickup: Option<Pickup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    badmail: Option<BadMail>,
}

/// What is in the pickup directory and on its file system, of that which options ask to watch.
#[derive(Serialize)]
struct Pickup {
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "ageSeconds")]
    age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "freeOctets")]
    free: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "freeInodes")]
    free_inodes: Option<u64>,
}

/// What is in the folder for bad mail, and what came there since the start.
#[derive(Serialize)]
struct BadMail {
    files: Option<u64>,
    arrived: u64,
}

impl Pickup {
    fn new(figures: Figures) -> Option<Self> {
        let value = |limit| figures.value(limit);
        PressureLimit::ALL.into_iter().find_map(value)?;
        Some(Self {
            files: value(PressureLimit::MaxDepth),
            age: value(PressureLimit::MaxAge).map(|milliseconds| milliseconds / 1_000),
            free: value(PressureLimit::MinFree),
            free_inodes: value(PressureLimit::MinFreeInodes),
        })
    }
}

impl BadMail {
    fn new(BadMailFigures { files, arrived }: BadMailFigures) -> Self {
        Self { files, arrived }
    }
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
    let figures = daemon.back_pressure.figures();
    let (status, cause) = if daemon.admission.is_full() {
        ("busy", Some("all-places-taken"))
    } else {
        let readiness = daemon.readiness.clone();
        let back_pressure = daemon.back_pressure.shut();
        match readiness.cause(move || daemon.pickup.probe()).await {
            None => match back_pressure {
                None => ("ok", None),
                Some(limit) => ("back-pressure", Some(limit.name())),
            },
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
        pickup: figures.and_then(Pickup::new),
        badmail: figures
            .and_then(|figures| figures.badmail)
            .map(BadMail::new),
    };
    let body = serde_json::to_vec(&health).expect("texts are JSON");
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
