//! The requests of the page.

use super::super::access::Requester;
use super::super::blocking::run_blocking;
use super::super::client::Peer;
use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::memory::needed_for_json;
use super::super::query::{Query, refuse_any};
use super::super::receipt::json;
use super::super::request::{BodyFormat, BufferedBody, ReceivedBody};
use super::super::state::Daemon;
use super::super::submission::receive_request;
use super::Preview;
use super::answer::Answer;
use super::outbox::Outbox;
use super::places::places;
use super::posted::Posted;
use super::shown::Shown;
use super::values::Values;
use super::views::{Mails, View};
use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use pmtaemail::Problem;
use serde::Serialize;
use std::sync::Arc;

/// To show a mail takes so many times its pickup file: the mail, its parts, and the HTML with the images in it.
const TIMES: usize = 6;

/// And so much for images that are there more than once.
const IMAGES: usize = 2 << 20;

/// `GET /preview/api/status`.
pub async fn status(
    State(daemon): State<Arc<Daemon>>,
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
    let preview = daemon.preview()?;
    Ok(json(&Status {
        outbox: preview.outbox.is_some(),
        file: preview.file.as_deref(),
        version: pmtaemail::VERSION,
    }))
}

/// `POST /preview/api/views`: shows a message, as it would be sent.
pub async fn post_view(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    request: Request,
) -> Response {
    log.event("preview");
    let mut text = None;
    let result = try_post_view(&daemon, request, &log, &mut text).await;
    result.unwrap_or_else(|error| {
        log.failed(&error);
        let details = error.problem_details();
        let details = match (&error, text) {
            (ApiError::Problems(problems), Some(text)) => {
                details.with_places(places(&text, problems.iter().map(Problem::pointer)))
            }
            _ => details,
        };
        let mut response = (error.status(), details).into_response();
        response.headers_mut().extend(error.headers());
        response
    })
}

/// `text` is the JSON of the message, as soon as it has come.
async fn try_post_view(
    daemon: &Arc<Daemon>,
    request: Request,
    log: &RequestLog,
    text: &mut Option<Bytes>,
) -> Result<Response, ApiError> {
    let preview = daemon.preview()?;
    let mut query = Query::of(request.uri(), &[])?;
    let recipient = take_recipient(&mut query.others)?;
    let submitter = Requester::of(&request).submitter();
    let peer = Peer::of(&request);
    let format = BodyFormat::of(request.headers(), query.others);
    let received = receive_request(daemon, request, format, |_, _| None, needed_for_json).await?;
    if let ReceivedBody::Buffered(BufferedBody::Json(json)) = &received.body {
        *text = Some(json.clone());
    }
    let posted = Posted {
        body: received.body,
        identity: log.identity(),
        submitter,
        recipient,
        room: preview.views.room(),
    };
    let view = run_blocking(move || posted.view()).await??;
    drop(received.in_flight);
    answer(daemon, preview.views.add(view)?, recipient, peer).await
}

/// `GET /preview/api/views/{view}`: shows another recipient's mail.
pub async fn view(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    log.event("preview");
    let result = async {
        let recipient = recipient_of(&uri, |_, _| false)?;
        let view = daemon.preview()?.views.get(&name)?;
        answer(&daemon, view, recipient, peer).await
    };
    answered(&log, result.await)
}

/// `GET /preview/api/outbox`.
pub async fn outbox(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    uri: Uri,
) -> Response {
    let result = async {
        refuse_any(&uri, &log)?;
        let outbox = outbox_of(daemon.preview()?)?;
        let listing = run_blocking(move || outbox.list()).await?;
        Ok(json(&*listing.map_err(ApiError::Unreadable)?))
    };
    answered(&log, result.await)
}

/// `POST /preview/api/outbox/{file}`: shows a file.
pub async fn open_file(
    State(daemon): State<Arc<Daemon>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    uri: Uri,
) -> Response {
    log.event("preview");
    let result = async {
        let recipient = recipient_of(&uri, |_, _| false)?;
        let preview = daemon.preview()?;
        let outbox = outbox_of(preview)?;
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
        answer(&daemon, view, recipient, peer).await
    };
    answered(&log, result.await)
}

/// The pickup directory, where it is shown.
pub fn outbox_of(preview: &Preview) -> Result<Arc<Outbox>, ApiError> {
    preview.outbox.clone().ok_or(ApiError::NotFound)
}

/// Whose mail of which view is wanted, and by whom.
pub struct Wanted {
    pub view: String,
    pub recipient: usize,
    pub peer: Peer,
}

/// Makes something of a mail of a view, where there is room for it.
pub async fn with_room<T: Send + 'static>(
    daemon: &Daemon,
    wanted: Wanted,
    make: impl FnOnce(&Shown<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let Wanted {
        view,
        recipient,
        peer,
    } = wanted;
    let view = daemon.preview()?.views.get(&view)?;
    show(daemon, view, peer, move |view| {
        make(&Shown::new(view, recipient)?)
    })
    .await
}

/// Answers with what there is to tell of a mail of a view.
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

/// Makes something of a view in a thread for that, where there is memory for it.
async fn show<T: Send + 'static>(
    daemon: &Daemon,
    view: Arc<View>,
    peer: Peer,
    make: impl FnOnce(&View) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let mut room = daemon.admission.receive(peer.into(), 0)?;
    room.grow_once(view.files_size().saturating_mul(TIMES) + IMAGES)
        .await?;
    let _at_work = room.at_work()?;
    run_blocking(move || make(&view)).await?
}

/// The number of a recipient, from 0, in a query. `take` takes other names with their values, if it knows them.
pub fn recipient_of(
    uri: &Uri,
    mut take: impl FnMut(&str, &str) -> bool,
) -> Result<usize, ApiError> {
    let mut others = Query::of(uri, &[])?.others;
    let recipient = take_recipient(&mut others)?;
    if others.iter().all(|(name, value)| take(name, value)) {
        Ok(recipient)
    } else {
        Err(ApiError::QueryValue(NAMES))
    }
}

const NAMES: &str = "The query has a name, or a value, that means nothing here: of views `recipient` is a whole number from 0; \
                     of html `remote` is 0 or 1, and `scheme` is light or dark.";

fn take_recipient(others: &mut Vec<(String, String)>) -> Result<usize, ApiError> {
    const NO_NUMBER: &str = "`recipient` is a whole number from 0, and stands in the query once.";
    let mut recipient = None;
    let mut is_right = true;
    others.retain(|(name, value)| {
        if name != "recipient" {
            return true;
        }
        let number = value.parse().ok();
        let number = number.filter(|_| value.bytes().all(|byte| byte.is_ascii_digit()));
        is_right &= number.is_some() && recipient.is_none();
        recipient = number;
        false
    });
    match recipient {
        _ if !is_right => Err(ApiError::QueryValue(NO_NUMBER)),
        recipient => Ok(recipient.unwrap_or(0)),
    }
}

fn answered(log: &RequestLog, result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(|error| {
        log.failed(&error);
        error.into_response()
    })
}
