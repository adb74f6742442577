//! The outcomes of submissions whose process died.

use pmtaemail::RollForwardReport;
use std::mem;
use std::sync::{Mutex, PoisonError};
use tracing::{error, info};

/// Logs what is rolled forward. What cannot be is tried again with each message, and logged when that changes.
#[derive(Debug, Default)]
pub struct RolledForward(Mutex<Vec<String>>);

impl RolledForward {
    pub fn rolled_forward(&self, report: &RollForwardReport) {
        if report.files > 0 {
            let (submissions, files) = (report.transactions, report.files);
            info!(event = "rolled_forward", submissions, files);
        }
        let errors: Vec<_> = report.errors.iter().map(ToString::to_string).collect();
        // Whole at every instant.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = mem::replace(&mut *known, errors.clone());
        for error in errors.iter().filter(|error| !known.contains(error)) {
            error!(event = "roll_forward_failed", error);
        }
    }
}
