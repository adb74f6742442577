//! The body of a response that says why a request is not done.

use super::super::problem_details::ProblemDetails;
use super::ApiError;
use super::head::is_forbidden;
use crate::args::PressureLimit;
use pmtaemail::{Id, PickupError};
use std::borrow::Cow;
use std::error::Error;

const QUERY_NAME: &str = "The query contains an unknown name: `/messages` takes `recipient` and `limit`, `/messages/render` \
                          takes `recipient`, `/messages/batch` takes `atomic`, in lower case, `/api/v1/transmissions` takes \
                          `num_rcpt_errors`; envelope fields are allowed only with message/rfc822.";

const NOT_A_BATCH: &str = "A batch must be a JSON array of messages, or one message per line with the Content-Type application/x-ndjson.";

const UNREADABLE: &str =
    "The file or the pickup directory cannot be read; see the log for the reason.";

impl ApiError {
    /// The body of the response. It repeats nothing of the request, and reveals nothing about this host.
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
                "The pickup directory does not accept messages at the moment",
            ),
            Self::Unqueueable(error) => unqueueable(plain, error),
            Self::MayBeDelivered { id, .. } => may_be_delivered(plain, *id),
            Self::Busy | Self::GaveWay => {
                let busy = plain.of_type(
                    "urn:pmtaemail:problem:busy",
                    "Too many messages are in progress",
                );
                match self {
                    Self::GaveWay => busy.with_detail(
                        "The body of the request was still incomplete when others needed its place; \
                         see --max-in-flight and --max-bytes-in-flight.",
                    ),
                    _ => busy.with_detail(
                        "Try again soon; see --max-in-flight, --max-bytes-in-flight and --memory.",
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
                .with_detail(NOT_A_BATCH),
            Self::JsonAlone => plain.with_detail("The body must be JSON (application/json)."),
            Self::BatchType => plain.with_detail(
                "A batch must be a JSON array of messages (application/json), or one message per line (application/x-ndjson).",
            ),
            Self::Stopping => plain.of_type(
                "urn:pmtaemail:problem:stopping",
                "The daemon is shutting down; messages without a receipt were not submitted",
            ),
            Self::HeadTimeout => plain.with_detail("The head of the request took too long; see --header-timeout."),
            Self::HeadBroken => plain.with_detail(
                "The head of the request is not valid HTTP/1.1, or contradicts itself about the length of the body.",
            ),
            Self::HeadTooLarge => plain.with_detail("A head may have at most 65536 bytes and 100 fields."),
            Self::BodyTimeout => plain.with_detail("The body of the request took too long; see --body-timeout."),
            Self::BodyBroken => {
                plain.with_detail("The body of the request ends too soon or its chunks are broken.")
            }
            Self::ContentEncoding => plain.with_detail(
                "The supported content codings are gzip, deflate and zstd, with at most three applied to one body.",
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
                "A table of recipients must be sent together with its message: as multipart/form-data with the parts `message` \
                 (application/json) and `recipients` (text/csv).",
            ),
            Self::Query => plain.with_detail("The query is not valid UTF-8."),
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

    /// What is wrong with the origin of the request, or with the way it was sent.
    fn connection_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::TooManyConnections => plain
                .of_type(
                    "urn:pmtaemail:problem:too-many-connections",
                    "The client has too many connections",
                )
                .with_detail(
                    "Close some, or reuse them for several requests; see --max-connections-per-client and --max-connections.",
                ),
            Self::PlainHttp => {
                plain.with_detail("This port uses TLS: the URL must start with https://.")
            }
            Self::Host => plain.with_detail("A request needs exactly one Host header."),
            Self::TransferEncoding => plain.with_detail(
                "The only supported transfer coding is chunked, alone and in one header; use Content-Encoding for compressed bodies.",
            ),
            Self::ForeignHost => plain.with_detail(
                "The preview can be reached only by the daemon's own names: an IP address, localhost, the host of --listen, and \
                 those of --allow-origin.",
            ),
            _ => plain.with_detail(
                "Web pages of another site may not use this daemon unless --allow-origin names their origin.",
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
                    "The access key's recipients for today are used up, or not enough are left",
                )
                .with_detail("Send the message again after midnight UTC, or to fewer recipients."),
            Self::NoPreview => plain
                .of_type(
                    "urn:pmtaemail:problem:no-preview",
                    "The access key may not preview messages",
                )
                .with_detail(
                    "Set `preview = true` for the key in the file of keys to let it see messages.",
                ),
            Self::OverQuota(_) => plain.of_type(
                "urn:pmtaemail:problem:over-rate",
                "The access key has sent too many messages in a short time",
            ),
            _ => plain.of_type(
                "urn:pmtaemail:problem:wrong-access-key",
                "The access key is not valid",
            ),
        }
    }

    /// What is too large, and the option that says so.
    fn size_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::TooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A body may be at most {limit} bytes; see --body-limit, --merge-limit and --memory."
            ))),
            Self::MessageTooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A message may be at most {limit} bytes, not counting its `recipients`; see --body-limit and --memory."
            ))),
            Self::EntryTooLarge { limit } => plain.with_detail(Cow::Owned(format!(
                "A message of a batch may be at most {limit} bytes; post a larger mail merge to /messages instead."
            ))),
            Self::TooLargeToPreview { limit } => plain.with_detail(Cow::Owned(format!(
                "There is room for {limit} bytes of messages to preview; see --memory."
            ))),
            _ => plain.with_detail(
                "The message needs more memory than is available in total, for its text or for its values (recipients, variables, \
                 header fields); see --memory and --max-bytes-in-flight.",
            ),
        }
    }

    /// What is wrong with an idempotency key, or with their store.
    fn key_problem<'a>(&self, plain: ProblemDetails<'a>) -> ProblemDetails<'a> {
        match self {
            Self::IdempotencyKey => plain.with_detail(
                "Idempotency-Key must be given once, with 1 to 255 printable ASCII characters.",
            ),
            Self::KeyOfBatch => plain.with_detail(
                "A batch cannot have an Idempotency-Key: give each message its own as `idempotencyKey`.",
            ),
            Self::KeyInWork => plain
                .of_type(
                    "urn:pmtaemail:problem:idempotency-key-in-work",
                    "A submission with the same idempotency key is in progress",
                )
                .with_detail("Send the request again after a second: it will get the response of the first one."),
            Self::KeyConflict => plain
                .of_type(
                    "urn:pmtaemail:problem:idempotency-key-conflict",
                    "Another message was submitted with the same idempotency key",
                )
                .with_detail(
                    "For 24 hours, repeating a request with the same key returns its first response. Give each message its own key; \
                     the query and the format of the body are part of the message.",
                ),
            Self::KeysFull => plain.of_type(
                "urn:pmtaemail:problem:idempotency-keys-full",
                "There is no room for another idempotency key until the oldest one expires after 24 hours",
            ),
            _ => plain.of_type(
                "urn:pmtaemail:problem:idempotency-keys-unavailable",
                "The store of idempotency keys cannot be used at the moment",
            ),
        }
    }
}

