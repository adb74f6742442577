//! What the watcher of the pickup directory and of the folder for bad mail found.

use crate::args::PressureLimit;
use pmtaemail::Id;
use std::io;
use tracing::{error, info, warn};

/// Maximum number of files at the start that get a line each.
const MOST_AT_START: usize = 1_000;

/// A limit begins to keep messages out, or ceases to.
pub fn back_pressure(limit: PressureLimit, is_shut: bool, value: u64, bound: u64) {
    let (cause, unit) = (limit.name(), limit.unit());
    if is_shut {
        error!(
            event = "back_pressure",
            status = 503,
            cause,
            value,
            limit = bound,
            unit
        );
    } else {
        info!(
            event = "back_pressure",
            status = 200,
            cause,
            value,
            limit = bound,
            unit
        );
    }
}

/// The amount that an option limits or counts cannot be determined.
pub fn not_measured(option: &str, error: &io::Error) {
    error!(event = "not_measured", option, %error);
}

/// PowerMTA cannot read a file of this submission.
pub fn badmail(id: Id, file: &str) {
    let id = id.as_str();
    warn!(event = "badmail", id, file);
}

/// PowerMTA cannot read this many files made by others, whose names are theirs.
pub fn badmail_of_others(others: u64) {
    warn!(event = "badmail", others);
}

/// What was in the folder for bad mail when the daemon started; it may have been logged before. Of very many
/// files the newest have a line each.
pub fn badmail_at_start(submitted: &[(Id, String)], others: u64) {
    let files = submitted.len() as u64 + others;
    if files > 0 {
        info!(event = "badmail_at_start", files, others);
    }
    for (id, file) in &submitted[submitted.len().saturating_sub(MOST_AT_START)..] {
        let id = id.as_str();
        info!(event = "badmail_at_start", id, file);
    }
}
