//! Errors as SparkPost's clients know them: <https://developers.sparkpost.com/api/#header-errors>.

use super::super::super::error::ApiError;
use super::super::answer::{self, sentence};
use axum::http::StatusCode;
use axum::response::Response;
use pmtaemail::{Code, Problem};
use serde_json::{Value, json};

/// Answers with an error.
pub fn refuse(error: &ApiError) -> Response {
    let (status, errors) = told(error);
    answer::error(status, &json!({"errors": errors}), error)
}

fn told(error: &ApiError) -> (StatusCode, Vec<Value>) {
    if let ApiError::Problems(problems) = error {
        let worst = problems.iter().map(|problem| Kind::of(problem).status);
        // Malformed fields are reported before unsupported ones.
        let status = worst.min().unwrap_or(StatusCode::BAD_REQUEST);
        let errors = problems.iter().map(|problem| {
            let Kind { code, message, .. } = Kind::of(problem);
            json!({"message": message, "description": sentence(problem), "code": code})
        });
        return (status, errors.collect());
    }
    let (status, code, message) = kind(error);
    let description = match error {
        ApiError::IdempotencyKey => IDEMPOTENCY_KEY.to_owned(),
        _ => error.problem_details().sentence().to_owned(),
    };
    let body = json!({"message": message, "description": description, "code": code});
    (status, vec![body])
}

/// Its keys are limited to fewer characters than ours.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key must be given once, with 1 to 255 letters, digits, dots, hyphens and underscores.";

/// What is wrong with a transmission.
struct Kind {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Kind {
    fn of(problem: &Problem) -> Self {
        let bad = StatusCode::BAD_REQUEST;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let (status, code, message) = match problem.code() {
            Code::MissingField | Code::NoRecipients => (bad, "1400", "required field is missing"),
            Code::NotJson | Code::WrongType | Code::DuplicateField | Code::LoneSurrogate => {
                (bad, "1300", "invalid data format/type")
            }
            Code::Unsupported | Code::UnknownField => (unprocessable, "1100", "invalid params"),
            Code::Conflict => (unprocessable, "1301", "content conflict"),
            Code::ForbiddenSender => (StatusCode::FORBIDDEN, "7001", "invalid domain"),
            Code::InvalidTemplate | Code::MissingVariable => (
                unprocessable,
                "3000",
                "substitution language syntax error in template content",
            ),
            _ => (unprocessable, "1300", "invalid data format/type"),
        };
        Self {
            status,
            code,
            message,
        }
    }
}

/// Status, code and message of errors other than problems of a transmission.
fn kind(error: &ApiError) -> (StatusCode, String, &'static str) {
    let status = error.status();
    let of = |code: &str, message: &'static str| (status, code.to_owned(), message);
    match error {
        ApiError::KeyConflict => of("1600", "idempotency key was used for another payload"),
        ApiError::KeyInWork => of(
            "1601",
            "a request under this idempotency key is in progress",
        ),
        ApiError::IdempotencyKey => of("1602", "invalid idempotency key"),
        ApiError::OverQuota(over) if over.is_of_recipients => {
            let exceeded = StatusCode::from_u16(420).expect("three digits are a status");
            (exceeded, "2101".to_owned(), "exceeded sending limit")
        }
        ApiError::OverQuota(_) => of("2101", "exceeded sending limit"),
        _ => {
            let reason = status.canonical_reason();
            let reason = reason.expect("it is a registered status");
            (status, status.as_str().to_owned(), reason)
        }
    }
}
