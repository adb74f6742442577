//! One connection, from its first byte to its last: any stream of bytes, and HTTP/1.1 or HTTP/2.
//!
//! ```text
//! serve → preface (which protocol?) → http1 ┐
//!                                   → http2 ┴→ answer (one request)
//! ```
//!
//! `notice` is how the daemon notifies a connection. `closing` is what HTTP/1.1 needs beyond hyper, and `activity` and
//! `drained` what HTTP/2 does: time limits, and the rest of a body that is not read.

mod activity;
mod answer;
mod closing;
mod drained;
mod http1;
mod http2;
mod notice;
mod preface;

pub use answer::{Permits, TooManyConnections};
pub use notice::{Announcer, Notices};

use super::client::Peer;
use super::error::ApiError;
use super::listener::PlainHttp;
use super::slots::Slot;
use crate::args::LimitArgs;
use axum::Router;
use closing::drain;
use http1::Http1;
use http2::Http2;
use hyper_util::service::TowerToHyperService;
use preface::Peeked;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

/// How long the rest of an unwanted body is read, how long nothing may arrive meanwhile, and the maximum number of
/// bytes read.
const DRAIN_TIME: Duration = Duration::from_secs(30);
const DRAIN_SILENCE: Duration = Duration::from_secs(2);
const DRAIN_BYTES: usize = 256 << 20;

/// How long an idle connection takes to give way. Clients that wait for its place wait for that too.
const GIVING_WAY: Duration = Duration::from_millis(1);

/// The largest head of a request.
const HEAD_BYTES: usize = 64 << 10;

/// Serves connections.
#[derive(Clone)]
pub struct Http {
    http1: Http1,
    http2: Http2,
    /// How long a client may take for the first bytes.
    first_bytes: Duration,
}

/// What belongs to one connection, whatever its protocol.
pub struct Context {
    pub peer: Peer,
    pub service: TowerToHyperService<Router>,
    pub notices: Notices,
    /// Its place among all connections; it is held until every request that was begun is done.
    pub slot: Slot,
}

impl Http {
    pub fn new(limits: &LimitArgs) -> Self {
        Self {
            http1: Http1::new(limits),
            http2: Http2::new(limits),
            first_bytes: limits.header_timeout,
        }
    }

    /// Answers the requests of one connection until it ends.
    pub async fn serve<S>(self, stream: S, mut context: Context)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limit = Instant::now() + self.first_bytes;
        let mut stream = Peeked::new(stream);
        let is_http2 = loop {
            tokio::select! {
                biased;
                is_http2 = timeout_at(limit, stream.is_http2()) => break is_http2,
                () = context.notices.leave_silent(), if stream.is_silent() => {
                    if stream.is_silent() {
                        return;
                    }
                }
            }
        };
        match is_http2 {
            Ok(Ok(true)) => self.http2.serve(stream, context).await,
            // A stream that ended counts as HTTP/1.1, too: it may have sent something.
            Ok(Ok(false)) => self.http1.serve(stream, context).await,
            Ok(Err(error)) if PlainHttp::is(&error) => {
                http1::last_response(&mut stream, context.peer, &ApiError::PlainHttp).await;
                drain(stream).await;
            }
            // The stream broke.
            Ok(Err(_)) => {}
            Err(_) if stream.is_silent() => {}
            Err(_) => http1::last_response(&mut stream, context.peer, &ApiError::HeadTimeout).await,
        }
    }
}
