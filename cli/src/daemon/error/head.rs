//! The head of a response that says why a request is not done.

use super::ApiError;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use pmtaemail::{Code, Problems};

/// The content codings that are supported.
const CODINGS: &str = "gzip, deflate, zstd";

/// How to send an access key.
const CHALLENGES: [&str; 2] = [
    r#"Bearer realm="pmtaemail""#,
    r#"Basic realm="pmtaemail", charset="UTF-8""#,
];

impl ApiError {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Problems(problems) if is_forbidden(problems) => StatusCode::FORBIDDEN,
            Self::Problems(problems) if !problems.is_not_json() => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unqueueable(_) => StatusCode::UNPROCESSABLE_ENTITY,
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
            // Not 503: many clients retry such a request by themselves.
            Self::MayBeDelivered { .. } | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The header fields of an error response, whatever the format of its body.
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
            // RFC 9110 section 11.6.1. Some clients send a password only when asked for one.
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

    /// Seconds after which the request may be retried.
    fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy
            | Self::GaveWay
            | Self::Stopping
            | Self::KeyInWork
            | Self::TooManyConnections => Some(1),
            Self::Pickup(_) | Self::Spool(_) | Self::Keys(_) => Some(5),
            Self::KeysFull => Some(60),
            // Rounded up, since a retry must not come too early.
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

/// Whether the message is valid, but its submitter may not send it.
pub(super) fn is_forbidden(problems: &Problems) -> bool {
    problems.len() == problems.total()
        && (problems.iter()).all(|problem| problem.code() == Code::ForbiddenSender)
}
