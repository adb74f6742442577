//! The header field Idempotency-Key, and what decides whether two requests with one key are the same.

use super::error::ApiError;
use super::request::BodyFormat;
use axum::http::HeaderMap;
use memchr::memmem;
use pmtaemail::{Fingerprint, Fingerprinter, IdempotencyKey, StreamFormat};

/// The header field with the key.
pub const KEY: &str = "idempotency-key";

/// The header field that marks a repeated answer.
pub const REPLAYED: &str = "idempotent-replayed";

/// The key of a request, if it has one.
pub fn key_of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    read_key(headers, |key| key.parse().ok())
}

/// The key of a request, if it has one, as `read` accepts it; it returns `None` for an invalid key.
pub fn read_key(
    headers: &HeaderMap,
    read: impl FnOnce(&str) -> Option<IdempotencyKey>,
) -> Result<Option<IdempotencyKey>, ApiError> {
    let mut keys = headers.get_all(KEY).iter();
    let (Some(key), second) = (keys.next(), keys.next()) else {
        return Ok(None);
    };
    let key = key.to_str().ok().filter(|_| second.is_none());
    let key = key.and_then(read);
    key.map(Some).ok_or(ApiError::IdempotencyKey)
}

/// Computes the fingerprint of a request while its decoded body arrives.
#[derive(Debug)]
pub struct BodyFingerprint {
    hash: Fingerprinter,
    without: Option<Boundary>,
}

impl BodyFingerprint {
    /// For a body in a format, with this query.
    pub fn new(format: &BodyFormat, query: Option<&str>) -> Self {
        let (name, boundary) = match format {
            BodyFormat::Streamed(StreamFormat::Json) => ("json", None),
            BodyFormat::Streamed(StreamFormat::Ndjson) => ("ndjson", None),
            BodyFormat::Form { boundary } => ("form-data", Some(boundary)),
            BodyFormat::Rfc822 { .. } => ("rfc822", None),
        };
        Self {
            hash: Fingerprinter::new(&[name, query.unwrap_or_default()]),
            without: boundary.map(|boundary| Boundary::new(boundary)),
        }
    }

    /// For a body of another service's API, with this query.
    pub fn of_service(service: &str, query: Option<&str>) -> Self {
        Self {
            hash: Fingerprinter::new(&[service, "json", query.unwrap_or_default()]),
            without: None,
        }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.without {
            None => self.hash.update(bytes),
            Some(boundary) => boundary.pass(bytes, &mut self.hash),
        }
    }

    /// The body has arrived completely.
    pub fn finish(mut self) -> Fingerprint {
        if let Some(boundary) = self.without {
            self.hash.update(&boundary.kept);
        }
        self.hash.finish()
    }
}

/// The boundary of a form, which most programs generate anew each time they send it.
#[derive(Debug)]
struct Boundary {
    boundary: memmem::Finder<'static>,
    /// The last bytes, which may be the beginning of one.
    kept: Vec<u8>,
}

impl Boundary {
    fn new(boundary: &str) -> Self {
        Self {
            boundary: memmem::Finder::new(boundary.as_bytes()).into_owned(),
            kept: Vec::new(),
        }
    }

    /// Passes bytes on without the boundary.
    fn pass(&mut self, bytes: &[u8], hash: &mut Fingerprinter) {
        self.kept.extend_from_slice(bytes);
        let length = self.boundary.needle().len();
        let mut passed = 0;
        while let Some(place) = self.boundary.find(&self.kept[passed..]) {
            hash.update(&self.kept[passed..passed + place]);
            passed += place + length;
        }
        let rest = (self.kept.len() + 1).saturating_sub(length).max(passed);
        hash.update(&self.kept[passed..rest]);
        self.kept.drain(..rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(boundary: &str, pieces: &[&str]) -> Fingerprint {
        let boundary = boundary.to_owned();
        let mut body = BodyFingerprint::new(&BodyFormat::Form { boundary }, None);
        for piece in pieces {
            body.update(piece.as_bytes());
        }
        body.finish()
    }

    #[test]
    fn the_boundary_does_not_change_the_form() {
        let form = |boundary: &str, text: &str| {
            format!("--{boundary}\r\n\r\n{text}\r\n--{boundary}\r\nb\r\n--{boundary}--\r\n")
        };
        let first = fingerprint("abcabd", &[&form("abcabd", "abcab")]);
        for boundary in ["x", "abcabd", "-----------1234"] {
            let whole = form(boundary, "abcab");
            if boundary.len() > 1 {
                assert_eq!(fingerprint(boundary, &[&whole]), first);
            }
            for size in 1..whole.len() {
                let pieces: Vec<_> = (0..whole.len())
                    .step_by(size)
                    .map(|start| &whole[start..whole.len().min(start + size)])
                    .collect();
                assert_eq!(
                    fingerprint(boundary, &pieces),
                    fingerprint(boundary, &[&whole])
                );
            }
            assert_ne!(fingerprint(boundary, &[&form(boundary, "other")]), first);
        }
    }

    #[test]
    fn there_is_one_key_or_none() {
        let keys = |values: &[&'static [u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(KEY, axum::http::HeaderValue::from_bytes(value).unwrap());
            }
            key_of(&headers)
        };
        assert!(matches!(keys(&[]), Ok(None)));
        assert!(matches!(keys(&[b"a"]), Ok(Some(_))));
        for wrong in [&[&b"a"[..], b"a"][..], &[b""], &[b"\xe5"], &[b"a\tb"]] {
            assert!(
                matches!(keys(wrong), Err(ApiError::IdempotencyKey)),
                "{wrong:?}"
            );
        }
    }
}
