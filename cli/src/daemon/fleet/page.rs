//! What a consumer serves over HTTP: `/metrics` for Prometheus, and `/health`.

use super::super::log;
use super::counts::Counts;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus_client::encoding::prometheus_text;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The maximum number of connections at once. The clients are monitoring systems.
const CONNECTIONS: usize = 32;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection may take in total.
const WHOLE: Duration = Duration::from_secs(30);

/// The pause before accepting connections is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// Answers as long as it is polled.
pub async fn serve(listener: TcpListener, counts: Arc<Counts>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            // It is never closed.
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let counts = Arc::clone(&counts);
                tokio::spawn(async move {
                    // A client that disconnects does not concern the log.
                    let _ = timeout(WHOLE, answer_one(stream, &counts)).await;
                    drop(place);
                });
            }
            Err(error) => {
                log::metrics_not_served(&error);
                sleep(PAUSE).await;
            }
        }
    }
}

async fn answer_one(stream: TcpStream, counts: &Counts) -> hyper::Result<()> {
    let service =
        service_fn(|request| async move { Ok::<_, Infallible>(answer(&request, counts)) });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

fn answer(request: &Request<Incoming>, counts: &Counts) -> Response<Full<Bytes>> {
    let (status, media_type, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            (StatusCode::OK, prometheus_text::CONTENT_TYPE, counts.text())
        }
        (&Method::GET | &Method::HEAD, "/health") => match counts.cause() {
            None => (StatusCode::OK, "text/plain", "ok\n".to_owned()),
            Some(cause) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "text/plain",
                format!("{cause}\n"),
            ),
        },
        _ => (
            StatusCode::NOT_FOUND,
            "text/plain",
            "there are /metrics and /health\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        media_type.parse().expect("it is a header value"),
    );
    response
}
