//! Why a request is not done, and the response that says so.

use super::problem_details::ProblemDetails;
use crate::args::PressureLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pmtaemail::{BatchError, ClaimError, Code, Id, OverQuota, PickupError, Problems, SubmitError};
use std::borrow::Cow;
use std::io;

/// The content codings that are known here.
const CODINGS: &str = "gzip, deflate, zstd";

/// How an access key may be sent.
const CHALLENGES: [&str; 2] = [
    r#"Bearer realm="pmtaemail""#,
    r#"Basic realm="pmtaemail", charset="UTF-8""#,
];

/// Why a request is not done.
#[derive(Debug)]
pub enum ApiError {
    /// The message breaks rules, or is no JSON.
    Problems(Problems),
    /// The pickup directory does not take it.
    Pickup(PickupError),
    /// The submission failed, but PowerMTA may have it.
    MayBeDelivered {
        /// Nothing where a fault of this program ended messages that have no known one.
        id: Option<Id>,
        /// Nothing where a fault of this program ended it.
        error: Option<PickupError>,
    },
    /// Recipients cannot wait on the pickup directory's file system.
    Spool(io::Error),
    /// The limits on messages in progress are reached.
    Busy,
    /// PowerMTA or the disk cannot keep up, by this limit.
    BackPressure(PressureLimit),
    /// The body did not come, and another one needed its room.
    GaveWay,
    /// The body has more bytes than this.
    TooLarge { limit: usize },
    /// The message itself, its recipients not counted, has more bytes than this.
    MessageTooLarge { limit: usize },
    /// The message needs more memory than there may be for all.
    TooMuchMemory,
    /// A message of a batch has more bytes than this.
    EntryTooLarge { limit: usize },
    /// The body should be a JSON array of messages, and is none.
    NotAnArray,
    /// The body has a media type of another format than JSON, where there is no other.
    JsonAlone,
    /// The body has a media type that no batch has.
    BatchType,
    /// The daemon ends.
    Stopping,
    /// The head took too long.
    HeadTimeout,
    /// The head is no HTTP, or says doubtful things about its body.
    HeadBroken,
    /// The head is larger than it may be.
    HeadTooLarge,
    /// The body took too long.
    BodyTimeout,
    /// The body ended too soon or broke its framing.
    BodyBroken,
    /// The body has a content coding that is not known here.
    ContentEncoding,
    /// The body is not what its content coding says, for this reason.
    Coding(&'static str),
    /// The request has an idempotency key that is none, or several.
    IdempotencyKey,
    /// The request is a batch, and has an idempotency key as a whole.
    KeyOfBatch,
    /// The first submission under its idempotency key is at work.
    KeyInWork,
    /// Another message was submitted under its idempotency key.
    KeyConflict,
    /// The store of idempotency keys takes no new one.
    KeysFull,
    /// The store of idempotency keys cannot be used.
    Keys(PickupError),
    /// The body is no form (RFC 7578) with a message, for this reason.
    Form(&'static str),
    /// The body is a table of recipients (CSV), and there is no message.
    TableAlone,
    /// The query is not UTF-8.
    Query,
    /// The query has a name that the path does not know.
    QueryName,
    /// The query says something that it cannot, for this reason.
    QueryValue(&'static str),
    /// HTTP where TLS is spoken.
    PlainHttp,
    /// An HTTP/1.1 request without exactly one Host (RFC 9112 section 3.2).
    Host,
    /// The body of an HTTP/1.1 request has another transfer coding than chunked (RFC 9112 section 6.1).
    TransferEncoding,
    /// The request has no access key.
    NoAccessKey,
    /// The request has a key that is none here, or whose time is over.
    WrongAccessKey,
    /// The key has been used as much as it may be.
    OverQuota(OverQuota),
    /// Its client has more connections than one may have.
    TooManyConnections,
    /// A web page of another site sent the request.
    ForeignPage,
    /// The host of the request is no name of this daemon.
    #[cfg_attr(
        not(feature = "preview"),
        expect(dead_code, reason = "the preview alone asks for it")
    )]
    ForeignHost,
    /// The key is not for previews.
    #[cfg_attr(
        not(feature = "preview"),
        expect(dead_code, reason = "the preview alone asks for it")
    )]
    NoPreview,
    /// What is asked for has more bytes than previews may take.
    #[cfg_attr(
        not(feature = "preview"),
        expect(dead_code, reason = "the preview alone asks for it")
    )]
    TooLargeToPreview { limit: usize },
    /// A file cannot be read.
    #[cfg_attr(
        not(feature = "preview"),
        expect(dead_code, reason = "the preview alone asks for it")
    )]
    Unreadable(io::Error),
    /// No such path.
    NotFound,
    /// The path has other methods.
    MethodNotAllowed,
    /// A fault of this program.
    Internal,
}

