//! Which handler serves which path.

use super::access::{Access, Requester};
use super::client::Peer;
use super::compat::{self, Dialect};
use super::connection::TooManyConnections;
use super::counters::{Api, Counters};
use super::error::ApiError;
use super::log::{Pending, RequestLog};
use super::pages::Pages;
use super::preview::Preview;
use super::state::Daemon;
use super::{batch, cors, health, messages, metrics, openapi, paths, preview};
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{Method, Version, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

/// All paths of the daemon.
pub fn router(daemon: Arc<Daemon>, pages: Pages, preview: Option<Preview>) -> Router {
    let gate = Gate {
        pages,
        access: daemon.access.clone(),
        counters: Arc::clone(&daemon.counters),
        has_dialects: !daemon.compat.no_compat,
        has_preview: preview.is_some(),
    };
    let router = Router::new()
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
        .route(paths::OPENAPI, get(openapi::openapi));
    #[cfg(feature = "docs-page")]
    let router = router.route(paths::DOCS, get(openapi::docs));
    let router = if daemon.compat.no_compat {
        router
    } else {
        router.merge(compat::routes())
    };
    let router = match preview {
        Some(preview) if preview.is_alone() => preview::routes(Arc::clone(&daemon), preview),
        Some(preview) => router.merge(preview::routes(Arc::clone(&daemon), preview)),
        None => router,
    };
    router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Arc::new(gate), guard))
        .with_state(daemon)
}

async fn not_found(
    Extension(words): Extension<Words>,
    Extension(log): Extension<RequestLog>,
) -> Response {
    words.refuse(&ApiError::NotFound, &log)
}

async fn method_not_allowed(
    Extension(words): Extension<Words>,
    Extension(log): Extension<RequestLog>,
) -> Response {
    words.refuse(&ApiError::MethodNotAllowed, &log)
}

/// In which API's format the answers under a path are; ours by default.
#[derive(Debug, Clone, Copy)]
struct Words(Option<Dialect>);

impl Words {
    /// Answers with an error, and logs it.
    fn refuse(self, error: &ApiError, log: &RequestLog) -> Response {
        log.failed(error);
        match self.0 {
            Some(dialect) => dialect.refuse(error),
            None => error.answer(),
        }
    }
}

/// Who may pass.
struct Gate {
    pages: Pages,
    access: Option<Arc<Access>>,
    counters: Arc<Counters>,
    /// Whether the paths of other services are served.
    has_dialects: bool,
    /// Whether those of the preview are served.
    has_preview: bool,
}

/// Refuses requests that no handler should see, before their bodies are read, and logs all requests.
async fn guard(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let peer = Peer::of(&request);
    let pending = Pending::start(
        peer,
        &request,
        paths::known(request.uri().path()),
        &gate.counters,
    );
    let log = pending.log();
    let path = request.uri().path();
    let words = Words(Dialect::of(path).filter(|_| gate.has_dialects));
    let named = gate.pages.named(request.headers()).cloned();
    let is_preview = gate.has_preview && paths::is_of_preview(path);
    let is_preflight = named.is_some() && cors::is_preflight(&request);
    let checked = check_connection(&request)
        .and_then(|()| check_transfer_coding(&request))
        .and_then(|()| check_page(&gate, &request, is_preview))
        .and_then(|()| match &gate.access {
            // It comes without a key.
            _ if is_preflight => Ok(None),
            access => check_key(access.as_deref(), &request, &log),
        })
        .and_then(|requester| {
            if is_preview {
                preview::check_key(requester.as_ref(), request.uri().path())?;
            }
            Ok(requester)
        });
    let mut response = match checked {
        Ok(_) if is_preflight => cors::preflight(),
        Ok(requester) => {
            request.extensions_mut().insert(log.clone());
            request.extensions_mut().insert(words);
            if let Some(requester) = requester {
                request.extensions_mut().insert(requester);
            }
            // Its answer contains the request ID as well.
            let answer = caught(next.run(request)).await;
            answer.unwrap_or_else(|_| words.refuse(&ApiError::Internal, &log))
        }
        Err(error) => words.refuse(&error, &log),
    };
    if is_preview {
        preview::harden(response.headers_mut());
    }
    pending.mark(response.headers_mut());
    if gate.pages.are_named() {
        cors::allow(&mut response, named);
    }
    pending.answered(response.status());
    response
}

