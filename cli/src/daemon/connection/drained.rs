//! The body of an HTTP/2 request, which is read to its end even if its handler does not do so.
//!
//! h2 resets a stream whose request body is dropped (RFC 9113 section 8.1 allows it), and then curl does not read the
//! response. HTTP/1.1 has no such reset.

use super::{DRAIN_BYTES, DRAIN_SILENCE, DRAIN_TIME};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

/// A body that is drained for a while when it is dropped.
#[derive(Debug)]
pub struct Drained(Option<Incoming>);

impl Drained {
    pub fn new(body: Incoming) -> Self {
        Self(Some(body))
    }

    fn body(&self) -> &Incoming {
        self.0.as_ref().expect("only `drop` takes it")
    }
}

impl Body for Drained {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = self.0.as_mut().expect("only `drop` takes it");
        Pin::new(body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        // When the daemon ends, tasks are dropped outside of its runtime.
        if let Some(body) = self.0.take()
            && !body.is_end_stream()
            && Handle::try_current().is_ok()
        {
            tokio::spawn(drain(body));
        }
    }
}

/// Reads the rest of a body, within bounds.
async fn drain(mut body: Incoming) {
    let limit = Instant::now() + DRAIN_TIME;
    let mut rest = DRAIN_BYTES;
    while rest > 0 {
        let silence = Instant::now() + DRAIN_SILENCE;
        match timeout_at(silence.min(limit), body.frame()).await {
            Ok(Some(Ok(frame))) => {
                rest = rest.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            }
            _ => return,
        }
    }
}
