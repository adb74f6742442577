//! From the pieces of a form to its parts.

use super::super::error::ApiError;
use axum::body::HttpBody;
use axum::http::header;
use bytes::Bytes;
use http_body_util::BodyDataStream;
use hyper::body::Frame;
use multer::{Field, Multipart};
use pmtaemail::{ContentDisposition, OwnedFilePart, TableStream};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

/// The part that holds the JSON.
const MESSAGE: &str = "message";

/// The part that holds a table of recipients.
const RECIPIENTS: &str = "recipients";

/// Nobody attaches this many files, and lookups by name must stay cheap.
const MOST_PARTS: usize = 1_000;

/// What the parser is given, and what it has produced.
#[derive(Debug, Default)]
pub struct Exchange {
    pub pieces: VecDeque<Bytes>,
    pub has_ended: bool,
    /// How many bytes have arrived since the parser began to look for the next part, if it does.
    pub searched: Option<usize>,
    pub message: Option<Vec<u8>>,
    pub files: Vec<OwnedFilePart>,
    pub table: Option<TableStream>,
}

pub fn lock(exchange: &Mutex<Exchange>) -> MutexGuard<'_, Exchange> {
    exchange.lock().expect("nothing panics with the lock")
}

/// The pieces as a body.
struct Pieces(Arc<Mutex<Exchange>>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut exchange = lock(&self.0);
        match exchange.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if exchange.has_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

pub const BROKEN: ApiError =
    ApiError::Form("The form is malformed: a part has no end, or an invalid head.");

const ENCODED: ApiError = ApiError::Form(
    "A part has a Content-Transfer-Encoding (RFC 7578 section 4.7); send the bytes unencoded.",
);

const NO_TABLE: ApiError = ApiError::Form(
    "The part `recipients` must be a table (text/csv). Put recipients in JSON into the message, or send them without a form in lines \
     after it (application/x-ndjson).",
);

/// Parses a form whose pieces arrive through `exchange`, where its parts are put.
pub async fn parse(boundary: String, exchange: Arc<Mutex<Exchange>>) -> Result<(), ApiError> {
    let pieces = BodyDataStream::new(Pieces(Arc::clone(&exchange)));
    let mut form = Multipart::new(pieces, boundary);
    loop {
        lock(&exchange).searched = Some(0);
        let Some(mut field) = form.next_field().await.map_err(|_| BROKEN)? else {
            return Ok(());
        };
        lock(&exchange).searched = None;
        let disposition = field.headers().get(header::CONTENT_DISPOSITION);
        let disposition = disposition.map(|value| ContentDisposition::parse(value.as_bytes()));
        let disposition = disposition.unwrap_or_default();
        let Some(name) = disposition.name else {
            let detail = "A part of the form has no name, or its name is not valid UTF-8.";
            return Err(ApiError::Form(detail));
        };
        if !is_unencoded(&field) {
            return Err(ENCODED);
        }
        if name == RECIPIENTS {
            receive_table(&mut field, &exchange).await?;
            continue;
        }
        if name == MESSAGE {
            let message = bytes(&mut field).await?;
            if lock(&exchange).message.replace(message).is_some() {
                return Err(ApiError::Form("The form has two parts named `message`."));
            }
            continue;
        }
        if lock(&exchange).files.len() == MOST_PARTS {
            return Err(ApiError::Form("The form has more than 1,000 files."));
        }
        let file = OwnedFilePart {
            name,
            filename: disposition.filename,
            content_type: content_type(&field)?,
            content: bytes(&mut field).await?,
        };
        lock(&exchange).files.push(file);
    }
}

async fn receive_table(field: &mut Field<'_>, exchange: &Mutex<Exchange>) -> Result<(), ApiError> {
    let media_type = content_type(field)?.unwrap_or_default();
    if !may_be_table(&media_type) {
        return Err(NO_TABLE);
    }
    if lock(exchange).table.replace(TableStream::new()).is_some() {
        return Err(ApiError::Form("The form has two parts named `recipients`."));
    }
    while let Some(piece) = field.chunk().await.map_err(|_| BROKEN)? {
        if let Some(table) = &mut lock(exchange).table {
            table.feed(&piece, None)?;
        }
    }
    Ok(())
}

/// Whether CSV may have this media type. Clients that do not know CSV use the one for any file, and on Windows it is
/// Excel's.
fn may_be_table(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    [
        "",
        "text/csv",
        "application/csv",
        "text/comma-separated-values",
        "text/tab-separated-values",
        "text/plain",
        "application/vnd.ms-excel",
        "application/octet-stream",
    ]
    .iter()
    .any(|known| essence.eq_ignore_ascii_case(known))
}

/// The Content-Type of a part as written: an invalid media type is reported where it is used.
fn content_type(field: &Field<'_>) -> Result<Option<String>, ApiError> {
    let Some(value) = field.headers().get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes());
    let text =
        text.map_err(|_| ApiError::Form("The Content-Type of a part is not valid UTF-8."))?;
    Ok(Some(text.trim().to_owned()))
}

/// Whether the bytes of a part are unencoded, which some clients declare.
fn is_unencoded(field: &Field<'_>) -> bool {
    let mut encodings = field.headers().get_all("content-transfer-encoding").iter();
    encodings.all(|encoding| {
        let encoding = encoding.as_bytes().trim_ascii();
        [&b"7bit"[..], b"8bit", b"binary"]
            .iter()
            .any(|identity| encoding.eq_ignore_ascii_case(identity))
    })
}

/// The bytes of a part.
async fn bytes(field: &mut Field<'_>) -> Result<Vec<u8>, ApiError> {
    let mut all = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| BROKEN)? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}
