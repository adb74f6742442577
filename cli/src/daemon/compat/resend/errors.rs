//! Errors as Resend's clients know them: <https://resend.com/docs/api-reference/errors>.

use super::super::super::error::ApiError;
use super::super::answer::{self, sentence};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use pmtaemail::{Code, Problem, Problems};
use serde_json::json;

/// Answers with an error.
pub fn refuse(error: &ApiError) -> Response {
    let Told {
        status,
        name,
        message,
    } = Told::of(error);
    let body = json!({"statusCode": status.as_u16(), "name": name, "message": message});
    let mut response = answer::error(status, &body, error);
    if status == StatusCode::TOO_MANY_REQUESTS {
        add_rate(error, response.headers_mut());
    }
    response
}

/// How an error is reported.
struct Told {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl Told {
    fn of(error: &ApiError) -> Self {
        let (name, message) = match error {
            ApiError::Problems(problems) => {
                let first = problems.iter().next().expect("there is always one");
                (name_of(first), message_of(problems))
            }
            // Ours has one character fewer.
            ApiError::IdempotencyKey => (name(error), IDEMPOTENCY_KEY.to_owned()),
            _ => (name(error), error.problem_details().sentence().to_owned()),
        };
        Self {
            status: error.status(),
            name,
            message,
        }
    }
}

const IDEMPOTENCY_KEY: &str =
    "Idempotency-Key must be given once, with 1 to 256 printable ASCII characters.";

/// What is wrong with a message: the first problem, and how many more there are.
pub fn message_of(problems: &Problems) -> String {
    let first = problems.iter().next().map(sentence).unwrap_or_default();
    match problems.total() {
        0 | 1 => first,
        2 => format!("{first} There is 1 more problem."),
        total => format!("{first} There are {} more problems.", total - 1),
    }
}

/// The name of what is wrong with a message.
fn name_of(problem: &Problem) -> &'static str {
    let is_of_attachment = problem.pointer().contains("/attachments");
    match problem.code() {
        Code::MissingField => "missing_required_field",
        // No field of a message has this problem; an identifier in a path does.
        Code::InvalidToken => "invalid_parameter",
        Code::InvalidContent
        | Code::InvalidContentType
        | Code::InvalidContentId
        | Code::InvalidFilename
        | Code::Unsupported
            if is_of_attachment =>
        {
            "invalid_attachment"
        }
        _ => "validation_error",
    }
}

fn name(error: &ApiError) -> &'static str {
    match error {
        ApiError::NoAccessKey => "missing_api_key",
        ApiError::WrongAccessKey => "invalid_api_key",
        ApiError::IdempotencyKey => "invalid_idempotency_key",
        ApiError::KeyConflict => "invalid_idempotent_request",
        ApiError::KeyInWork => "concurrent_idempotent_requests",
        ApiError::OverQuota(over) if over.is_of_recipients => "daily_quota_exceeded",
        ApiError::OverQuota(_) | ApiError::TooManyConnections => "rate_limit_exceeded",
        ApiError::NotFound => "not_found",
        ApiError::MethodNotAllowed => "method_not_allowed",
        error if error.status().is_client_error() => "validation_error",
        _ => "application_error",
    }
}

/// The header fields about a rate: nothing is left until the time in `Retry-After`.
fn add_rate(error: &ApiError, headers: &mut HeaderMap) {
    if let ApiError::OverQuota(over) = error
        && let Some(limit) = over.limit
    {
        headers.insert(HeaderName::from_static("ratelimit-limit"), limit.into());
    }
    let Some(after) = headers.get(header::RETRY_AFTER).cloned() else {
        return;
    };
    headers.insert(HeaderName::from_static("ratelimit-reset"), after);
    let none = HeaderValue::from_static("0");
    headers.insert(HeaderName::from_static("ratelimit-remaining"), none);
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::OverQuota;
    use std::time::Duration;

    #[test]
    fn errors_have_resends_names() {
        let quota = OverQuota::of_messages(Duration::from_millis(1_500)).with_limit(10);
        let day = OverQuota::of_recipients(Duration::from_hours(1));
        for (error, status, expected) in [
            (ApiError::NoAccessKey, 401, "missing_api_key"),
            (ApiError::WrongAccessKey, 403, "invalid_api_key"),
            (ApiError::IdempotencyKey, 400, "invalid_idempotency_key"),
            (ApiError::KeyConflict, 409, "invalid_idempotent_request"),
            (ApiError::KeyInWork, 409, "concurrent_idempotent_requests"),
            (ApiError::OverQuota(quota), 429, "rate_limit_exceeded"),
            (ApiError::OverQuota(day), 429, "daily_quota_exceeded"),
            (ApiError::TooManyConnections, 429, "rate_limit_exceeded"),
            (ApiError::NotFound, 404, "not_found"),
            (ApiError::MethodNotAllowed, 405, "method_not_allowed"),
            (ApiError::BodyTimeout, 408, "validation_error"),
            (ApiError::TooLarge { limit: 1 }, 413, "validation_error"),
            (ApiError::Busy, 503, "application_error"),
            (ApiError::UNKNOWN, 500, "application_error"),
            (ApiError::Internal, 500, "application_error"),
        ] {
            let Told {
                status: told, name, ..
            } = Told::of(&error);
            assert_eq!((told.as_u16(), name), (status, expected), "{error:?}");
        }
        let response = refuse(&ApiError::OverQuota(quota));
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let names = [
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "retry-after",
        ];
        assert_eq!(names.map(header), ["10", "0", "2", "2"]);
    }
}
