//! HTTP/1.1 on one connection.

use super::super::error::ApiError;
use super::answer::answer;
use super::preface::Peeked;
use super::{Context, HEAD_BYTES};
use crate::args::LimitArgs;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long the client may take for the response to an unfinished head.
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
        let answer =
            service_fn(|request| answer(service.clone(), request, peer, Arc::clone(&slot)));
        let mut serving = self.builder.serve_connection(TokioIo::new(stream), answer);
        let mut leave = pin!(notices.leave());
        let ended = tokio::select! {
            // The connection comes first: bytes that were peeked at are a request that has begun.
            biased;
            ended = &mut serving => Some(ended),
            () = &mut leave => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            // Ends an idle connection now, and others after their present request.
            Pin::new(&mut serving).graceful_shutdown();
            (&mut serving).await
        };
        if ended.is_err_and(|error| error.is_timeout()) {
            let parts = serving.into_parts();
            // An idle connection just ends; one in the middle of the head of a request gets a response.
            if !parts.read_buf.is_empty() {
                head_timeout(parts.io.into_inner()).await;
            }
        }
    }
}

/// Answers a head that does not come to its end, which hyper does not do by itself, and ends the
/// connection.
pub async fn head_timeout(mut stream: impl AsyncWrite + Unpin) {
    let error = ApiError::HeadTimeout;
    let body = error.problem_details().to_json();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        error.status(),
        body.len(),
    );
    let response = [head.as_bytes(), &body].concat();
    let send = async {
        stream.write_all(&response).await?;
        stream.shutdown().await
    };
    // A client that is gone, or does not take this, has had its time.
    let _: Result<io::Result<()>, _> = timeout(LAST_RESPONSE, send).await;
}
