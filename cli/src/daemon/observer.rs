//! Reports what happens to the pickup directory to the log and the metrics.

use super::counters::Counters;
use super::log::RolledForward;
use pmtaemail::{CommitReport, Observer, RollForwardReport};
use std::sync::Arc;

/// Tells both.
#[derive(Debug, Default)]
pub struct PickupObserver {
    log: RolledForward,
    counters: Arc<Counters>,
}

impl PickupObserver {
    pub fn new(counters: Arc<Counters>) -> Self {
        Self {
            log: RolledForward::default(),
            counters,
        }
    }
}

impl Observer for PickupObserver {
    fn committed(&self, report: &CommitReport) {
        self.counters.committed(report);
    }

    fn rolled_forward(&self, report: &RollForwardReport) {
        self.counters.rolled_forward(report);
        self.log.rolled_forward(report);
    }
}