const QUERY_NAME: &str = "The query has a name that means nothing here: `/messages` takes `recipient` and `limit`, `/messages/render` \
                 takes `recipient`, `/messages/batch` takes `atomic`, in small letters, `/api/v1/transmissions` takes `num_rcpt_errors`; the envelope stands in it beside message/rfc822 alone.";

const UNREADABLE: &str = "The file or the pickup directory cannot be read; the log says why.";

impl ApiError {
    /// Of messages that were at work in a panic: nobody knows what became of them.
    pub const UNKNOWN: Self = Self::MayBeDelivered {
        id: None,
        error: None,
    };

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Problems(problems) if is_forbidden(problems) => StatusCode::FORBIDDEN,
            Self::Problems(problems) if !problems.is_not_json() => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Problems(_)
            | Self::HeadBroken
            | Self::BodyBroken
            | Self::Coding(_)
            | Self::Form(_)
            | Self::IdempotencyKey
            | Self::KeyOfBatch
            | Self::Query
            | Self::QueryName
            | Self::QueryValue(_)
            | Self::NotAnArray
            | Self::PlainHttp
            | Self::Host => StatusCode::BAD_REQUEST,
            Self::TransferEncoding => StatusCode::NOT_IMPLEMENTED,
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::ContentEncoding | Self::TableAlone | Self::BatchType | Self::JsonAlone => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::NoAccessKey => StatusCode::UNAUTHORIZED,
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::ForeignPage | Self::WrongAccessKey | Self::NoPreview => StatusCode::FORBIDDEN,
            Self::OverQuota(_) | Self::TooManyConnections => StatusCode::TOO_MANY_REQUESTS,
            Self::KeyInWork | Self::KeyConflict => StatusCode::CONFLICT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::HeadTimeout | Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::EntryTooLarge { .. }
            | Self::TooLargeToPreview { .. }
            | Self::TooMuchMemory => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy
            | Self::GaveWay
            | Self::Stopping
            | Self::BackPressure(_)
            | Self::Pickup(_)
            | Self::Spool(_)
            | Self::Unreadable(_)
            | Self::KeysFull
            | Self::Keys(_) => StatusCode::SERVICE_UNAVAILABLE,
            // No 503: many clients try such a request again by themselves.
            Self::MayBeDelivered { .. } | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of the response. It repeats nothing of the request, and says nothing about this
    /// host.
    pub fn problem_details(&self) -> ProblemDetails<'_> {
        let plain = ProblemDetails::plain(self.status());
        match self {
            Self::Problems(problems) => {
                let (kind, title) = if problems.is_not_json() {
                    ("urn:pmtaemail:problem:not-json", "Not JSON")
                } else if is_forbidden(problems) {
                    (
                        "urn:pmtaemail:problem:forbidden-sender",
                        "The access key may not send from this address",
                    )
                } else {
                    ("urn:pmtaemail:problem:invalid-message", "Invalid message")
                };
                plain
                    .of_type(kind, title)
                    .with_errors(problems)
            }
            Self::Pickup(_) | Self::Spool(_) => plain.of_type(
                "urn:pmtaemail:problem:pickup-unavailable",
                "The pickup directory does not take messages at present",
            ),
            Self::MayBeDelivered { id, .. } => may_be_delivered(plain, *id),
            Self::Busy | Self::GaveWay => {
                let busy = plain.of_type(
                    "urn:pmtaemail:problem:busy",
                    "There are too many messages at work",
                );
                match self {
                    Self::GaveWay => busy.with_detail(
                        "The body of the request was not all there when others needed its room; see --max-in-flight and \
                         --max-bytes-in-flight.",
                    ),
                    _ => busy.with_detail(
                        "Send it again soon; see --max-in-flight, --max-bytes-in-flight and --memory.",
                    ),
                }
            }
            Self::BackPressure(limit) => back_pressure(plain, *limit),
            Self::TooLarge { .. }
            | Self::MessageTooLarge { .. }
            | Self::EntryTooLarge { .. }
            | Self::TooLargeToPreview { .. }
            | Self::TooMuchMemory => self.size_problem(plain),
            Self::NotAnArray => plain
                .of_type("urn:pmtaemail:problem:not-a-batch", "Not a batch")
                .with_detail(
                    "A batch is a JSON array of messages, or has a message a line and the Content-Type application/x-ndjson.",
                ),
            Self::JsonAlone => plain.with_detail("A body is JSON here (application/json)."),
            Self::BatchType => plain.with_detail(
                "A batch is a JSON array of messages (application/json), or has a message a line (application/x-ndjson).",
            ),
            Self::Stopping => plain.of_type(
                "urn:pmtaemail:problem:stopping",
                "The daemon ends; what has no receipt was not submitted",
            ),
            Self::HeadTimeout => plain.with_detail("The head of the request took too long; see --header-timeout."),
            Self::HeadBroken => plain.with_detail(
                "The head of the request is no HTTP/1.1, or contradicts itself about the length of the body.",
            ),
            Self::HeadTooLarge => plain.with_detail("A head may have at most 65536 octets and 100 fields."),
            Self::BodyTimeout => plain.with_detail("The body of the request took too long; see --body-timeout."),
            Self::BodyBroken => {
                plain.with_detail("The body of the request ends too soon or its chunks are broken.")
            }
            Self::ContentEncoding => plain.with_detail(
                "Of content codings, gzip, deflate and zstd are known here, at most three one on the other.",
            ),
            Self::Coding(detail) | Self::QueryValue(detail) => plain.with_detail(*detail),
            Self::IdempotencyKey
            | Self::KeyOfBatch
            | Self::KeyInWork
            | Self::KeyConflict
            | Self::KeysFull
            | Self::Keys(_) => self.key_problem(plain),
            Self::Form(detail) => plain
                .of_type(
                    "urn:pmtaemail:problem:not-a-form",
                    "Not a form with a message",
                )
                .with_detail(*detail),
            Self::TableAlone => plain.with_detail(
                "A table of recipients comes together with its message: in multipart/form-data with the parts `message` \
                 (application/json) and `recipients` (text/csv).",
            ),
            Self::Query => plain.with_detail("The query is not UTF-8."),
            Self::QueryName => plain.with_detail(QUERY_NAME),
            Self::NoAccessKey | Self::WrongAccessKey | Self::NoPreview | Self::OverQuota(_) => self.access_problem(plain),
            Self::TooManyConnections
            | Self::PlainHttp
            | Self::Host
            | Self::TransferEncoding
            | Self::ForeignHost
            | Self::ForeignPage => {
                self.connection_problem(plain)
            }
            Self::Unreadable(_) => plain.with_detail(UNREADABLE),
            Self::NotFound | Self::MethodNotAllowed | Self::Internal => plain,
        }
    }

    /// What is wrong with where the request comes from, or with how.
    fn connection_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::TooManyConnections => plain
                .of_type(
                    "urn:pmtaemail:problem:too-many-connections",
                    "The client has too many connections",
                )
                .with_detail(
                    "Close some, or send several requests on one; see --max-connections-per-client and --max-connections.",
                ),
            Self::PlainHttp => {
                plain.with_detail("TLS is spoken here: the URL begins with https://.")
            }
            Self::Host => plain.with_detail("A request needs exactly one Host header."),
            Self::TransferEncoding => plain.with_detail(
                "Of transfer codings, chunked alone is known here, in one header and by itself; what is compressed has a Content-Encoding.",
            ),
            Self::ForeignHost => plain.with_detail(
                "The preview answers to this daemon's own names: an IP address, localhost, the host of --listen, and those of \
                 --allow-origin.",
            ),
            _ => plain.with_detail(
                "A web page of another site may not use this daemon, unless --allow-origin names it.",
            ),
        }
    }

    /// What is wrong with an access key.
    fn access_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::NoAccessKey => plain
                .of_type(
                    "urn:pmtaemail:problem:no-access-key",
                    "The request has no access key",
                )
                .with_detail("Send the header `Authorization: Bearer KEY`."),
            Self::OverQuota(over) if over.is_of_recipients => plain
                .of_type(
                    "urn:pmtaemail:problem:over-recipients",
                    "The access key has had its recipients of this day, or has not so many left",
                )
                .with_detail(
                    "Send the message again after the day's end (UTC), or to fewer recipients.",
                ),
            Self::NoPreview => plain
                .of_type(
                    "urn:pmtaemail:problem:no-preview",
                    "The access key may not preview messages",
                )
                .with_detail("In the file of keys, `preview = true` lets a key see messages."),
            Self::OverQuota(_) => plain.of_type(
                "urn:pmtaemail:problem:over-rate",
                "The access key has sent too many messages in a short time",
            ),
            _ => plain.of_type(
                "urn:pmtaemail:problem:wrong-access-key",
                "The access key is not one that is in force here",
            ),
        }
    }

    /// What is too large, and the option that says so.
    fn size_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::TooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A body may have at most {limit} octets; see --body-limit, --merge-limit and --memory."
            ))),
            Self::MessageTooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A message may have at most {limit} octets, its `recipients` not counted; see --body-limit and --memory."
            ))),
            Self::EntryTooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A message of a batch may have at most {limit} octets; a larger mail merge is posted to /messages alone."
            ))),
            Self::TooLargeToPreview { limit } => plain.with_detail(Cow::Owned(format!(
                "There is room for {limit} octets of messages to be previewed; see --memory."
            ))),
            _ => plain.with_detail(
                "The message needs more memory than there is for all, for its text or for its values (recipients, variables, \
                 header fields); see --memory and --max-bytes-in-flight.",
            ),
        }
    }

    /// What is wrong with an idempotency key, or with their store.
    fn key_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::IdempotencyKey => plain.with_detail(
                "Idempotency-Key stands in the head once, with 1 to 255 printable ASCII characters.",
            ),
            Self::KeyOfBatch => plain.with_detail(
                "A batch has no Idempotency-Key: each of its messages has its own, as `idempotencyKey`.",
            ),
            Self::KeyInWork => plain
                .of_type(
                    "urn:pmtaemail:problem:idempotency-key-in-work",
                    "A submission under the same idempotency key is at work",
                )
                .with_detail("Send the request again after a second: it gets the answer of the first then."),
            Self::KeyConflict => plain
                .of_type(
                    "urn:pmtaemail:problem:idempotency-key-conflict",
                    "Another message was submitted under the same idempotency key",
                )
                .with_detail(
                    "Under one key the same request gets the first answer for 24 hours. Give each message a key of its own; the \
                     query and the format of the body belong to the message.",
                ),
            Self::KeysFull => plain.of_type(
                "urn:pmtaemail:problem:idempotency-keys-full",
                "There is no room for another idempotency key before the oldest is 24 hours old",
            ),
            _ => plain.of_type(
                "urn:pmtaemail:problem:idempotency-keys-unavailable",
                "The store of idempotency keys cannot be used at present",
            ),
        }
    }

    /// Seconds after which it may be tried again.
    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy
            | Self::GaveWay
            | Self::Stopping
            | Self::KeyInWork
            | Self::TooManyConnections => Some(1),
            Self::Pickup(_) | Self::Spool(_) | Self::Keys(_) => Some(5),
            Self::KeysFull => Some(60),
            // Rounded up: a moment too early is too early.
            Self::OverQuota(over) => {
                let seconds = over.retry_after.as_millis().div_ceil(1_000).max(1);
                Some(u32::try_from(seconds).unwrap_or(u32::MAX))
            }
            // A backlog takes its time.
            Self::BackPressure(_) => Some(10),
            _ => None,
        }
    }

    /// Whether the connection cannot be used any more, because the rest of the body is unread.
    fn ends_connection(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. }
                | Self::MessageTooLarge { .. }
                | Self::NotAnArray
                | Self::Stopping
                | Self::GaveWay
                | Self::BodyTimeout
                | Self::BodyBroken
                | Self::Coding(_)
                | Self::Host
                | Self::TransferEncoding
                | Self::ForeignHost
                | Self::ForeignPage
                | Self::NoPreview
                | Self::TooManyConnections
                | Self::NoAccessKey
                | Self::WrongAccessKey
        )
    }
}

