//! The page and its assets, which are part of the program: they reveal nothing, and are the same for everybody.

use super::super::error::ApiError;
use super::super::log::RequestLog;
use super::super::query::refuse_any;
use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("page/", $name)))),*]
    };
}

/// By their names, which match their paths, except for the first one. A test ensures that none is missing.
const FILES: &[(&str, &[u8])] = files![
    "index.html",
    "api.js",
    "check.js",
    "editor.js",
    "elements.js",
    "events.js",
    "files.js",
    "format.js",
    "frame.js",
    "icon.svg",
    "key.js",
    "mail.js",
    "message.js",
    "outbox.js",
    "panels.js",
    "preview.css",
    "preview.js",
    "problems.js",
    "recipients.js",
    "sizes.js",
    "tabs.js",
];

/// The policy of the page: it may run its own modules, send requests to its own daemon, and show frames of it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// `GET /preview`.
pub async fn page(log: Extension<RequestLog>, uri: Uri) -> Result<Response, ApiError> {
    let (name, _) = FILES[0];
    file(log, uri, Path(name.to_owned())).await
}

/// `GET /preview/{file}`.
pub async fn file(
    Extension(log): Extension<RequestLog>,
    uri: Uri,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    refuse_any(&uri, &log)?;
    let found = FILES.iter().find(|(known, _)| *known == name);
    let Some((_, content)) = found else {
        log.failed(&ApiError::NotFound);
        return Err(ApiError::NotFound);
    };
    let head = [
        (header::CONTENT_TYPE, media_type(&name)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ];
    Ok((head, *content).into_response())
}

fn media_type(name: &str) -> HeaderValue {
    HeaderValue::from_static(match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    #[test]
    fn each_file_of_the_folder_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/daemon/preview/page");
        let entries = fs::read_dir(folder).unwrap();
        let names: BTreeSet<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let known: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(known, names);
        assert_eq!(FILES[0].0, "index.html");
        for name in names {
            assert_ne!(media_type(&name), "application/octet-stream", "{name}");
        }
    }
}
