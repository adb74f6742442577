//! Who may use the preview: its own page, under a name of this daemon.
//!
//! A page of another site whose name resolves to this host (DNS rebinding) would have the same origin as the daemon,
//! and could read every answer. Its name is in Host, so other names are refused. Content in a frame has no origin, so
//! it cannot use the preview either.

use super::super::access::Requester;
use super::super::error::ApiError;
use super::super::pages::Pages;
use super::super::paths;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Refuses requests that do not come from the page, or that use another name; `host` is the one that the request names.
/// A page of another site may link to the preview's page without harm: it is the same for everybody, and not in a
/// frame.
pub fn check_page(pages: &Pages, request: &Request, host: Option<&str>) -> Result<(), ApiError> {
    let host = host.filter(|host| pages.is_ours(host));
    let host = host.ok_or(ApiError::ForeignHost)?;
    if paths::may_be_linked_to(request.uri().path()) {
        return Ok(());
    }
    let headers = request.headers();
    // `none` means that somebody typed the address.
    let is_own = |site: &HeaderValue| site == "same-origin" || site == "none";
    let sites = headers.get_all("sec-fetch-site").iter().all(is_own);
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if sites && origins.all(|origin| Pages::is_at(origin, host)) {
        Ok(())
    } else {
        Err(ApiError::ForeignPage)
    }
}

/// Refuses a key that is not for previews where messages would be revealed.
pub fn check_key(requester: Option<&Requester>, path: &str) -> Result<(), ApiError> {
    match requester {
        Some(requester) if paths::is_of_preview_api(path) && !requester.may_preview() => {
            Err(ApiError::NoPreview)
        }
        _ => Ok(()),
    }
}

/// The default policy: it is shown in no frame, and loads nothing.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");

/// Adds the header fields that every answer of the preview has for browsers.
pub fn harden(headers: &mut HeaderMap) {
    const SAME_ORIGIN: &str = "same-origin";
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            SAME_ORIGIN,
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            SAME_ORIGIN,
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(POLICY);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Action, parse};
    use axum::body::Body;

    #[test]
    fn the_page_alone_asks_at_names_of_the_daemon() {
        let line = "pmtaemailapi --listen mail.internal:8000 --allow-origin http://proxy.example";
        let Action::Serve(args) = parse(line.split(' ').map(Into::into)).unwrap() else {
            panic!("it serves")
        };
        let pages = Pages::new(args.allow_origin, &args.listen);
        let check = |path: &str, host, site: &str, origin: &str| {
            let mut request = Request::get(path).body(Body::empty()).unwrap();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if !value.is_empty() {
                    let value = HeaderValue::from_str(value).unwrap();
                    request.headers_mut().insert(name, value);
                }
            }
            match check_page(&pages, &request, Some(host)) {
                Ok(()) => 200,
                Err(error) => error.status().as_u16(),
            }
        };
        for (host, status) in [
            ("127.0.0.1:8000", 200),
            // Through a tunnel, which has another port at this end.
            ("localhost:9000", 200),
            ("LOCALHOST", 200),
            ("[::1]:8000", 200),
            ("192.0.2.1:8000", 200),
            ("mail.internal:8000", 200),
            ("proxy.example", 200),
            ("evil.example:8000", 421),
            ("localhost.evil.example", 421),
            ("evil.example", 421),
            ("localhost.:8000", 421),
            ("127.0.0.1.evil.example", 421),
        ] {
            for path in ["/preview", "/preview/api/outbox", "/preview/views/0/html"] {
                assert_eq!(check(path, host, "", ""), status, "{host} {path}");
            }
        }
        let host = "localhost:8000";
        for (site, origin, status) in [
            ("same-origin", "", 200),
            ("none", "", 200),
            ("same-origin", "http://localhost:8000", 200),
            ("same-site", "", 403),
            ("cross-site", "", 403),
            ("", "http://localhost:3000", 403),
            ("", "http://localhost", 403),
            ("", "null", 403),
            ("", "http://evil.example", 403),
            // It may use the daemon, but not see messages.
            ("", "http://proxy.example", 403),
        ] {
            for path in ["/preview/api/outbox", "/preview/views/0/html"] {
                assert_eq!(check(path, host, site, origin), status, "{site} {origin}");
            }
        }
        assert_eq!(check("/preview", host, "cross-site", ""), 200);
    }
}
