//! The answer to a submission: its receipt.
//!
//! That of a mail merge names the envelope id of each recipient, which may be megabytes. Such a
//! receipt is written while it is sent: it is never whole in memory, and no thread waits for a client
//! that reads slowly.

use super::error::ApiError;
use super::log;
use axum::body::{Body, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use pmtaemail::Receipt;
use serde::Serialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The answer with a receipt.
pub fn answer(receipt: Receipt) -> Response {
    let mut pieces = receipt.into_json();
    of_type_json(match (pieces.next(), pieces.next()) {
        (Some(whole), None) => whole.into(),
        (first, second) => {
            let pieces = first.into_iter().chain(second).chain(pieces);
            Body::new(Pieces(Box::new(pieces)))
        }
    })
}

/// An answer in JSON.
pub fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => of_type_json(body.into()),
        Err(error) => {
            log::fault(&error);
            ApiError::Internal.into_response()
        }
    }
}

fn of_type_json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// A body whose pieces are made when the client has room for them.
struct Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.next().map(Bytes::from);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }
}
