//! Errors as Resend's clients know them: <https://resend.com/docs/api-reference/errors>.

use super::super::super::error::ApiError;
use super::super::answer;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use pmtaemail::{Code, Problem};
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
        add_rate(response.headers_mut());
    }
    response
}

/// What an error is told as.
struct Told {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl Told {
    fn of(error: &ApiError) -> Self {
        if let ApiError::Problems(problems) = error {
            let first = problems.iter().next().expect("there is always one");
            let more = problems.total() - 1;
            let message = match more {
                0 => sentence(first),
                more => format!("{} There are {more} more problems.", sentence(first)),
            };
            return Self {
                status: error.status(),
                name: name_of(first),
                message,
            };
        }
        let details = error.problem_details();
        Self {
            status: error.status(),
            name: name(error),
            message: details.sentence().to_owned(),
        }
    }
}

/// A problem with its place.
pub fn sentence(problem: &Problem) -> String {
    match problem.pointer() {
        "" => problem.detail().to_owned(),
        pointer => format!("`{}`: {}", &pointer[1..], problem.detail()),
    }
}

/// The name of what is wrong with a message.
fn name_of(problem: &Problem) -> &'static str {
    let is_of_attachment = problem.pointer().contains("/attachments");
    match problem.code() {
        Code::MissingField | Code::NoRecipients => "missing_required_field",
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

/// What is told of a rate: nothing is left before the time of `Retry-After`.
fn add_rate(headers: &mut HeaderMap) {
    let Some(after) = headers.get(header::RETRY_AFTER).cloned() else {
        return;
    };
    headers.insert(HeaderName::from_static("ratelimit-reset"), after);
    let none = HeaderValue::from_static("0");
    headers.insert(HeaderName::from_static("ratelimit-remaining"), none);
}
