//! The response to a submission: its receipt, as one JSON object or as lines of JSON.
//!
//! The receipt of a mail merge contains the envelope ID of each recipient, which can be megabytes. It is written while
//! it is sent: it is never completely in memory, and no thread waits for a client that reads slowly.

use super::error::ApiError;
use super::idempotency;
use super::log;
use super::request::LINES;
use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use headers_accept::Accept;
use hyper::body::Frame;
use mediatype::names::CHARSET;
use mediatype::{MediaType, Value, WriteParams};
use pmtaemail::Receipt;
use serde::Serialize;
use std::io;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

pub const JSON: &str = "application/json";

/// The requested format of the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptFormat {
    /// One object.
    Json,
    /// A line for each recipient, and the receipt in the last line; with the media type that the client used.
    Lines(&'static str),
}

impl ReceiptFormat {
    /// The format requested by Accept (RFC 9110 section 12.5.1). If it requests neither, it is one object: that is no
    /// reason to refuse a message.
    pub fn of(headers: &HeaderMap) -> Self {
        let fields: Vec<_> = headers.get_all(header::ACCEPT).iter().collect();
        let fields: Result<Vec<_>, _> = fields.into_iter().map(HeaderValue::to_str).collect();
        // Letter case has no meaning here, but the parser would distinguish it in a parameter.
        let accept = fields
            .ok()
            .and_then(|fields| elements(&fields).to_ascii_lowercase().parse().ok());
        let Some(accept): Option<Accept> = accept else {
            return Self::Json;
        };
        let chosen = accept.negotiate(AVAILABLE.iter()).map(MediaType::essence);
        let lines = LINES
            .into_iter()
            .find(|name| chosen == Some(media_type(name)));
        lines.map_or(Self::Json, Self::Lines)
    }
}

/// A list without its empty elements, which mean nothing (RFC 9110 section 5.6.1.2) but stop the parser.
fn elements(fields: &[&str]) -> String {
    let elements = fields.iter().flat_map(|field| field.split(','));
    let elements = elements.filter(|element| !element.trim_ascii().is_empty());
    elements.collect::<Vec<_>>().join(",")
}

/// The available formats, preferred first; some clients add the charset that JSON has anyway.
static AVAILABLE: LazyLock<Vec<MediaType<'static>>> = LazyLock::new(|| {
    let names = std::iter::once(JSON).chain(LINES);
    let spellings = names.flat_map(|name| {
        let plain = media_type(name);
        let mut with_charset = plain.clone();
        with_charset.set_param(CHARSET, Value::new("utf-8").expect("a parameter's value"));
        [plain, with_charset]
    });
    spellings.collect()
});

fn media_type(name: &'static str) -> MediaType<'static> {
    MediaType::parse(name).expect("these are media types")
}

/// The answer with a receipt.
pub fn answer(mut receipt: Receipt, format: ReceiptFormat) -> Response {
    // The body is that of the first answer; the header says that it is repeated.
    let is_replayed = std::mem::take(&mut receipt.replayed);
    let mut response = match format {
        ReceiptFormat::Json => of_type(JSON, in_pieces(receipt.into_json().map(Ok))),
        ReceiptFormat::Lines(name) => of_type(name, in_pieces(receipt.into_json_lines())),
    };
    if is_replayed {
        let name = HeaderName::from_static(idempotency::REPLAYED);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static("true"));
    }
    response
}

/// The body; if it has several pieces, it is created while it is sent.
pub fn in_pieces(mut pieces: impl Iterator<Item = Piece> + Send + 'static) -> Body {
    match (pieces.next(), pieces.next()) {
        (Some(Ok(whole)), None) => whole.into(),
        (first, second) => {
            let pieces = first.into_iter().chain(second).chain(pieces);
            Body::new(Pieces(Box::new(pieces)))
        }
    }
}

/// An answer in JSON.
pub fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => of_type(JSON, body.into()),
        Err(error) => {
            log::fault(&error);
            ApiError::Internal.into_response()
        }
    }
}

fn of_type(media_type: &'static str, body: Body) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}

/// Some bytes; or why they cannot be read, which breaks the response off, so that it is not mistaken for a complete
/// one.
type Piece = io::Result<Vec<u8>>;

/// A body whose pieces are created when the client has room for them.
struct Pieces(Box<dyn Iterator<Item = Piece> + Send>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = self.0.next();
        Poll::Ready(piece.map(|piece| Ok(Frame::data(Bytes::from(piece?)))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sent_to_those_who_ask() {
        const X: &str = "application/x-ndjson";
        for (accept, expected) in [
            (&[][..], None),
            (&["*/*"], None),
            (&[""], None),
            (&["application/*"], None),
            (&["application/json"], None),
            (&["text/html"], None),
            (&["nonsense", X], None),
            (&["application/json, application/x-ndjson"], None),
            (&["application/json", X], None),
            (
                &["application/x-ndjson;q=0.5, application/json;q=0.8"],
                None,
            ),
            (&["application/x-ndjson;q=0, */*"], None),
            (&["application/x-ndjson;q=0.5, */*"], None),
            (&[X], Some(X)),
            (&["", ", application/x-ndjson ,,", " "], Some(X)),
            (&["Application/X-NDJSON ; q=0.5"], Some(X)),
            (&["application/x-ndjson; charset=utf-8"], Some(X)),
            (&["application/x-ndjson, */*"], Some(X)),
            (&["text/html, application/x-ndjson"], Some(X)),
            (&["application/json;q=0.5, application/x-ndjson"], Some(X)),
            (&["application/json;q=0.5", X], Some(X)),
            (
                &["application/json;q=0, application/x-ndjson;q=0.1"],
                Some(X),
            ),
            (&["application/jsonl"], Some("application/jsonl")),
            (&["application/ndjson"], Some("application/ndjson")),
        ] {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(header::ACCEPT, value.parse().unwrap());
            }
            let expected = expected.map_or(ReceiptFormat::Json, ReceiptFormat::Lines);
            assert_eq!(ReceiptFormat::of(&headers), expected, "{accept:?}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_bytes(b"\xff").unwrap());
        assert_eq!(ReceiptFormat::of(&headers), ReceiptFormat::Json);
    }
}
