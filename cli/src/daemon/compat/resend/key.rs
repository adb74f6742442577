//! What identifies a repeated request.

use super::super::super::error::ApiError;
use super::super::super::idempotency::{REPLAYED, read_key};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use pmtaemail::IdempotencyKey;

/// In characters; our own API takes one fewer.
const LONGEST: usize = 256;

/// The key of a request, if it has one: printable ASCII.
pub fn of(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, ApiError> {
    read_key(headers, |key| {
        let is_printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let is_right = (1..=LONGEST).contains(&key.len()) && is_printable;
        is_right.then(|| IdempotencyKey::of(key))
    })
}

/// Says that the answer is that of an earlier request under the same key.
pub fn add_replayed(headers: &mut HeaderMap) {
    let name = HeaderName::from_static(REPLAYED);
    headers.insert(name, HeaderValue::from_static("true"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::idempotency::KEY;

    fn read(values: &[&[u8]]) -> Result<Option<IdempotencyKey>, ApiError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(KEY, HeaderValue::from_bytes(value).unwrap());
        }
        of(&headers)
    }

    #[test]
    fn a_key_is_printable_ascii_of_some_length() {
        assert!(matches!(read(&[]), Ok(None)));
        for right in [&b"a"[..], b"welcome/7 !", &[b'~'; 256]] {
            let key = std::str::from_utf8(right).unwrap();
            assert_eq!(read(&[right]).unwrap(), Some(IdempotencyKey::of(key)));
        }
        for wrong in [
            &[&b""[..]][..],
            &[&[b'x'; 257]],
            &[b"a\tb"],
            &[b"\xe5"],
            &[b"a", b"a"],
        ] {
            assert!(matches!(read(wrong), Err(ApiError::IdempotencyKey)));
        }
    }
}
