//! The requests of the page.

use super::super::access::Requester;
use super::super::blocking::run_blocking;
use super::super::client::Peer;
use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::memory::needed_for_json;
use super::super::query::{Query, refuse_any};
use super::super::receipt::json;
use super::super::request::BodyFormat;
use super::super::state::Daemon;
use super::super::submission::receive_request;
use super::answer::Answer;
use super::places::places;
use super::posted::{Posted, text_of};
use super::state::Shared;
use super::values::Values;
use super::views::{Mails, View};
use super::wanted::{answered, recipient_of, show, take_recipient};
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pmtaemail::Problem;
use serde::Serialize;
use std::sync::Arc;

/// `GET /preview/api/status`.
pub async fn status(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Result<Response, ApiError> {
    #[derive(Serialize)]
    struct Status<'s> {
        outbox: bool,
        file: Option<&'s str>,
        version: &'s str,
    }
    refuse_any(&uri, &log)?;
    let preview = &shared.preview;
    Ok(json(&Status {
        outbox: preview.has_outbox(),
        file: preview.file.as_deref(),
        version: pmtaemail::VERSION,
    }))
}

/// `POST /preview/api/views`: shows a message, as it would be sent.
pub async fn post_view(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("preview");
    let mut text = None;
    let result = try_post_view(&shared, request, &log, &mut text).await;
    match result {
        Ok(response) => response,
        Err(error) => {
            log.failed(&error);
            refusal(&error, text).await
        }
    }
}

/// The problems of a message, with their positions in its text if that has arrived.
async fn refusal(error: &ApiError, text: Option<Bytes>) -> Response {
    let details = error.problem_details();
    let details = match (error, text) {
        (ApiError::Problems(problems), Some(text)) => {
            let pointers = problems.iter().map(Problem::pointer);
            let pointers: Vec<_> = pointers.map(str::to_owned).collect();
            let find = move || places(&text, pointers.iter().map(String::as_str));
            match run_blocking(find).await {
                Ok(found) => details.with_places(found),
                // A panic, which is logged where it was.
                Err(_) => details,
            }
        }
        _ => details,
    };
    let mut response = (error.status(), details).into_response();
    response.headers_mut().extend(error.headers());
    response
}

/// `text` is the JSON of the message, as soon as it has come.
async fn try_post_view(
    Shared { daemon, preview }: &Shared,
    request: Request,
    log: &RequestLog,
    text: &mut Option<Bytes>,
) -> Result<Response, ApiError> {
    let mut query = Query::of(request.uri(), &[])?;
    let recipient = take_recipient(&mut query.others)?;
    let submitter = Requester::of(&request).submitter();
    let peer = Peer::of(&request);
    let format = BodyFormat::of(request.headers(), query.others);
    let received = receive_request(daemon, request, format, |_, _| None, needed_for_json).await?;
    text.clone_from(&text_of(&received.body));
    let posted = Posted {
        body: received.body,
        identity: log.identity(),
        submitter,
        text: text.clone(),
        recipient,
        room: preview.views.room(),
    };
    let view = run_blocking(move || posted.view()).await??;
    drop(received.in_flight);
    answer(daemon, preview.views.add(view)?, recipient, peer).await
}

/// `GET /preview/api/views/{view}`: shows another recipient's mail.
pub async fn view(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    log.event("preview");
    let result = async {
        let recipient = recipient_of(&uri, |_, _| false)?;
        let view = shared.preview.views.get(&name)?;
        answer(&shared.daemon, view, recipient, peer).await
    };
    answered(&log, result.await)
}

/// `GET /preview/api/outbox`.
pub async fn outbox(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Response {
    let result = async {
        refuse_any(&uri, &log)?;
        let outbox = shared.preview.outbox()?;
        let listing = run_blocking(move || outbox.list()).await?;
        Ok(json(&*listing.map_err(ApiError::Unreadable)?))
    };
    answered(&log, result.await)
}

/// `POST /preview/api/outbox/{file}`: shows a file.
pub async fn open_file(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    log.event("preview");
    let result = async {
        let recipient = recipient_of(&uri, |_, _| false)?;
        let preview = &shared.preview;
        let outbox = preview.outbox()?;
        let room = preview.views.room();
        let view = run_blocking(move || {
            let (content, received) = outbox.read(&name, room)?;
            Ok::<_, ApiError>(View {
                name: View::new_name()?,
                file: Some(name),
                files: vec![content],
                mails: Mails::OfFile,
                received,
                values: Values::default(),
                warnings: Vec::new(),
                rejected: None,
            })
        });
        let view = view.await??;
        let view = preview.views.add(view)?;
        answer(&shared.daemon, view, recipient, peer).await
    };
    answered(&log, result.await)
}

/// Responds with everything about a mail of a view.
async fn answer(
    daemon: &Daemon,
    view: Arc<View>,
    recipient: usize,
    peer: Peer,
) -> Result<Response, ApiError> {
    show(daemon, view, peer, move |view| {
        Ok(json(&Answer::new(view, recipient)?))
    })
    .await
}
