//! `multipart/form-data` (RFC 7578): a part `message` with the JSON, and files.

use super::error::ApiError;
use axum::body::Body;
use axum::http::header;
use bytes::{Bytes, BytesMut};
use multer::{Field, Multipart};
use pmtaemail::{ContentDisposition, FilePart, UnreadableName};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// The part that holds the JSON.
const MESSAGE: &str = "message";

/// Nobody attaches as many files; what is looked up by name must not be many.
const MOST_PARTS: usize = 1_000;

/// The parts of a form.
#[derive(Debug)]
pub struct Form {
    message: Bytes,
    files: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: String,
    filename: Option<Result<String, UnreadableName>>,
    content_type: Option<String>,
    content: Bytes,
}

impl Form {
    /// Takes a whole body apart. Its bytes are copied once.
    pub fn parse(body: Bytes, boundary: String) -> Result<Self, ApiError> {
        // All bytes are there, so nothing is ever waited for.
        let mut context = Context::from_waker(Waker::noop());
        match pin!(parse(body, boundary)).poll(&mut context) {
            Poll::Ready(form) => form,
            Poll::Pending => Err(ApiError::Internal),
        }
    }

    /// The JSON.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// All parts but the message.
    pub fn files(&self) -> Vec<FilePart<'_>> {
        self.files
            .iter()
            .map(|part| FilePart {
                name: &part.name,
                filename: part.filename.as_ref().map(as_str),
                content_type: part.content_type.as_deref(),
                content: &part.content,
            })
            .collect()
    }
}

const BROKEN: ApiError =
    ApiError::Form("The form is broken: a part has no end, or its head is none.");

const ENCODED: ApiError = ApiError::Form(
    "A part has a Content-Transfer-Encoding (RFC 7578 section 4.7); send the bytes as they are.",
);

async fn parse(body: Bytes, boundary: String) -> Result<Form, ApiError> {
    let mut form = Multipart::new(Body::from(body).into_data_stream(), boundary);
    let mut message = None;
    let mut files = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| BROKEN)? {
        let disposition = field.headers().get(header::CONTENT_DISPOSITION);
        let disposition = disposition.map(|value| ContentDisposition::parse(value.as_bytes()));
        let disposition = disposition.unwrap_or_default();
        let Some(name) = disposition.name else {
            let detail = "A part of the form has no name, or none in UTF-8.";
            return Err(ApiError::Form(detail));
        };
        if !is_unencoded(&field) {
            return Err(ENCODED);
        }
        if name == MESSAGE {
            if message.replace(bytes(field).await?).is_some() {
                return Err(ApiError::Form("The form has two parts named `message`."));
            }
            continue;
        }
        if files.len() == MOST_PARTS {
            return Err(ApiError::Form("The form has over 1,000 files."));
        }
        files.push(Part {
            name,
            filename: disposition.filename,
            content_type: content_type(&field)?,
            content: bytes(field).await?,
        });
    }
    let Some(message) = message else {
        let detail = "The form has no part named `message`, which holds the JSON.";
        return Err(ApiError::Form(detail));
    };
    Ok(Form { message, files })
}

fn as_str(name: &Result<String, UnreadableName>) -> Result<&str, UnreadableName> {
    name.as_deref().map_err(|fault| *fault)
}

/// The Content-Type of a part as it is written: what is no media type is told where it is used.
fn content_type(field: &Field<'_>) -> Result<Option<String>, ApiError> {
    let Some(value) = field.headers().get(header::CONTENT_TYPE) else {
        return Ok(None);
    };
    let text = std::str::from_utf8(value.as_bytes());
    let text = text.map_err(|_| ApiError::Form("The Content-Type of a part is not UTF-8."))?;
    Ok(Some(text.trim().to_owned()))
}

/// Whether the bytes of a part are those of its file. Some clients say so.
fn is_unencoded(field: &Field<'_>) -> bool {
    let mut encodings = field.headers().get_all("content-transfer-encoding").iter();
    encodings.all(|encoding| {
        let encoding = encoding.as_bytes().trim_ascii();
        [&b"7bit"[..], b"8bit", b"binary"]
            .iter()
            .any(|identity| encoding.eq_ignore_ascii_case(identity))
    })
}

/// The bytes of a part, which come in one piece when all of the form is there.
async fn bytes(mut field: Field<'_>) -> Result<Bytes, ApiError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = field.chunk().await.map_err(|_| BROKEN)? {
        if first.is_empty() && all.is_empty() {
            first = piece;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&piece);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Form, ApiError> {
        Form::parse(Bytes::copy_from_slice(body.as_bytes()), "b".to_owned())
    }

    #[test]
    fn parts_are_found() {
        let form = parsed(
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a b.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n\r\n--c\r\n\
             --b\r\nContent-Disposition: form-data; name=message\r\n\r\n{}\r\n\
             --b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n--b--\r\n",
        )
        .unwrap();
        assert_eq!(form.message(), b"{}");
        let files = form.files();
        assert_eq!(files[0].name, "f");
        assert_eq!(files[0].filename, Some(Ok("a b.pdf")));
        assert_eq!(files[0].content_type, Some("application/pdf"));
        assert_eq!(files[0].content, b"\r\n--c");
        assert_eq!((files[1].name, files[1].content), ("", &b""[..]));
    }

    #[test]
    fn a_content_type_is_not_lost() {
        let part = |content_type: &[u8]| {
            let head = b"--b\r\nContent-Disposition: form-data; name=f\r\nContent-Type: ";
            let message = b"\r\n--b\r\nContent-Disposition: form-data; name=message\r\n\r\n{}";
            let body = [
                &head[..],
                content_type,
                b"\r\n\r\nx",
                message,
                b"\r\n--b--\r\n",
            ]
            .concat();
            Form::parse(body.into(), "b".to_owned())
        };
        for content_type in ["pdf", "a/b; c=\u{fc}", "text/plain; charset=", "a/b;", ""] {
            let form = part(content_type.as_bytes()).unwrap();
            assert_eq!(form.files()[0].content_type, Some(content_type));
        }
        assert!(matches!(part(b"a/b; c=\xfc"), Err(ApiError::Form(_))));
    }

    #[test]
    fn broken_forms_are_refused() {
        let message = "--b\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{}\r\n";
        let headers = "X: y\r\n".repeat(100);
        for body in [
            String::new(),
            "{}".to_owned(),
            "--b".to_owned(),
            "--b--\r\n".to_owned(),
            message.to_owned(),
            format!("{message}--b\r\n"),
            format!("{message}--bx\r\n"),
            format!("{message}{message}--b--\r\n"),
            format!("--b\r\nContent-Disposition: form-data\r\n\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\n\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\n{headers}\r\n\r\n{message}--b--\r\n"),
            format!("--b\r\nno field\r\n\r\n{message}--b--\r\n"),
            format!("{}--b--\r\n", message.replace("message", "file")),
            format!(
                "{message}{}--b--\r\n",
                message.replace("message", "f").repeat(1_001)
            ),
        ] {
            assert!(
                matches!(parsed(&body), Err(ApiError::Form(_))),
                "{body:.200}"
            );
        }
        assert!(parsed(&format!("{message}--b--")).is_ok());
    }
}
