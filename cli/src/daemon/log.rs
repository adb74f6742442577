//! What the log says: the one place that knows its lines.
//!
//! A line never holds anything of a message: no address, no value, no pointer (its names are the
//! caller's), only codes, counts and our own identifiers.

use super::error::ApiError;
use crate::args::{LogArgs, LogFormat};
use pmtaemail::{PickupError, Receipt, Submission};
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::panic;
use std::time::Instant;
use tracing::{debug, error, info, warn};

/// Starts the log. Panics are logged by their place alone: their words may quote a message.
pub fn start(args: &LogArgs) {
    let format = args.log_format.unwrap_or_else(|| {
        if io::stderr().is_terminal() {
            LogFormat::Text
        } else {
            LogFormat::Json
        }
    });
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_max_level(args.log_level)
        .with_target(false)
        .with_ansi(false)
        // It would report a failed write to where the write failed, and panic.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init(),
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(event = "panic", place);
    }));
}

pub fn listening(address: SocketAddr) {
    info!(event = "listening", %address, version = pmtaemail::VERSION);
}

/// A web page of another site asked for something.
pub fn foreign_page() {
    warn!(event = "foreign_page");
}

/// A signal came that means nothing to the daemon.
pub fn signal_ignored(signal: &str) {
    warn!(event = "signal_ignored", signal);
}

pub fn stopping(signal: &str, connections: usize) {
    info!(event = "stopping", signal, connections);
}

pub fn stopped() {
    info!(event = "stopped");
}

/// The daemon ends although these connections have not.
pub fn abandoned(connections: usize) {
    warn!(event = "stopped", abandoned = connections);
}

/// The pickup directory takes messages no more, or again, as `/health` found out.
pub fn health(cause: Option<&str>, error: Option<&PickupError>) {
    if cause.is_some() {
        let error = error.map(tracing::field::display);
        error!(event = "health", status = 503, cause, error);
    } else {
        info!(event = "health", status = 200);
    }
}

pub fn accept_failed(error: &io::Error) {
    warn!(event = "accept_failed", %error);
}

pub fn socket_options_failed(error: &io::Error) {
    debug!(event = "socket_options_failed", %error);
}

pub fn fault(error: &dyn std::error::Error) {
    error!(event = "fault", %error);
}

/// The line of one submission. Each submission has one.
pub struct SubmissionLog {
    started: Instant,
    logged: bool,
    described: Option<Described>,
}

/// What is known of a submission once its message has been read.
struct Described {
    id: pmtaemail::Id,
    recipients: usize,
    bytes: u64,
    files: usize,
}

impl SubmissionLog {
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            logged: false,
            described: None,
        }
    }

    pub fn submission(&mut self, submission: &Submission) {
        self.described = Some(Described {
            id: *submission.id(),
            recipients: submission.recipients(),
            bytes: submission.size(),
            files: submission.files().len(),
        });
    }

    /// Nothing is known of a mail merge before it has been submitted.
    pub fn receipt(&mut self, receipt: &Receipt) {
        self.described = Some(Described {
            id: receipt.id,
            recipients: receipt.recipients,
            bytes: receipt.size,
            files: receipt.files.len(),
        });
    }

    pub fn accepted(mut self) {
        self.logged = true;
        let described = self.described.as_ref();
        info!(
            event = "submission",
            status = 200,
            id = described.map(|d| d.id.as_str()),
            recipients = described.map(|d| d.recipients),
            octets = described.map(|d| d.bytes),
            files = described.map(|d| d.files),
            duration_us = self.microseconds(),
        );
    }

    pub fn refused(mut self, error: &ApiError) {
        self.logged = true;
        let id = self.described.as_ref().map(|d| d.id.as_str());
        let status = error.status().as_u16();
        let duration_us = self.microseconds();
        match error {
            ApiError::MayBeDelivered { id, error } => {
                let error = error.as_ref().map(tracing::field::display);
                let id = id.as_str();
                error!(
                    event = "submission",
                    status,
                    id,
                    may_be_delivered = true,
                    error,
                    duration_us
                );
            }
            ApiError::Pickup(error) => {
                error!(event = "submission", status, id, %error, duration_us);
            }
            ApiError::Spool(error) => {
                let error = format_args!("recipients cannot be spooled: {error}");
                error!(event = "submission", status, id, %error, duration_us);
            }
            ApiError::Internal => error!(event = "submission", status, id, duration_us),
            _ => info!(
                event = "submission",
                status,
                codes = codes(error),
                duration_us
            ),
        }
    }

    fn microseconds(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for SubmissionLog {
    /// A panic drops it unlogged, and so does the daemon's end while the submission is in progress: its
    /// outcome is not known, and it has no status.
    fn drop(&mut self) {
        if !self.logged {
            let id = self.described.as_ref().map(|d| d.id.as_str());
            let duration_us = self.microseconds();
            let status = std::thread::panicking().then_some(500);
            error!(event = "submission", status, id, duration_us);
        }
    }
}

/// The different codes of a error's problems, in the order of their first appearance.
fn codes(error: &ApiError) -> Option<String> {
    let ApiError::Problems(problems) = error else {
        return None;
    };
    let mut codes: Vec<&str> = Vec::new();
    for problem in problems {
        if !codes.contains(&problem.code().as_str()) {
            codes.push(problem.code().as_str());
        }
    }
    Some(codes.join(","))
}
