//! One connection, from its first octet to its last.

use super::refusal::Refusal;
use axum::Router;
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// A connection that is younger than this is not asked to make room: its request may be on the
/// way.
const YOUNG: Duration = Duration::from_millis(500);

/// What all connections are told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Notice {
    /// Rises when there is no room for another connection.
    pub crowded: u64,
    /// The daemon is about to end.
    pub stopping: bool,
}

/// Answers the requests of one connection until it ends. `slot` is its place among all
/// connections; it is held until every request that was begun is done.
pub async fn serve(
    stream: TcpStream,
    http: http1::Builder,
    service: TowerToHyperService<Router>,
    mut notice: watch::Receiver<Notice>,
    slot: OwnedSemaphorePermit,
) {
    let accepted = Instant::now();
    let slot = Arc::new(slot);
    let answer = service_fn(|request| answer(service.clone(), request, Arc::clone(&slot)));
    let mut connection = http.serve_connection(TokioIo::new(stream), answer);
    let mut leaving = notice.borrow_and_update().stopping;
    if leaving {
        Pin::new(&mut connection).graceful_shutdown();
    }
    let ended = loop {
        tokio::select! {
            ended = &mut connection => break ended,
            Ok(()) = notice.changed(), if !leaving => {
                let stopping = notice.borrow_and_update().stopping;
                leaving = stopping || accepted.elapsed() > YOUNG;
                if leaving {
                    // Ends an idle connection now, and others after their present request.
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
    };
    if ended.is_err_and(|error| error.is_timeout()) {
        let parts = connection.into_parts();
        // An idle connection just ends; one that is amid the head of a request is told why.
        if !parts.read_buf.is_empty() {
            let _ = parts.io.into_inner().try_write(&head_timeout());
        }
    }
}

/// Answers one request in a task of its own: it goes on when the client goes away, and its panic
/// is an answer and not the end of the connection.
async fn answer(
    service: TowerToHyperService<Router>,
    request: Request<Incoming>,
    slot: Arc<OwnedSemaphorePermit>,
) -> Result<Response, Infallible> {
    let task = tokio::spawn(async move {
        let answer = service.call(request).await;
        drop(slot);
        answer
    });
    match task.await {
        Ok(answer) => answer,
        Err(_panic) => Ok(Refusal::Internal.into_response()),
    }
}

/// The answer to a head that does not come to its end, which hyper does not give by itself.
fn head_timeout() -> Vec<u8> {
    let refusal = Refusal::HeadTimeout;
    let body = refusal.problem_details().to_json();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        refusal.status(),
        body.len(),
    );
    [head.as_bytes(), &body].concat()
}
