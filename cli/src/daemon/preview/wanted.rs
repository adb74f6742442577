//! The requested mail of the requested view, and whether there is room to show it.

use super::super::blocking::run_blocking;
use super::super::client::Peer;
use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::query::Query;
use super::super::state::Daemon;
use super::shown::Shown;
use super::state::Shared;
use super::views::View;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// How many times the size of its pickup file a mail needs to be shown: the mail, its parts, and the HTML with the
/// images in it.
const TIMES: usize = 6;

/// And this much for images that occur more than once.
const IMAGES: usize = 2 << 20;

/// The requested mail of the requested view, and who requests it.
pub struct Wanted {
    pub view: String,
    pub recipient: usize,
    pub peer: Peer,
}

/// Calls a function with a mail of a view, if there is room for its result.
pub async fn with_room<T: Send + 'static>(
    shared: &Shared,
    wanted: Wanted,
    make: impl FnOnce(&Shown<'_>) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let Wanted {
        view,
        recipient,
        peer,
    } = wanted;
    let view = shared.preview.views.get(&view)?;
    show(&shared.daemon, view, peer, move |view| {
        make(&Shown::new(view, recipient)?)
    })
    .await
}

/// Calls a function with a view on a blocking thread, if there is memory for its result.
pub async fn show<T: Send + 'static>(
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

/// Removes the number of a recipient, from 0, from the parameters of a query.
pub fn take_recipient(others: &mut Vec<(String, String)>) -> Result<usize, ApiError> {
    const NO_NUMBER: &str =
        "`recipient` must be a whole number of at least 0, and given only once in the query.";
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

/// A response; or the error, which is logged.
pub fn answered(log: &RequestLog, result: Result<Response, ApiError>) -> Response {
    result.unwrap_or_else(|error| {
        log.failed(&error);
        error.into_response()
    })
}
