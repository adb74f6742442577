//! The body of a request, and how the core library reads it.

use super::error::ApiError;
use super::form::WholeForm;
use super::memory::needed_for_mail;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use pmtaemail::{
    Message, Problems, RejectedRecipients, Selection, SenderDomains, StreamFormat, StreamedMessage,
    SubmitError, Warning,
};

/// The format of a request's body.
#[derive(Debug)]
pub enum BodyFormat {
    /// JSON, which may have very many recipients. One object is what any media type stands for that
    /// is not known here: `curl -d` sends a form's.
    Streamed(StreamFormat),
    /// `multipart/form-data` with this boundary, which may have a table of very many recipients.
    Form { boundary: String },
    /// A finished message; its envelope is in the query.
    Rfc822 { envelope: Vec<(String, String)> },
}

impl BodyFormat {
    /// The format according to the head of a request. `others` are the names and values of the query that do not belong
    /// to the path: those of an envelope, or invalid ones.
    pub fn of(headers: &HeaderMap, others: Vec<(String, String)>) -> Result<Self, ApiError> {
        let format = Self::of_headers(headers)?;
        match format {
            Self::Rfc822 { .. } => Ok(Self::Rfc822 { envelope: others }),
            _ if others.is_empty() => Ok(format),
            _ => Err(ApiError::QueryName),
        }
    }

    fn of_headers(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(media_type) = headers.get(header::CONTENT_TYPE) else {
            return Ok(Self::Streamed(StreamFormat::Json));
        };
        // A value that is not text is not a known media type.
        let media_type = media_type.to_str().unwrap_or_default();
        let essence = essence(media_type);
        if essence.eq_ignore_ascii_case("message/rfc822") {
            let envelope = Vec::new();
            Ok(Self::Rfc822 { envelope })
        } else if essence.eq_ignore_ascii_case("multipart/form-data") {
            match multer::parse_boundary(media_type) {
                Ok(boundary) if !boundary.is_empty() => Ok(Self::Form { boundary }),
                _ => Err(ApiError::Form("The Content-Type has no boundary.")),
            }
        } else if LINES.iter().any(|name| essence.eq_ignore_ascii_case(name)) {
            Ok(Self::Streamed(StreamFormat::Ndjson))
        } else if essence.eq_ignore_ascii_case("text/csv") {
            Err(ApiError::TableAlone)
        } else {
            Ok(Self::Streamed(StreamFormat::Json))
        }
    }
}

/// Media types of JSON lines, none of which is registered.
pub const LINES: [&str; 4] = [
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonlines",
];

/// A media type without its parameters.
pub fn essence(media_type: &str) -> &str {
    let (essence, _) = media_type.split_once(';').unwrap_or((media_type, ""));
    essence.trim()
}

/// A body that has arrived.
#[derive(Debug)]
pub enum ReceivedBody {
    /// All of it is in memory.
    Buffered(BufferedBody),
    /// The message is in memory, and its recipients may not be.
    Streamed(Box<StreamedMessage>),
}

impl ReceivedBody {
    /// How much more memory than the body its message needs, judging by its JSON.
    pub fn needed_more(&self, for_json: fn(&[u8]) -> usize) -> usize {
        match self {
            Self::Buffered(BufferedBody::Json(bytes)) => for_json(bytes),
            Self::Buffered(BufferedBody::Form(form)) => for_json(form.message()),
            Self::Buffered(BufferedBody::Rfc822 { bytes, .. }) => needed_for_mail(bytes),
            Self::Streamed(message) => for_json(message.json()),
        }
    }
}

impl ReceivedBody {
    /// The warnings of its message. Reads the message and, if it has very many recipients, some of them.
    pub fn warnings(&self) -> Result<Vec<Warning>, SubmitError> {
        match self {
            Self::Buffered(body) => Ok(body.warnings()),
            Self::Streamed(message) => message.warnings(),
        }
    }
}

/// The result for a message that breaks no rule.
#[derive(Debug)]
pub struct Checked {
    pub warnings: Vec<Warning>,
    pub rejected: Option<RejectedRecipients>,
}

impl Checked {
    /// Turns warnings into problems if that is requested.
    pub fn strictly(self, strict: bool) -> Result<Self, Problems> {
        if !strict {
            return Ok(self);
        }
        let Self { warnings, rejected } = self;
        match Warning::into_problems(warnings) {
            Some(problems) => Err(problems),
            None => Ok(Self {
                warnings: Vec::new(),
                rejected,
            }),
        }
    }
}

