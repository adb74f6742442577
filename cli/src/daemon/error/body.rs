//! The body of a response that says why a request is not done.

use super::super::problem_details::ProblemDetails;
use super::ApiError;
use super::head::is_forbidden;
use crate::args::PressureLimit;
use pmtaemail::{Id, PickupError};
use std::borrow::Cow;
use std::error::Error;

const QUERY_NAME: &str = "The query has a name that means nothing here: `/messages` takes `recipient` and `limit`, `/messages/render` \
                 takes `recipient`, `/messages/batch` takes `atomic`, in small letters, `/api/v1/transmissions` takes `num_rcpt_errors`; the envelope stands in it beside message/rfc822 alone.";

const UNREADABLE: &str = "The file or the pickup directory cannot be read; the log says why.";

impl ApiError {
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
            Self::Unqueueable(error) => unqueueable(plain, error),
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
                "The only transfer coding taken is chunked, by itself and in one header; compressed bodies have a Content-Encoding.",
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
}

fn unqueueable<'a>(plain: ProblemDetails<'a>, error: &PickupError) -> ProblemDetails<'a> {
    let problem = plain.of_type(
        "urn:pmtaemail:problem:unqueueable",
        "The queue of this fleet takes no such message",
    );
    match error.source() {
        Some(source) => {
            problem.with_detail(Cow::Owned(format!("It cannot be put there: {source}.")))
        }
        None => problem,
    }
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
