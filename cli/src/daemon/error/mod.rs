//! Why a request is not done, and the response that says so.
//!
//! ```text
//! head     the status and the header fields of the response
//! body     the sentences: problem details (RFC 9457)
//! ```

mod body;
mod head;

use crate::args::PressureLimit;
use axum::response::{IntoResponse, Response};
use pmtaemail::{BatchError, ClaimError, Id, OverQuota, PickupError, Problems, SubmitError};
use std::io;

/// Why a request is not done.
#[derive(Debug)]
pub enum ApiError {
    /// The message breaks rules, or is not JSON.
    Problems(Problems),
    /// The pickup directory does not take it.
    Pickup(PickupError),
    /// The queue will never take it.
    #[cfg_attr(
        not(feature = "fleet"),
        expect(dead_code, reason = "there is no queue")
    )]
    Unqueueable(PickupError),
    /// The submission failed, but PowerMTA may have it.
    MayBeDelivered {
        /// `None` if a fault of this program ended messages whose ID is unknown.
        id: Option<Id>,
        /// `None` if a fault of this program ended it in a thread of the daemon. If it ended in the library, the error
        /// says so.
        error: Option<PickupError>,
    },
    /// Recipients cannot wait on the pickup directory's file system.
    Spool(io::Error),
    /// The limits on messages in progress are reached.
    Busy,
    /// PowerMTA or the disk cannot keep up, by this limit.
    BackPressure(PressureLimit),
    /// The body did not arrive, and another one needed its room.
    GaveWay,
    /// The body has more bytes than this.
    TooLarge { limit: usize },
    /// The message itself, its recipients not counted, has more bytes than this.
    MessageTooLarge { limit: usize },
    /// The message needs more memory than all messages together may take.
    TooMuchMemory,
    /// A message of a batch has more bytes than this.
    EntryTooLarge { limit: usize },
    /// The body should be a JSON array of messages, but is not.
    NotAnArray,
    /// The body has a media type other than JSON, where only JSON is accepted.
    JsonAlone,
    /// The body has a media type that batches do not have.
    BatchType,
    /// The daemon ends.
    Stopping,
    /// The head took too long.
    HeadTimeout,
    /// The head is not HTTP, or ambiguous about its body.
    HeadBroken,
    /// The head is larger than it may be.
    HeadTooLarge,
    /// The body took too long.
    BodyTimeout,
    /// The body ended too soon or broke its framing.
    BodyBroken,
    /// The body has an unknown content coding.
    ContentEncoding,
    /// The body is not what its content coding says, for this reason.
    Coding(&'static str),
    /// The request has an invalid idempotency key, or several.
    IdempotencyKey,
    /// The request is a batch, and has an idempotency key as a whole.
    KeyOfBatch,
    /// The first submission under its idempotency key is in progress.
    KeyInWork,
    /// Another message was submitted under its idempotency key.
    KeyConflict,
    /// The store of idempotency keys takes no new one.
    KeysFull,
    /// The store of idempotency keys cannot be used.
    Keys(PickupError),
    /// The body is not a form (RFC 7578) with a message, for this reason.
    Form(&'static str),
    /// The body is a table of recipients (CSV), and there is no message.
    TableAlone,
    /// The query is not valid UTF-8.
    Query,
    /// The query has a name that the path does not know.
    QueryName,
    /// The query has an invalid value, for this reason.
    QueryValue(&'static str),
    /// HTTP where TLS is spoken.
    PlainHttp,
    /// An HTTP/1.1 request without exactly one Host (RFC 9112 section 3.2).
    Host,
    /// The body of an HTTP/1.1 request has another transfer coding than chunked (RFC 9112 section 6.1).
    TransferEncoding,
    /// The request has no access key.
    NoAccessKey,
    /// The request has an unknown or expired key.
    WrongAccessKey,
    /// The key has used up its quota.
    OverQuota(OverQuota),
    /// The client has more connections than one client may have.
    TooManyConnections,
    /// A web page of another site sent the request.
    ForeignPage,
    /// The host in the request is not a name of this daemon.
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
    /// The result exceeds the size limit of previews.
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

impl ApiError {
    /// For messages that were in progress during a panic: it is unknown what happened to them.
    pub const UNKNOWN: Self = Self::MayBeDelivered {
        id: None,
        error: None,
    };

    /// The response in the format of our own API.
    pub fn answer(&self) -> Response {
        let mut response = (self.status(), self.problem_details()).into_response();
        response.headers_mut().extend(self.headers());
        response
    }
}

impl From<PickupError> for ApiError {
    fn from(error: PickupError) -> Self {
        match error.id() {
            id @ Some(_) if error.may_be_delivered() => Self::MayBeDelivered {
                id,
                error: Some(error),
            },
            _ if error.is_of_keys() => Self::Keys(error),
            #[cfg(feature = "fleet")]
            _ if error.is_of_submission() => Self::Unqueueable(error),
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

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.answer()
    }
}
