//! The lines of the log: no other place knows them.
//!
//! A line never contains anything of a message: no address, no value, no pointer (its names come from the caller), only
//! codes, counts and our own identifiers, except `job` and `vmta`, by which a submission is found. Of a request it
//! contains the client's address, its User-Agent, X-Request-Id and the IDs of its traceparent.

mod back_pressure;
mod batch;
#[cfg(feature = "fleet")]
mod fleet;
mod format;
mod listener;
mod outcome;
mod recovery;
mod request;
mod trace;

pub use back_pressure::{
    back_pressure, badmail, badmail_at_start, badmail_of_others, not_measured,
};
pub use batch::{BatchLog, Ending};
#[cfg(feature = "fleet")]
pub use fleet::{brokers, consumed, consumes, metrics_at, metrics_not_served};
#[cfg(feature = "tls")]
pub use listener::{certificate_kept, certificate_reloaded, tls_handshake_failed};
pub use listener::{listens_without_keys, socket_not_removed};
pub use recovery::RolledForward;
pub use request::{Pending, REQUEST_ID, RequestLog, broken_head};

use super::bound::Bounds;
use super::slots::Slots;
use crate::access::KeyFileProblems;
use crate::args::{LimitArgs, LogArgs, LogFormat, PressureLimit, ServeArgs};
use format::{Journal, Json};
use pmtaemail::{PickupDirectory, PickupError};
use std::io::{self, IsTerminal};
use std::panic;
use std::time::Duration;
use tracing::field;
use tracing::{debug, error, info, warn};
use tracing_subscriber::fmt::format::Format;

/// Starts the log. Panics are logged with their location only: their text may quote a message.
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
        // It would report a failed write to the very place where the write failed, and panic.
        .log_internal_errors(false);
    match format {
        LogFormat::Text => subscriber.event_format(Journal(text())).init(),
        LogFormat::Json => subscriber.event_format(Journal(Json)).init(),
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        error!(event = "panic", place);
    }));
}

fn text() -> Format {
    tracing_subscriber::fmt::format()
        .with_target(false)
        .with_ansi(false)
}

/// The settings of the daemon. `connections` is the number that the limit on open files leaves room for.
pub fn listening(
    address: &Bounds,
    pickup: &PickupDirectory,
    args: &ServeArgs,
    connections: &Slots,
    keys: Option<usize>,
) {
    let LimitArgs {
        body_limit,
        merge_limit,
        header_timeout,
        body_timeout,
        max_in_flight,
        max_bytes_in_flight,
        memory,
        max_connections: _,
        max_connections_per_client: _,
        drain,
        views: _,
    } = &args.limits;
    let bound = |limit| {
        (args.back_pressure.limits()).find_map(|(given, bound)| (given == limit).then_some(bound))
    };
    info!(
        event = "listening",
        %address,
        version = pmtaemail::VERSION,
        pickup = %pickup.path().display(),
        staging = pickup.staging().ok().map(|path| field::display(path.display().to_string())),
        durability = args.pickup.durability(),
        syncfs = args.pickup.syncfs(),
        body_limit,
        merge_limit,
        header_timeout_ms = milliseconds(*header_timeout),
        body_timeout_ms = milliseconds(*body_timeout),
        max_in_flight,
        max_bytes_in_flight,
        memory,
        max_connections = connections.most(),
        max_connections_per_client = connections.most_of_one(),
        drain_ms = milliseconds(*drain),
        max_depth = bound(PressureLimit::MaxDepth),
        max_age_ms = bound(PressureLimit::MaxAge),
        min_free = bound(PressureLimit::MinFree),
        min_free_inodes = bound(PressureLimit::MinFreeInodes),
        keys,
        preview = args.preview.then_some(true),
        badmail = (args.back_pressure.badmail.as_deref()).map(|path| field::display(path.display().to_string())),
    );
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A signal came that means nothing to the daemon.
pub fn signal_ignored(signal: &str) {
    warn!(event = "signal_ignored", signal);
}

/// These keys are in force from now on.
pub fn keys_reloaded(keys: usize) {
    info!(event = "keys_reloaded", keys);
}

/// The keys stay as they were.
pub fn keys_not_reloaded(problems: &KeyFileProblems) {
    error!(event = "keys_not_reloaded", error = %problems);
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

/// The pickup directory, or the store of idempotency keys, no longer takes messages, or does so again, as `/health` or
/// `/health/ready` found out.
pub fn health(check: &str, cause: Option<&str>, error: Option<&PickupError>) {
    if cause.is_some() {
        let error = error.map(field::display);
        error!(event = "health", status = 503, check, cause, error);
    } else {
        info!(event = "health", status = 200, check);
    }
}

/// Only messages that become one file are taken.
pub fn no_staging(error: &PickupError) {
    warn!(event = "no_staging", %error);
}

/// The allocator keeps its habits.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn no_threshold(error: &io::Error) {
    warn!(event = "allocator_not_set", %error);
}

/// Only requests without an idempotency key are taken.
pub fn no_keys(error: &PickupError) {
    warn!(event = "no_idempotency_keys", %error);
}

pub fn accept_failed(error: &io::Error) {
    warn!(event = "accept_failed", %error);
}

pub fn socket_options_failed(error: &io::Error) {
    debug!(event = "socket_options_failed", %error);
}

/// systemd cannot be notified.
pub fn notify_failed(error: &io::Error) {
    warn!(event = "notify_failed", %error);
}

pub fn fault(error: &dyn std::error::Error) {
    error!(event = "fault", %error);
}
