//! HTTP/1.1 on one connection.

use super::super::client::Peer;
use super::super::error::ApiError;
use super::super::log;
use super::answer::answer;
use super::closing::{Exchange, ServedStream, drain};
use super::preface::Peeked;
use super::{Context, GIVING_WAY, HEAD_BYTES};
use crate::args::LimitArgs;
use axum::http::header;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long the client may take for a response that is not hyper's.
const LAST_RESPONSE: Duration = Duration::from_secs(1);

/// Serves HTTP/1.1.
#[derive(Clone)]
pub struct Http1 {
    builder: Builder,
}

impl Http1 {
    pub fn new(limits: &LimitArgs) -> Self {
        let mut builder = Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(HEAD_BYTES)
            .max_header_size(HEAD_BYTES)
            // A client may close its side once its request is sent: `nc` does.
            .half_close(true);
        Self { builder }
    }

    /// Answers requests until the connection ends.
    pub async fn serve<S>(&self, stream: Peeked<S>, context: Context)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Context {
            peer,
            service,
            mut notices,
            slot,
        } = context;
        let slot = Arc::new(slot);
        let exchange = Arc::new(Exchange::default());
        let answer = service_fn(|request: Request<Incoming>| {
            let expects = request.headers().contains_key(header::EXPECT);
            let request = request.map(|body| exchange.begin(body));
            let answer = answer(
                service.clone(),
                request,
                peer,
                slot.is_too_many,
                Arc::clone(&slot),
            );
            let exchange = Arc::clone(&exchange);
            async move {
                let response = answer.await?;
                Ok::<_, Infallible>(exchange.respond(response, expects).await)
            }
        });
        let stream = TokioIo::new(ServedStream::new(stream, Arc::clone(&exchange)));
        let mut serving = self.builder.serve_connection(stream, answer);
        let (is_young, is_stopping) = (notices.is_young(), notices.is_stopping());
        let mut leave = pin!(notices.leave(|| exchange.is_idle(is_young())));
        let ended = tokio::select! {
            // The connection comes first: bytes that were peeked at are a request that has begun.
            biased;
            ended = &mut serving => Some(ended),
            () = &mut leave => None,
        };
        let is_left = ended.is_none();
        let ended = if is_left {
            // Ends an idle connection now, and others after their present request.
            Pin::new(&mut serving).graceful_shutdown();
            let gives_way = timeout(GIVING_WAY, &mut serving).await.ok();
            match gives_way {
                // hyper waits for the rest of a head that has arrived in part.
                None if is_stopping() || !exchange.is_idle(false) => Some((&mut serving).await),
                ended => ended,
            }
        } else {
            ended
        };
        let gave_way = ended.is_none();
        let parts = serving.into_parts();
        let (mut stream, held_back) = parts.io.into_inner().into_parts();
        let refused = match ended {
            // An idle connection just ends; one in the middle of the head of a request gets a response.
            None if !parts.read_buf.is_empty() => Some(ApiError::HeadTimeout),
            Some(Err(error)) if error.is_timeout() && !parts.read_buf.is_empty() => {
                Some(ApiError::HeadTimeout)
            }
            _ => held_back.map(|response| head_error(&response)),
        };
        if let Some(error) = &refused {
            last_response(&mut stream, peer, error).await;
        } else {
            shut_down(&mut stream).await;
        }
        // A connection that gives way does not keep its place for what its client still sends, either.
        if !gave_way && (exchange.is_unread() || refused.is_some()) {
            tokio::select! {
                () = drain(stream) => {}
                () = &mut leave, if !is_left => {}
            }
        }
    }
}

/// What is wrong with a head, derived from hyper's own response, which has nothing but the status.
fn head_error(response: &[u8]) -> ApiError {
    match response.get(b"HTTP/1.1 ".len()..b"HTTP/1.1 400".len()) {
        Some(b"431") => ApiError::HeadTooLarge,
        _ => ApiError::HeadBroken,
    }
}

/// Writes a response if hyper writes none, and declares it the last one.
pub async fn last_response(stream: &mut (impl AsyncWrite + Unpin), peer: Peer, error: &ApiError) {
    let request_id = log::broken_head(peer, error);
    let body = error.problem_details().to_json();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         content-length: {}\r\n{}: {request_id}\r\n\r\n",
        error.status(),
        body.len(),
        log::REQUEST_ID,
    );
    let response = [head.as_bytes(), &body].concat();
    // A client that is gone, or does not read this, gets no more time.
    let sent = timeout(LAST_RESPONSE, stream.write_all(&response)).await;
    if let Ok(Ok(())) = sent {
        shut_down(stream).await;
    }
}

/// Tells the client that nothing more will come.
async fn shut_down(stream: &mut (impl AsyncWrite + Unpin)) {
    // A client that is gone need not be told.
    let _: Result<io::Result<()>, _> = timeout(LAST_RESPONSE, stream.shutdown()).await;
}
