//! `GET /preview/api/outbox/events`: the outbox, sent again whenever it changes (server-sent events, HTML Standard
//! section 9.2).

use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::query::refuse_any;
use super::outbox::{Seen, listen};
use super::state::Shared;
use super::wanted::answered;
use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::timeout;

/// How often something is sent to a client, to find out whether it is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// `GET /preview/api/outbox/events`.
pub async fn events(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Response {
    answered(&log, try_events(&shared, &log, &uri))
}

fn try_events(
    Shared { daemon, preview }: &Shared,
    log: &RequestLog,
    uri: &Uri,
) -> Result<Response, ApiError> {
    refuse_any(uri, log)?;
    let outbox = preview.outbox()?;
    // Several streams may share one connection of HTTP/2.
    let listener = Arc::clone(&preview.listeners).try_acquire_owned();
    let listener = listener.map_err(|_| ApiError::Busy)?;
    let (sender, events) = mpsc::channel(1);
    let stopping = daemon.stopping.subscribe();
    tokio::spawn(tell(listen(&outbox), stopping, sender, listener));
    let media_type = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((media_type, Body::new(Events(events))).into_response())
}

/// Reports the outbox until the client is gone or the daemon ends. Only the newest event waits.
async fn tell(
    mut seen: watch::Receiver<Seen>,
    mut stopping: watch::Receiver<bool>,
    events: mpsc::Sender<Bytes>,
    _listener: OwnedSemaphorePermit,
) {
    let stops = async {
        // Its sender exists as long as the daemon does.
        let _ = stopping.wait_for(|stops| *stops).await;
    };
    let tells = async {
        loop {
            let event = match timeout(HEARTBEAT, seen.changed()).await {
                Ok(Ok(())) => event(&seen.borrow_and_update()),
                Ok(Err(_)) => return,
                Err(_) => Some(Bytes::from_static(b":\n\n")),
            };
            if let Some(event) = event
                && events.send(event).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        () = stops => {}
        () = tells => {}
        () = events.closed() => {}
    }
}

fn event(seen: &Seen) -> Option<Bytes> {
    let (name, data) = match seen.as_ref()? {
        Ok(listing) => ("outbox", serde_json::to_string(&**listing)),
        Err(_) => ("unreadable", Ok("{}".to_owned())),
    };
    let data = data.expect("texts and numbers are JSON");
    Some(format!("event: {name}\ndata: {data}\n\n").into())
}

/// The body of the answer.
struct Events(mpsc::Receiver<Bytes>);

impl HttpBody for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = self.0.poll_recv(context);
        event.map(|event| Some(Ok(Frame::data(event?))))
    }
}
