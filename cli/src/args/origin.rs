//! Origins of web pages.

use std::fmt;
use std::str::FromStr;

/// The origin of a web page (RFC 6454): `https://app.example.com`, `http://localhost:3000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    scheme: &'static str,
    /// In lower case, with the port where it is not the scheme's own.
    authority: String,
}

impl Origin {
    /// Whether `host`, as a Host field says it, is where the page came from.
    pub fn is_at(&self, host: &str) -> bool {
        authority(self.scheme, host) == self.authority
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected an origin, such as https://app.example.com";
        let (scheme, host) = text.split_once("://").ok_or(FORM)?;
        let scheme = ["http", "https"]
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(scheme))
            .ok_or("an origin must start with http:// or https://")?;
        let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        if host.is_empty() || !host.chars().all(is_host) {
            return Err(FORM);
        }
        Ok(Self {
            scheme,
            authority: authority(scheme, host),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// A host with its port, unless it is the scheme's own.
fn authority(scheme: &str, host: &str) -> String {
    let usual_port = if scheme == "https" { ":443" } else { ":80" };
    host.strip_suffix(usual_port)
        .unwrap_or(host)
        .to_ascii_lowercase()
}

/// The host without its port.
pub fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        // A colon of an IPv6 address is followed by a bracket.
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_at_their_host() {
        for (origin, host, is_at) in [
            ("http://localhost:3000", "LOCALHOST:3000", true),
            ("http://a.example", "a.example:80", true),
            ("https://a.example:443", "a.example", true),
            ("HTTPS://A.example", "a.example:443", true),
            ("http://[::1]:8000", "[::1]:8000", true),
            ("http://localhost:3000", "localhost:3001", false),
            ("https://a.example", "a.example:80", false),
            ("http://a.example", "b.example", false),
        ] {
            assert_eq!(
                origin.parse::<Origin>().unwrap().is_at(host),
                is_at,
                "{origin}"
            );
        }
        for wrong in [
            "",
            "null",
            "a.example",
            "http://",
            "ftp://a",
            "http://a/b",
            "http://a@b",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_have_no_port() {
        for (host, name) in [
            ("a.example:80", "a.example"),
            ("a.example", "a.example"),
            ("[::1]:80", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(name_of(host), name);
        }
    }
}