/// The output of a future, or its panic, whose location is logged.
async fn caught<F: Future>(future: F) -> std::thread::Result<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // It is not polled again after a panic.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

/// Refuses requests on a connection that exceeds its client's limit.
fn check_connection(request: &Request) -> Result<(), ApiError> {
    match request.extensions().get::<TooManyConnections>() {
        None => Ok(()),
        Some(_) => Err(ApiError::TooManyConnections),
    }
}

/// Refuses a body in a transfer coding other than the one that is decoded before any handler sees it. Proxies disagree
/// on where such bodies end, and on what is in them.
fn check_transfer_coding(request: &Request) -> Result<(), ApiError> {
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(()),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(ApiError::TransferEncoding),
    }
}

/// Refuses requests from pages of other sites.
fn check_page(gate: &Gate, request: &Request, is_preview: bool) -> Result<(), ApiError> {
    let host = host_of(request)?;
    if is_preview {
        return preview::check_page(&gate.pages, request, host);
    }
    if paths::may_be_linked_to(request.uri().path()) || gate.pages.may_send(request.headers(), host)
    {
        Ok(())
    } else {
        Err(ApiError::ForeignPage)
    }
}

/// The sender of a request, if keys are required.
fn check_key(
    access: Option<&Access>,
    request: &Request,
    log: &RequestLog,
) -> Result<Option<Requester>, ApiError> {
    let Some(access) = access.filter(|_| !paths::is_open(request.uri().path())) else {
        return Ok(None);
    };
    let requester = access.admit(request.headers())?;
    if let Some(key) = requester.counters() {
        log.with_key(Arc::clone(key));
    }
    requester.count_request().inspect_err(|_| {
        if let Some(api) = submission_of(request) {
            log.submits(api);
        }
    })?;
    Ok(Some(requester))
}

/// The API through which a request submits mail, if it does.
fn submission_of(request: &Request) -> Option<Api> {
    if request.method() != Method::POST {
        return None;
    }
    match paths::known(request.uri().path()) {
        paths::MESSAGES => Some(Api::Messages),
        paths::TRANSMISSIONS => Some(Api::SparkPost),
        paths::EMAILS | paths::EMAILS_BATCH => Some(Api::Resend),
        _ => None,
    }
}

/// The host that a request names, if it names exactly one. Proxies disagree on other requests, which has been used to
/// smuggle some past them. HTTP/1.0 need not name any.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Action, parse};
    use axum::body::Body;
    use hyper::service::Service;
    use hyper_util::service::TowerToHyperService;

    #[tokio::test]
    async fn the_answer_to_a_panic_names_the_request() {
        let Action::Serve(args) = parse(["pmtaemailapi".into()]).unwrap() else {
            panic!("it serves")
        };
        let gate = Gate {
            pages: Pages::new(Vec::new(), &args.listen),
            access: None,
            counters: Arc::default(),
            has_dialects: true,
            has_preview: false,
        };
        let panics = get(async || -> &'static str { std::panic::resume_unwind(Box::new(())) });
        let router = (Router::new().route("/", panics))
            .layer(middleware::from_fn_with_state(Arc::new(gate), guard));
        let request = Request::get("/").header("host", "localhost");
        let request = request.header("x-request-id", "mine");
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(Peer { address: None });
        let response = TowerToHyperService::new(router)
            .call(request)
            .await
            .unwrap();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["x-request-id"], "mine");
    }
}
