//! The daemon without sockets and without a disk: requests go to its routes, and files stay in memory.

use super::client::Peer;
use super::open_files::room;
use super::pages::Pages;
use super::routes::router;
use super::state::Daemon;
use super::{blocking, memory};
use crate::args::PreviewArgs;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use pmtaemail::{PickupDirectory, SubmittedFile};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Runtime;

/// A daemon that answers this process.
pub struct DaemonInMemory {
    runtime: Runtime,
    daemon: Arc<Daemon>,
    routes: TowerToHyperService<Router>,
}

/// An answer of the daemon.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The media type; empty if there is none.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

impl DaemonInMemory {
    /// Starts it with the default options.
    ///
    /// # Panics
    /// The system gives no thread.
    pub fn start() -> Self {
        let mut args = PreviewArgs::serve_args(Path::new("/nowhere"));
        memory::settle(&mut args.limits, false);
        let pickup = pmtaemail::tokio::PickupDirectory::new(PickupDirectory::in_memory());
        let pickup = pickup.expect("one in memory has no threads");
        let daemon = Daemon::new(pickup, &args.limits, room(64, 2));
        let daemon = Arc::new(daemon.with_compat(args.compat.clone()));
        let pages = Pages::new(args.allow_origin, &args.listen);
        let routes = TowerToHyperService::new(router(Arc::clone(&daemon), pages, None));
        let runtime = blocking::start_runtime(2).expect("threads can be started");
        Self {
            runtime,
            daemon,
            routes,
        }
    }

    /// Sends a request whose body arrives in these pieces. Returns the response and the files that it left.
    ///
    /// # Panics
    /// The path or the head is invalid, or the daemon stops reading a body before its end.
    pub fn post(
        &self,
        path: &str,
        head: &[(&str, &[u8])],
        body: impl IntoIterator<Item = Vec<u8>>,
    ) -> (Answer, Vec<Arc<SubmittedFile>>) {
        let pieces = body.into_iter().map(Bytes::from).collect();
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header(header::HOST, "127.0.0.1");
        for (name, value) in head {
            request = request.header(*name, *value);
        }
        let request = request
            .extension(Peer { address: None })
            .body(Body::new(Pieces(pieces)))
            .expect("the head is right");
        let answer = self.runtime.block_on(async {
            let response = self
                .routes
                .call(request)
                .await
                .unwrap_or_else(|never| match never {});
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("a body has an end").to_bytes();
            let content_type = head.headers.get(header::CONTENT_TYPE);
            let content_type = content_type.and_then(|value| value.to_str().ok());
            Answer {
                status: head.status.as_u16(),
                content_type: content_type.unwrap_or_default().to_owned(),
                body: body.to_vec(),
            }
        });
        let files = self.daemon.pickup.submitted_files();
        self.daemon.pickup.clear_submitted_files();
        (answer, files)
    }
}

/// A body that comes in pieces.
struct Pieces(VecDeque<Bytes>);

impl axum::body::HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.iter().map(|piece| piece.len() as u64).sum())
    }
}