/// Whether a message is right, and may not be sent by whom it comes from.
fn is_forbidden(problems: &Problems) -> bool {
    problems.len() == problems.total()
        && (problems.iter()).all(|problem| problem.code() == Code::ForbiddenSender)
}

fn may_be_delivered(plain: ProblemDetails<'_>, id: Option<Id>) -> ProblemDetails<'_> {
    let plain = plain.of_type(
        "urn:pmtaemail:problem:may-be-delivered",
        "The message may be delivered in spite of an error",
    );
    match id {
        Some(id) => plain
            .with_detail(
                "Before you send it again, look for `id` in PowerMTA's accounting and in the pickup directory: its file is \
                 named after it, and so is its Message-ID unless the message gives one.",
            )
            .with_id(id),
        None => plain.with_detail(
            "Before you send it again, look for it in PowerMTA's accounting and in the pickup directory.",
        ),
    }
}

fn back_pressure(plain: ProblemDetails<'_>, limit: PressureLimit) -> ProblemDetails<'_> {
    let detail = match limit {
        PressureLimit::MaxDepth => {
            "More files wait in the pickup directory than --max-depth allows: PowerMTA is down or slow."
        }
        PressureLimit::MaxAge => {
            "A file has waited in the pickup directory for longer than --max-age allows: PowerMTA is down or slow."
        }
        PressureLimit::MinFree => {
            "The file system of the pickup directory has less free than --min-free asks for."
        }
        PressureLimit::MinFreeInodes => {
            "The file system of the pickup directory has fewer inodes free than --min-free-inodes asks for."
        }
    };
    plain
        .of_type(
            "urn:pmtaemail:problem:back-pressure",
            "PowerMTA or its disk cannot keep up: no message is taken at present",
        )
        .with_cause(limit.name())
        .with_detail(detail)
}

impl From<PickupError> for ApiError {
    fn from(error: PickupError) -> Self {
        match error.id() {
            id @ Some(_) if error.may_be_delivered() => Self::MayBeDelivered {
                id,
                error: Some(error),
            },
            _ if error.is_of_keys() => Self::Keys(error),
            _ => Self::Pickup(error),
        }
    }
}

impl From<ClaimError> for ApiError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::InWork => Self::KeyInWork,
            ClaimError::Conflict => Self::KeyConflict,
            ClaimError::Full => Self::KeysFull,
            ClaimError::Pickup(error) => error.into(),
            _ => Self::Internal,
        }
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Problems(problems) => Self::Problems(problems),
            SubmitError::Pickup(error) => error.into(),
            SubmitError::Spool(error) => Self::Spool(error),
            SubmitError::OverQuota(over) => Self::OverQuota(over),
        }
    }
}

impl From<BatchError> for ApiError {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::TooLarge { limit } => Self::EntryTooLarge { limit },
            BatchError::NotAnArray => Self::NotAnArray,
            BatchError::Submit(error) => error.into(),
            BatchError::Claim(error) => error.into(),
        }
    }
}

impl ApiError {
    /// The fields of the answer's head that an error has, whatever its body looks like.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(self, Self::ContentEncoding) {
            // RFC 9110 section 15.5.16.
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(CODINGS));
        }
        if matches!(self, Self::NoAccessKey) {
            // RFC 9110 section 11.6.1. Some clients send a password only when they are asked for one.
            for challenge in CHALLENGES {
                headers.append(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static(challenge),
                );
            }
        }
        if self.ends_connection() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers
    }

    /// The answer in our own words.
    pub fn answer(&self) -> Response {
        let mut response = (self.status(), self.problem_details()).into_response();
        response.headers_mut().extend(self.headers());
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.answer()
    }
}
