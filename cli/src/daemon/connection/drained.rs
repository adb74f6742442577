//! The body of an HTTP/2 request, which is read to its end even if its handler does not.
//!
//! h2 resets a stream whose request body is dropped (RFC 9113 section 8.1 allows it), and curl then
//! does not read the response. HTTP/1.1 has no such reset.

use super::super::body::discard;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

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
            discard(body);
        }
    }
}
