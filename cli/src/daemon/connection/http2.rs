//! HTTP/2 on one connection.
//!
//! A client may have many requests on it at once, each a stream. What they hold is limited:
//!
//! - Data that no request has read yet: of each as much as the head of a request may have, of all
//!   [`CONNECTION_WINDOW`]. A batch that stops reading holds up no other body.
//! - Requests: [`MAX_STREAMS`]. Those whose stream the client has reset count as long as they are at
//!   work: resetting frees the stream's place, but does not undo a submission. (h2 itself bounds
//!   streams that are reset before they are accepted: "rapid reset", CVE-2023-44487.)
//! - Time: see [`Activity`].

use super::activity::{Activity, AtWork};
use super::answer::answer;
use super::drained::Drained;
use super::preface::Peeked;
use super::{Context, GIVING_WAY, HEAD_BYTES};
use crate::args::LimitArgs;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

/// The minimum that RFC 9113 section 6.5.2 recommends.
const MAX_STREAMS: u32 = 100;

/// Sixteen bodies may stop before one waits for another.
const CONNECTION_WINDOW: u32 = 1 << 20;

/// Serves HTTP/2.
#[derive(Clone)]
pub struct Http2 {
    builder: Builder<TokioExecutor>,
    /// How long a connection may have no streams.
    idle: Duration,
    /// How long a client may leave a response unread.
    write: Duration,
}

impl Http2 {
    pub fn new(limits: &LimitArgs) -> Self {
        let head = u32::try_from(HEAD_BYTES).expect("some kilobytes fit");
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .max_header_list_size(head)
            .initial_stream_window_size(head)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(HEAD_BYTES)
            // Finds clients that are gone while their requests are in progress.
            .keep_alive_interval(limits.header_timeout)
            .keep_alive_timeout(limits.header_timeout);
        Self {
            builder,
            idle: limits.header_timeout,
            write: limits.body_timeout,
        }
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
        let (slot, activity) = (Arc::new(slot), Activity::start());
        let streams = Arc::new(Semaphore::new(MAX_STREAMS as usize));
        let answer = service_fn(|request: Request<Incoming>| {
            let request = request.map(Drained::new);
            let at_work = AtWork::start(&activity);
            let (service, slot) = (service.clone(), Arc::clone(&slot));
            let permit = Arc::clone(&streams).acquire_owned();
            async move {
                let permit = permit.await.expect("nobody closes the semaphore");
                let response =
                    answer(service, request, peer, slot.is_too_many, (slot, permit)).await?;
                Ok::<_, Infallible>(response.map(|body| at_work.sending(body)))
            }
        });
        let mut serving = self.builder.serve_connection(TokioIo::new(stream), answer);
        let (is_young, is_stopping) = (notices.is_young(), notices.is_stopping());
        let mut leave = pin!(notices.leave(|| activity.is_idle(is_young())));
        tokio::select! {
            biased;
            // The error concerns only the client, which h2 has told.
            _ended = &mut serving => return,
            () = &mut leave => {}
            () = activity.overdue(self.idle, self.write) => {}
        }
        // Tells the client to begin no further requests (GOAWAY), and ends with the last one.
        Pin::new(&mut serving).graceful_shutdown();
        activity.touch();
        // If others may wait for its place, the client of a connection without streams need not agree.
        let idle = if is_stopping() {
            self.write
        } else {
            GIVING_WAY
        };
        tokio::select! {
            _ended = &mut serving => {}
            // A client that does not answer gets no more time.
            () = activity.overdue(idle, self.write) => {}
        }
    }
}