/// A body that is completely in memory.
#[derive(Debug)]
pub enum BufferedBody {
    /// One JSON object.
    Json(Bytes),
    /// A finished message.
    Rfc822 {
        bytes: Bytes,
        envelope: Vec<(String, String)>,
    },
    /// A message and files.
    Form(WholeForm),
}

impl BufferedBody {
    /// Its size in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(bytes) | Self::Rfc822 { bytes, .. } => bytes.len(),
            Self::Form(form) => form.len(),
        }
    }

    /// Checks its message, and returns the warnings of a valid one.
    pub fn check(&self, senders: &SenderDomains) -> Result<Checked, ApiError> {
        let rejected = self.read(Selection::All, senders, |message| {
            message.rejected().cloned()
        })?;
        let warnings = self.warnings();
        Ok(Checked { warnings, rejected })
    }

    /// The warnings of its message.
    pub fn warnings(&self) -> Vec<Warning> {
        match self {
            Self::Json(bytes) => pmtaemail::warnings(bytes),
            // It is sent as it is.
            Self::Rfc822 { .. } => Vec::new(),
            Self::Form(form) => pmtaemail::warnings(form.message()),
        }
    }

    /// Reads it and passes its message to `then`.
    pub fn read<T>(
        &self,
        selection: Selection,
        senders: &SenderDomains,
        then: impl FnOnce(&Message<'_>) -> T,
    ) -> Result<T, ApiError> {
        let then = |message: Message<'_>| Ok(then(&message.select(selection)?));
        match self {
            Self::Json(bytes) => Message::from_form_within(bytes, &[], senders).and_then(then),
            Self::Rfc822 { bytes, envelope } => {
                Message::from_rfc822_within(bytes, envelope, senders).and_then(then)
            }
            Self::Form(form) => form.read(senders, then),
        }
        .map_err(ApiError::Problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::query::Query;

    fn format(query: &str, fields: &[(&'static str, &str)]) -> Result<BodyFormat, ApiError> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let uri = format!("/messages?{query}").parse().unwrap();
        BodyFormat::of(&headers, Query::of(&uri, &[])?.others)
    }

    fn is_json(format: &Result<BodyFormat, ApiError>) -> bool {
        matches!(format, Ok(BodyFormat::Streamed(StreamFormat::Json)))
    }

    #[test]
    fn json_lines_have_several_names() {
        for media_type in LINES {
            let media_type = format!("{}; charset=utf-8", media_type.to_uppercase());
            let format = format("", &[("content-type", &media_type)]);
            assert!(matches!(
                format,
                Ok(BodyFormat::Streamed(StreamFormat::Ndjson))
            ));
        }
    }

    #[test]
    fn a_body_that_is_neither_mail_nor_a_form_is_json() {
        for media_type in [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/mixed; boundary=x",
            "message/rfc822x",
            "",
        ] {
            assert!(is_json(&format("", &[("content-type", media_type)])));
            let format = format("to=x", &[("content-type", media_type)]);
            assert!(matches!(format, Err(ApiError::QueryName)), "{media_type}");
        }
        assert!(is_json(&format("", &[])));
    }

    #[test]
    fn a_query_is_names_and_values() {
        let mail = [("content-type", "Message/RFC822 ; charset=utf-8")];
        let Ok(BodyFormat::Rfc822 { envelope }) = format("to=a+b%40c&&to=%C3%A5&verp", &mail)
        else {
            panic!("not a mail")
        };
        let expected = [("to", "a+b@c"), ("to", "å"), ("verp", "")];
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        assert_eq!(envelope, expected.map(pair));
        assert!(matches!(format("to=%ff", &mail), Err(ApiError::Query)));
    }

    #[test]
    fn a_form_needs_its_boundary() {
        for (media_type, expected) in [
            ("multipart/form-data; boundary=x", Some("x")),
            ("Multipart/Form-Data; boundary=\"a b\"", Some("a b")),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
            ("multipart/form-data; boundary=\"\"", None),
            ("multipart/form-data; boundary", None),
        ] {
            match format("", &[("content-type", media_type)]) {
                Ok(BodyFormat::Form { boundary }) => {
                    assert_eq!(Some(boundary.as_str()), expected);
                }
                Err(ApiError::Form(_)) => assert_eq!(None, expected, "{media_type}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
