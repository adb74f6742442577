//! What frames show and what is downloaded. A browser asks for both without Authorization, so the name of a view is the
//! right to see it.

use super::super::client::Peer;
use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::html::{Options, Scheme, rewrite};
use super::shown::Shown;
use super::state::Shared;
use super::wanted::{Wanted, answered, recipient_of, with_room};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pmtaemail::outbox::Mail;
use std::sync::Arc;

/// What the HTML of a mail may do: be shown, with what it brings. The frame of the page has a sandbox as well.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; media-src data:; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

/// The same, including content of other hosts.
const REMOTE_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline' http: https:; img-src data: http: https:; \
                             font-src data: http: https:; media-src data: http: https:; form-action 'none'; base-uri 'none'; \
                             frame-ancestors 'self'";

/// The policy of a download, in case a browser shows it anyway.
const NOTHING: &str =
    "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /preview/views/{view}/html`.
pub async fn html(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(view): Path<String>,
    uri: Uri,
) -> Response {
    let mut options = Options::default();
    let take = |name: &str, value: &str| match (name, value) {
        ("remote", "" | "0" | "1" | "true" | "false") => {
            options.remote = !["0", "false"].contains(&value);
            true
        }
        ("scheme", "light") => {
            options.scheme = Some(Scheme::Light);
            true
        }
        ("scheme", "dark") => {
            options.scheme = Some(Scheme::Dark);
            true
        }
        _ => false,
    };
    let result = match recipient_of(&uri, take) {
        Ok(recipient) => {
            let wanted = Wanted {
                view,
                recipient,
                peer,
            };
            let make = move |shown: &Shown<'_>| {
                let mail = mail_of(shown)?;
                let html = mail.html().ok_or(ApiError::NotFound)?;
                Ok(rewrite(&html, mail, options).html)
            };
            with_room(&shared, wanted, make).await
        }
        Err(error) => Err(error),
    };
    let policy = if options.remote {
        REMOTE_POLICY
    } else {
        POLICY
    };
    answered(
        &log,
        result.map(|html| {
            let mut response =
                ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response();
            let head = response.headers_mut();
            head.insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(policy),
            );
            // No policy keeps a browser from prefetching the hosts of links.
            head.insert(
                HeaderName::from_static("x-dns-prefetch-control"),
                HeaderValue::from_static("off"),
            );
            response
        }),
    )
}

/// `GET /preview/views/{view}/source`.
pub async fn source(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(view): Path<String>,
    uri: Uri,
) -> Response {
    download(&shared, &log, (view, peer), &uri, |shown| {
        let content = shown.content.as_ref().map_err(|_| ApiError::NotFound)?;
        Ok(Download::text("message.eml", content.source.clone()))
    })
    .await
}

/// `GET /preview/views/{view}/pickup-file`.
pub async fn pickup_file(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path(view): Path<String>,
    uri: Uri,
) -> Response {
    download(&shared, &log, (view, peer), &uri, |shown| {
        let name = shown.file_name().unwrap_or("pickup-file.eml");
        Ok(Download::text(name, shown.pickup_file.to_vec()))
    })
    .await
}

/// `GET /preview/views/{view}/parts/{number}`.
pub async fn part(
    State(shared): State<Arc<Shared>>,
    Extension(log): Extension<RequestLog>,
    Extension(peer): Extension<Peer>,
    Path((view, number)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    download(&shared, &log, (view, peer), &uri, move |shown| {
        let number = number.parse().map_err(|_| ApiError::NotFound)?;
        let part = mail_of(shown)?.part(number).ok_or(ApiError::NotFound)?;
        let name = part
            .filename
            .clone()
            .unwrap_or_else(|| format!("part-{number}"));
        Ok(Download {
            media_type: part.media_type.clone(),
            name,
            content: part.content.clone(),
        })
    })
    .await
}

/// A file, and what it is called.
struct Download {
    media_type: String,
    name: String,
    content: Vec<u8>,
}

impl Download {
    fn text(name: &str, content: Vec<u8>) -> Self {
        Self {
            media_type: "text/plain; charset=utf-8".to_owned(),
            name: name.to_owned(),
            content,
        }
    }
}

async fn download(
    shared: &Shared,
    log: &RequestLog,
    (view, peer): (String, Peer),
    uri: &Uri,
    make: impl FnOnce(&Shown<'_>) -> Result<Download, ApiError> + Send + 'static,
) -> Response {
    let result = match recipient_of(uri, |_, _| false) {
        Ok(recipient) => {
            with_room(
                shared,
                Wanted {
                    view,
                    recipient,
                    peer,
                },
                make,
            )
            .await
        }
        Err(error) => Err(error),
    };
    answered(log, result.map(Download::into_response))
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let media_type = HeaderValue::from_str(&self.media_type);
        let media_type =
            media_type.unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
        // RFC 6266 section 4.3: any name is percent-encoded UTF-8 there.
        let name = utf8_percent_encode(&self.name, NON_ALPHANUMERIC);
        let disposition = format!("attachment; filename*=UTF-8''{name}");
        let disposition = HeaderValue::from_str(&disposition).expect("it is ASCII");
        let head = [
            (header::CONTENT_TYPE, media_type),
            (header::CONTENT_DISPOSITION, disposition),
            (
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(NOTHING),
            ),
        ];
        (head, self.content).into_response()
    }
}

fn mail_of<'s>(shown: &'s Shown<'_>) -> Result<&'s Mail, ApiError> {
    let content = shown.content.as_ref().map_err(|_| ApiError::NotFound)?;
    content.mail.as_ref().ok_or(ApiError::NotFound)
}
