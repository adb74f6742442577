//! `GET /metrics`.

use super::super::blocking::run_blocking;
use super::super::error::ApiError;
use super::super::health::Readings;
use super::super::log::RequestLog;
use super::super::query::refuse_any;
use super::super::state::Daemon;
use super::present::Present;
use super::process::Process;
use crate::args::PressureLimit;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;

/// OpenMetrics 1.0, which Prometheus requests.
const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Responds with all metrics, in the requested format.
pub async fn metrics(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ApiError> {
    log.event("metrics_request");
    refuse_any(&uri, &log)?;
    let mut present = Registry::default();
    present.register_collector(Box::new(look(&daemon).await));
    let written = if asks_for_open_metrics(&headers) {
        open_metrics(&daemon.counters.registry, &present).map(|text| (OPEN_METRICS_TYPE, text))
    } else {
        classic(&daemon.counters.registry, &present)
            .map(|text| (prometheus_text::CONTENT_TYPE, text))
    };
    let (media_type, text) = written.expect("a String takes all that is written");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, media_type)], text).into_response())
}

/// Clients that name the format can read it.
fn asks_for_open_metrics(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(header::ACCEPT).iter();
    accepted.any(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        memchr::memmem::find(&value, OPEN_METRICS.as_bytes()).is_some()
    })
}

fn open_metrics(counted: &Registry, present: &Registry) -> Result<String, fmt::Error> {
    let mut out = String::new();
    text::encode_registry(&mut out, counted)?;
    text::encode_registry(&mut out, present)?;
    text::encode_eof(&mut out)?;
    Ok(out)
}

/// The text format 0.0.4, which every program can read.
fn classic(counted: &Registry, present: &Registry) -> Result<String, fmt::Error> {
    let mut out = String::new();
    prometheus_text::encode(&mut out, counted)?;
    prometheus_text::encode(&mut out, present)?;
    Ok(out)
}

async fn look(daemon: &Arc<Daemon>) -> Present {
    let path = daemon.pickup.path().to_owned();
    let (readings, pickup) = tokio::join!(
        Readings::take(daemon),
        daemon.pickup_look.figures(&daemon.back_pressure, path)
    );
    Present {
        process: run_blocking(Process::now).await.unwrap_or_default(),
        started: daemon.counters.started,
        connections: daemon.connections.open(),
        max_connections: daemon.connections.most(),
        in_use: daemon.admission.in_use(),
        ready: readings.all().map(|(name, cause)| (name, cause.is_none())),
        shut: PressureLimit::ALL.map(|limit| (limit, daemon.back_pressure.is_shut(limit))),
        pickup,
    }
}