fn unqueueable<'a>(plain: ProblemDetails<'a>, error: &PickupError) -> ProblemDetails<'a> {
    let problem = plain.of_type(
        "urn:pmtaemail:problem:unqueueable",
        "The queue of this fleet does not accept this message",
    );
    match error.source() {
        Some(source) => problem.with_detail(Cow::Owned(format!("It cannot be queued: {source}."))),
        None => problem,
    }
}

fn may_be_delivered(plain: ProblemDetails<'_>, id: Option<Id>) -> ProblemDetails<'_> {
    let plain = plain.of_type(
        "urn:pmtaemail:problem:may-be-delivered",
        "The message may be delivered despite an error",
    );
    match id {
        Some(id) => plain
            .with_detail(
                "Before you send it again, look for `id` in PowerMTA's accounting and in the pickup directory: its file is named \
                 after it, and so is its Message-ID unless the message sets one.",
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
            "The pickup directory contains more files than --max-depth allows: PowerMTA is down or slow."
        }
        PressureLimit::MaxAge => {
            "A file has been waiting in the pickup directory for longer than --max-age allows: PowerMTA is down or slow."
        }
        PressureLimit::MinFree => {
            "The file system of the pickup directory has less free space than --min-free requires."
        }
        PressureLimit::MinFreeInodes => {
            "The file system of the pickup directory has fewer free inodes than --min-free-inodes requires."
        }
    };
    plain
        .of_type(
            "urn:pmtaemail:problem:back-pressure",
            "PowerMTA or its disk cannot keep up: no messages are accepted at the moment",
        )
        .with_cause(limit.name())
        .with_detail(detail)
}
