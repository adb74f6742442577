//! Keeps web pages of other sites from using the daemon.
//!
//! A page that is open in a browser on the daemon's host, or on one that reaches it, may send a form or
//! plain text anywhere, and no firewall sees a difference. A browser says where such a request comes
//! from; other clients say nothing, and pass:
//!
//! ```text
//! Sec-Fetch-Site: cross-site             another site's page                  refused
//! Origin: http://evil.example            not where the request goes           refused
//! Origin and Host: http://evil.example   a name of their own for this address refused
//!                                        (DNS rebinding)
//! ```

use crate::args::{ListenArgs, Origin, name_of};
use axum::http::{HeaderMap, HeaderValue, header};
use std::net::IpAddr;

/// Which pages may use the daemon: its own, and those that an option names.
#[derive(Debug, Clone)]
pub struct Pages {
    allowed: Vec<Origin>,
    listen_hosts: Vec<String>,
}

impl Pages {
    pub fn new(allowed: Vec<Origin>, listen: &ListenArgs) -> Self {
        Self {
            allowed,
            listen_hosts: listen.hosts().map(str::to_owned).collect(),
        }
    }

    /// Whether any page is named.
    pub fn are_named(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// The origin of a request from a page that an option names.
    pub fn named<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        self.allowed.contains(&parsed(origin)?).then_some(origin)
    }

    /// Whether a request with these headers, to `host`, comes from a page that may send it, or from no
    /// page at all.
    pub fn may_send(&self, headers: &HeaderMap, host: Option<&str>) -> bool {
        let is_foreign = headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "cross-site");
        let Some(origin) = headers.get(header::ORIGIN) else {
            return !is_foreign;
        };
        // `null` is the origin of pages that hide theirs.
        let Some(origin) = parsed(origin) else {
            return false;
        };
        self.allowed.contains(&origin)
            || host.is_some_and(|host| !is_foreign && origin.is_at(host) && self.is_ours(host))
    }

    /// Whether a host is known to be this daemon. Anybody can make other names resolve to its address.
    pub fn is_ours(&self, host: &str) -> bool {
        let name = name_of(host);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || (self.listen_hosts.iter()).any(|host| name.eq_ignore_ascii_case(host))
            || self.allowed.iter().any(|origin| origin.is_at(host))
    }

    /// Whether a page with this origin belongs to the host itself.
    #[cfg(feature = "preview")]
    pub fn is_at(origin: &HeaderValue, host: &str) -> bool {
        parsed(origin).is_some_and(|origin| origin.is_at(host))
    }
}

fn parsed(origin: &HeaderValue) -> Option<Origin> {
    origin.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_others_may_not_send() {
        let named = ["https://app.example", "http://proxy.example:8000"];
        let allowed = named.map(|origin| origin.parse().unwrap()).to_vec();
        let pages = Pages {
            allowed,
            listen_hosts: vec!["mail.internal".to_owned()],
        };
        for (site, origin, host, may_send) in [
            // Other programs.
            ("", "", "127.0.0.1:8000", true),
            ("", "", "anything.example", true),
            // Its own pages.
            (
                "same-origin",
                "http://127.0.0.1:8000",
                "127.0.0.1:8000",
                true,
            ),
            (
                "same-origin",
                "http://localhost:8000",
                "localhost:8000",
                true,
            ),
            ("same-origin", "http://[::1]:8000", "[::1]:8000", true),
            (
                "same-origin",
                "http://mail.internal:8000",
                "mail.internal:8000",
                true,
            ),
            ("none", "", "127.0.0.1:8000", true),
            // Named ones.
            ("cross-site", "https://app.example", "127.0.0.1:8000", true),
            (
                "same-origin",
                "http://proxy.example:8000",
                "proxy.example:8000",
                true,
            ),
            // All others.
            ("cross-site", "", "127.0.0.1:8000", false),
            ("cross-site", "http://evil.example", "127.0.0.1:8000", false),
            ("", "http://evil.example", "127.0.0.1:8000", false),
            (
                "same-site",
                "http://127.0.0.1:9000",
                "127.0.0.1:8000",
                false,
            ),
            (
                "same-origin",
                "http://evil.example:8000",
                "evil.example:8000",
                false,
            ),
            ("", "null", "127.0.0.1:8000", false),
            (
                "cross-site",
                "http://127.0.0.1:8000",
                "127.0.0.1:8000",
                false,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if !value.is_empty() {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            assert_eq!(
                pages.may_send(&headers, Some(host)),
                may_send,
                "{site} {origin} {host}"
            );
        }
    }
}
