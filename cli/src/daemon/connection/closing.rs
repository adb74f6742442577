//! How an HTTP/1.1 connection ends, so that its last response reaches the client.
//!
//! Two things hyper does not do:
//!
//! - **The rest of a body is read** that no handler wanted. A connection that is closed while its client
//!   still sends is reset, and most clients then never see the response (RFC 9112 section 9.6). What is small
//!   is read before the response, and the connection goes on; else afterwards, and it ends.
//! - **The responses that are hyper's own**, to heads that are no HTTP, say what is wrong. hyper writes them
//!   when no request is in progress, by which they are known here; they are held back, and another one is
//!   written in their place.
//!
//! ```text
//! request at work    its response is written    flushed    a head that is broken: hyper's response
//!  |――――――――――――――――――――――――――――――――――――――――――――――|              |―― held back
//! ```

use super::{DRAIN_BYTES, DRAIN_SILENCE, DRAIN_TIME};
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

/// The maximum size of a body that is worth keeping a connection for.
const SMALL: u64 = 64 << 10;

/// A body that nobody reads.
#[derive(Debug, Default)]
struct Unread {
    body: Option<Incoming>,
    /// The response is decided, so nobody will read it.
    is_late: bool,
}

/// The activity on one connection.
#[derive(Debug, Default)]
pub struct Exchange {
    /// A request is in progress, or its response is not flushed.
    at_work: AtomicBool,
    /// A request has begun, this one or another.
    has_begun: AtomicBool,
    /// All of its response was written.
    is_written: AtomicBool,
    /// The body that no handler read to its end.
    unread: Mutex<Unread>,
    /// More of it is to come.
    is_unread: AtomicBool,
}

impl Exchange {
    /// A request begins, whose body is seen from now on.
    pub fn begin(self: &Arc<Self>, body: Incoming) -> ReceivedBody {
        self.at_work.store(true, Ordering::Relaxed);
        self.has_begun.store(true, Ordering::Relaxed);
        *self.unread() = Unread::default();
        ReceivedBody {
            body: (!body.is_end_stream()).then_some(body),
            exchange: Arc::clone(self),
        }
    }

    /// Its response is decided; it is the last one if more of the request remains than may be read first. A client that
    /// `expects` an interim response (`100 Continue`) sends nothing without it.
    pub async fn respond(
        self: &Arc<Self>,
        response: Response,
        expects: bool,
    ) -> Response<SentBody> {
        let unread = {
            let mut unread = self.unread();
            unread.is_late = true;
            unread.body.take()
        };
        let is_last = expects || response.headers().contains_key(header::CONNECTION);
        let is_unread = match unread {
            None => false,
            Some(_) if is_last => true,
            Some(body) => !is_soon_read(body).await,
        };
        self.is_unread.store(is_unread, Ordering::Relaxed);
        let mut response = response.map(|body| SentBody {
            body,
            exchange: Arc::clone(self),
        });
        if is_unread {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        response
    }

    fn unread(&self) -> MutexGuard<'_, Unread> {
        self.unread.lock().expect("nothing panics with the lock")
    }

    /// Whether it waits for another request, or for the first one, which has time while the connection `is_young`.
    pub fn is_idle(&self, is_young: bool) -> bool {
        let has_begun = self.has_begun.load(Ordering::Relaxed);
        !self.at_work.load(Ordering::Relaxed) && (has_begun || !is_young)
    }

    /// Whether the client may still be sending a body.
    pub fn is_unread(&self) -> bool {
        self.is_unread.load(Ordering::Relaxed)
    }

    fn flushed(&self) {
        if self.is_written.swap(false, Ordering::Relaxed) {
            self.at_work.store(false, Ordering::Relaxed);
        }
    }
}

/// The body of a request.
#[derive(Debug)]
pub struct ReceivedBody {
    /// `None` once it was read to its end.
    body: Option<Incoming>,
    exchange: Arc<Exchange>,
}

impl HttpBody for ReceivedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(&mut *body).poll_frame(context));
        if frame.is_none() || body.is_end_stream() {
            self.body = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.body.as_ref().map(HttpBody::size_hint);
        rest.unwrap_or_else(|| SizeHint::with_exact(0))
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else {
            return;
        };
        let mut unread = self.exchange.unread();
        if unread.is_late {
            // A handler that answered before the body ended has dropped it. hyper ends the connection then.
            self.exchange.is_unread.store(true, Ordering::Relaxed);
        } else {
            unread.body = Some(body);
        }
    }
}

/// The body of a response.
#[derive(Debug)]
pub struct SentBody {
    body: Body,
    exchange: Arc<Exchange>,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for SentBody {
    fn drop(&mut self) {
        self.exchange.is_written.store(true, Ordering::Relaxed);
    }
}

/// The stream on which hyper serves. It does not close it, nor write responses of its own to it.
#[derive(Debug)]
pub struct ServedStream<S> {
    stream: S,
    exchange: Arc<Exchange>,
    held_back: Vec<u8>,
}

impl<S> ServedStream<S> {
    pub fn new(stream: S, exchange: Arc<Exchange>) -> Self {
        Self {
            stream,
            exchange,
            held_back: Vec::new(),
        }
    }

    /// The stream, and hyper's own response where it wrote one.
    pub fn into_parts(self) -> (S, Option<Vec<u8>>) {
        let held_back = (!self.held_back.is_empty()).then_some(self.held_back);
        (self.stream, held_back)
    }

    fn holds_back(&self) -> bool {
        !self.exchange.at_work.load(Ordering::Relaxed)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ServedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ServedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.holds_back() {
            self.held_back.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds_back() {
            for slice in slices {
                self.held_back.extend_from_slice(slice);
            }
            let written = slices.iter().map(|slice| slice.len()).sum();
            return Poll::Ready(Ok(written));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.exchange.flushed();
        Poll::Ready(Ok(()))
    }

    /// Leaves the stream open: there may be more to say.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

/// Reads the rest of a body if it is small and arrives soon. Returns whether it did.
async fn is_soon_read(body: Incoming) -> bool {
    let upper = body.size_hint().upper();
    if upper.is_none_or(|upper| upper > SMALL) {
        return false;
    }
    let read = timeout(DRAIN_SILENCE, body.collect()).await;
    matches!(read, Ok(Ok(_)))
}

/// Reads what the client still sends, within bounds, so that it gets to read the last response.
pub async fn drain(mut stream: impl AsyncRead + Unpin) {
    let limit = Instant::now() + DRAIN_TIME;
    let mut rest = DRAIN_BYTES;
    // Small, because there may be thousands of such connections at a time.
    let mut buffer = vec![0; 8 << 10];
    while rest > 0 {
        let silence = Instant::now() + DRAIN_SILENCE;
        match timeout_at(silence.min(limit), stream.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) => rest = rest.saturating_sub(count),
            _ => return,
        }
    }
}
