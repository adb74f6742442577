//! Which path is answered by what.

use super::access::{Access, Requester};
use super::client::Peer;
use super::counters::Counters;
use super::error::ApiError;
use super::log::{Pending, RequestLog};
use super::pages::Pages;
use super::state::Daemon;
use super::{batch, cors, health, messages, metrics, openapi, paths};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// All paths of the daemon.
pub fn router(daemon: Arc<Daemon>, pages: Pages) -> Router {
    let gate = Gate {
        pages,
        access: daemon.access.clone(),
        counters: Arc::clone(&daemon.counters),
    };
    Router::new()
        .route(paths::MESSAGES, post(messages::submit))
        // As many clients write it.
        .route("/messages/", post(messages::submit))
        .route(paths::BATCH, post(batch::submit))
        .route(paths::CHECK, post(messages::check))
        .route(paths::RENDER, post(messages::render))
        .route(paths::HEALTH, get(health::health))
        .route(paths::LIVE, get(health::live))
        .route(paths::READY, get(health::ready))
        .route(paths::METRICS, get(metrics::metrics))
        .route(paths::OPENAPI, get(openapi::openapi))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::new(gate), guard))
        .with_state(daemon)
}

async fn not_found(Extension(log): Extension<RequestLog>) -> ApiError {
    log.failed(&ApiError::NotFound);
    ApiError::NotFound
}

async fn method_not_allowed(Extension(log): Extension<RequestLog>) -> ApiError {
    log.failed(&ApiError::MethodNotAllowed);
    ApiError::MethodNotAllowed
}

/// Who may pass.
struct Gate {
    pages: Pages,
    access: Option<Arc<Access>>,
    counters: Arc<Counters>,
}

/// Refuses requests that no handler should see, before their bodies are read, and logs all.
async fn guard(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let peer = Peer::of(&request);
    let pending = Pending::start(
        peer,
        &request,
        paths::known(request.uri().path()),
        &gate.counters,
    );
    let log = pending.log();
    let named = gate.pages.named(request.headers()).cloned();
    let is_preflight = named.is_some() && cors::is_preflight(&request);
    let checked = check_page(&gate, &request).and_then(|()| match &gate.access {
        // It comes without a key.
        _ if is_preflight => Ok(None),
        access => check_key(access.as_deref(), &request, &log),
    });
    let mut response = match checked {
        Ok(_) if is_preflight => cors::preflight(),
        Ok(requester) => {
            request.extensions_mut().insert(log);
            if let Some(requester) = requester {
                request.extensions_mut().insert(requester);
            }
            next.run(request).await
        }
        Err(error) => {
            log.failed(&error);
            error.into_response()
        }
    };
    pending.mark(response.headers_mut());
    if gate.pages.are_named() {
        cors::allow(&mut response, named);
    }
    pending.answered(response.status());
    response
}

/// Refuses what a page of another site sends.
fn check_page(gate: &Gate, request: &Request) -> Result<(), ApiError> {
    let host = host_of(request)?;
    if gate.pages.may_send(request.headers(), host) {
        Ok(())
    } else {
        Err(ApiError::ForeignPage)
    }
}

/// Who sends a request, where that is asked.
fn check_key(
    access: Option<&Access>,
    request: &Request,
    log: &RequestLog,
) -> Result<Option<Requester>, ApiError> {
    let Some(access) = access.filter(|_| !paths::is_open(request.uri().path())) else {
        return Ok(None);
    };
    let requester = access.admit(request.headers())?;
    if let Some(name) = requester.name() {
        log.key(name);
    }
    requester.count_request()?;
    Ok(Some(requester))
}

/// The host that a request means, if it says so once, and only once. Proxies disagree on other
/// requests, which has been used to smuggle some past them. HTTP/1.0 need not name any.
fn host_of(request: &Request) -> Result<Option<&str>, ApiError> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    let host = host.map(|host| host.to_str().ok());
    // HTTP/2's `:authority` takes the place of Host, which must say the same (RFC 9113 section 8.3.1).
    let authority = match request.version() {
        Version::HTTP_2 => request.uri().authority().map(Authority::as_str),
        _ => None,
    };
    match (host, authority) {
        _ if second.is_some() => Err(ApiError::Host),
        (Some(host), Some(authority)) => match host {
            Some(host) if host.eq_ignore_ascii_case(authority) => Ok(Some(host)),
            _ => Err(ApiError::Host),
        },
        (Some(host), None) => Ok(host),
        (None, Some(authority)) => Ok(Some(authority)),
        (None, None) if request.version() < Version::HTTP_11 => Ok(None),
        (None, None) => Err(ApiError::Host),
    }
}
