//! The answer to a submission: its receipt.
//!
//! That of a mail merge names the envelope id of each recipient, which may be megabytes. Such a
//! receipt is written while it is sent: it is never whole in memory, and no thread waits for a client
//! that reads slowly.

use super::log;
use super::refusal::Refusal;
use axum::body::{Body, HttpBody};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use pmtaemail::{Envids, Receipt};
use serde::Serialize;
use std::convert::Infallible;
use std::iter::once;
use std::pin::Pin;
use std::task::{Context, Poll};

/// With so many names a receipt is written at once.
const FEW: usize = 1_000;

/// How much is written at a time.
const CHUNK: usize = 64 << 10;

/// The answer with a receipt.
pub fn answer(receipt: Receipt) -> Response {
    if receipt.files.len() + receipt.envids.as_ref().map_or(0, Envids::len) <= FEW {
        return json(&receipt);
    }
    match Chunks::of(receipt) {
        Ok(chunks) => of_type_json(Body::new(chunks)),
        Err(error) => fault(&error),
    }
}

/// An answer in JSON.
pub fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => of_type_json(body.into()),
        Err(error) => fault(&error),
    }
}

fn of_type_json(body: Body) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn fault(error: &serde_json::Error) -> Response {
    log::fault(error);
    Refusal::Internal.into_response()
}

/// A receipt, piece by piece.
struct Chunks {
    pieces: Box<dyn Iterator<Item = String> + Send>,
}

impl Chunks {
    /// All of a receipt but its long arrays is written here, so that this knows no other member.
    fn of(mut receipt: Receipt) -> serde_json::Result<Self> {
        const FILES: &str = r#""files":["#;
        let files = std::mem::take(&mut receipt.files);
        let envids = receipt.envids.take();
        let mut rest = serde_json::to_string(&receipt)?;
        let after = rest.split_off(rest.find(FILES).map_or(rest.len(), |at| at + FILES.len()));
        let end = after.strip_suffix('}').unwrap_or(&after).to_owned();
        let envids = envids.map(|envids| {
            once(r#","envids":["#.to_owned())
                .chain(elements(envids.into_ids()))
                .chain(once("]".to_owned()))
        });
        let pieces = once(rest)
            .chain(elements(files.into_iter()))
            .chain(once(end))
            .chain(envids.into_iter().flatten())
            .chain(once("}".to_owned()));
        Ok(Self {
            pieces: Box::new(pieces),
        })
    }

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = String::with_capacity(CHUNK + (CHUNK >> 4));
        while chunk.len() < CHUNK
            && let Some(piece) = self.pieces.next()
        {
            chunk.push_str(&piece);
        }
        (!chunk.is_empty()).then(|| chunk.into())
    }
}

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|chunk| Ok(Frame::data(chunk))))
    }
}

/// The elements of an array, with a comma before each but the first.
fn elements<T: Serialize>(values: impl Iterator<Item = T>) -> impl Iterator<Item = String> {
    values.enumerate().map(|(index, value)| {
        // Writing names and identifiers to a String cannot fail.
        let value = serde_json::to_string(&value).unwrap_or_default();
        if index == 0 {
            value
        } else {
            format!(",{value}")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::{Intake, IntakeFormat, PickupDirectory, PickupOptions};

    fn receipt(recipients: usize, merge: &str) -> Receipt {
        let pickup = tempfile::tempdir().unwrap();
        let pickup = PickupDirectory::open(pickup.path(), PickupOptions::default()).unwrap();
        let mut intake = Intake::new(IntakeFormat::Ndjson);
        let mut lines = format!("{{\"from\": \"a@example.com\", \"merge\": \"{merge}\"}}\n");
        for number in 0..recipients {
            let envid = (number % 3 > 0).then_some("own");
            let address = format!("b{number}@example.org");
            lines += &serde_json::json!({"address": address, "envid": envid}).to_string();
            lines.push('\n');
        }
        intake.feed(lines.as_bytes(), None).unwrap();
        intake.finish().submit(&pickup).unwrap()
    }

    #[test]
    fn chunks_are_the_receipt() {
        for (recipients, merge) in [(1, "native"), (5_001, "native"), (3, "expanded")] {
            let receipt = receipt(recipients, merge);
            let whole = serde_json::to_string(&receipt).unwrap();
            let mut chunks = Chunks::of(receipt).unwrap();
            let chunks: Vec<_> = std::iter::from_fn(|| chunks.next()).collect();
            assert_eq!(chunks.concat(), whole.as_bytes());
            assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK + 100));
        }
    }

    #[test]
    fn a_receipt_without_envelope_ids_has_none() {
        let mut receipt = receipt(1, "native");
        receipt.envids = None;
        let whole = serde_json::to_string(&receipt).unwrap();
        assert_eq!(Chunks::of(receipt).unwrap().next().unwrap(), whole);
    }
}
