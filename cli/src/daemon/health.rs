//! `GET /health`: whether messages would be taken. `/health/live` and `/health/ready` tell orchestrators whether
//! to restart the daemon, and whether to send it requests.

use super::back_pressure::{BadMailFigures, Figures};
use super::error::ApiError;
use super::log::RequestLog;
use super::query::refuse_any;
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

/// What is in the folder for bad mail, and what has arrived there since the start.
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

/// Answers 200 if a message would be accepted, and otherwise 503 with the reason.
pub async fn health(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Result<Response, ApiError> {
    begin(&log, &uri)?;
    let back_pressure = daemon.back_pressure.shut();
    // Read second: figures are stored before a limit counts as reached, so these agree with it.
    let figures = daemon.back_pressure.figures();
    let (status, cause) = if daemon.admission.is_full() {
        ("busy", Some("all-places-taken"))
    } else {
        let readiness = daemon.readiness.clone();
        match readiness
            .cause(move || daemon.pickup.probe().map(|()| None))
            .await
        {
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
    Ok(answer(code, &health))
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
    version: &'static str,
}

/// Answers 200: the process takes requests. Nothing is probed, since restarting the daemon repairs no disk.
pub async fn live(Extension(log): Extension<RequestLog>, uri: Uri) -> Result<Response, ApiError> {
    begin(&log, &uri)?;
    let live = Live {
        status: "ok",
        version: pmtaemail::VERSION,
    };
    Ok(answer(StatusCode::OK, &live))
}

#[derive(Serialize)]
struct Ready {
    /// `ok` or `unready`.
    status: &'static str,
    version: &'static str,
    checks: Checks,
}

#[derive(Serialize)]
struct Checks {
    pickup: Check,
    disk: Check,
    depth: Check,
    keys: Check,
}

/// For each thing that messages need: why it is unavailable, if it is.
#[derive(Debug)]
pub struct Readings {
    pickup: Option<&'static str>,
    disk: Option<&'static str>,
    depth: Option<&'static str>,
    keys: Option<&'static str>,
}

impl Readings {
    /// Probes each, unless somebody did within the last second.
    pub async fn take(daemon: &Arc<Daemon>) -> Self {
        // The first of these limits that keeps messages out.
        let shut = |limits: [PressureLimit; 2]| {
            let mut limits = limits.into_iter();
            let shut = limits.find(|limit| daemon.back_pressure.is_shut(*limit));
            shut.map(PressureLimit::name)
        };
        let (pickup, keys) = (Arc::clone(daemon), Arc::clone(daemon));
        let pickup = move || pickup.pickup.probe().map(|()| None);
        let keys = move || {
            let takes_keys = keys.pickup.probe_keys()?;
            Ok((takes_keys == Some(false)).then_some("full"))
        };
        let (pickup, keys) = tokio::join!(
            daemon.readiness.cause(pickup),
            daemon.keys_readiness.cause(keys)
        );
        Self {
            pickup,
            disk: shut([PressureLimit::MinFree, PressureLimit::MinFreeInodes]),
            depth: shut([PressureLimit::MaxDepth, PressureLimit::MaxAge]),
            keys,
        }
    }

    /// Each by its name.
    pub fn all(&self) -> [(&'static str, Option<&'static str>); 4] {
        [
            ("pickup", self.pickup),
            ("disk", self.disk),
            ("depth", self.depth),
            ("keys", self.keys),
        ]
    }

    fn are_good(&self) -> bool {
        self.all().into_iter().all(|(_, cause)| cause.is_none())
    }
}

/// What one check found.
#[derive(Serialize)]
struct Check {
    /// `ok` or `failed`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
}

impl Check {
    fn new(cause: Option<&'static str>) -> Self {
        let status = if cause.is_none() { "ok" } else { "failed" };
        Self { status, cause }
    }
}

/// Answers 200 if everything that messages need is available, and otherwise 503 with the checks that failed. A
/// momentary lack of free places does not fail a check.
pub async fn ready(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Result<Response, ApiError> {
    begin(&log, &uri)?;
    let readings = Readings::take(&daemon).await;
    let (code, status) = if readings.are_good() {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unready")
    };
    let checks = Checks {
        pickup: Check::new(readings.pickup),
        disk: Check::new(readings.disk),
        depth: Check::new(readings.depth),
        keys: Check::new(readings.keys),
    };
    let ready = Ready {
        status,
        version: pmtaemail::VERSION,
        checks,
    };
    Ok(answer(code, &ready))
}

/// Names the request in the log, and refuses a query.
fn begin(log: &RequestLog, uri: &Uri) -> Result<(), ApiError> {
    log.event("health_request");
    refuse_any(uri, log)
}

fn answer(code: StatusCode, health: &impl Serialize) -> Response {
    let body = serde_json::to_vec(health).expect("texts are JSON");
    (code, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
