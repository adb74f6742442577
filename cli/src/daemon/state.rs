//! What all requests share.

use super::admission::{Admission, Room};
use super::body::BodyLimits;
use super::readiness::Readiness;
use crate::args::LimitArgs;
use pmtaemail::PickupDirectory;
use tokio::sync::watch;

/// What all requests share.
pub struct Daemon {
    pub pickup: PickupDirectory,
    pub body: BodyLimits,
    pub admission: Admission,
    pub readiness: Readiness,
    /// Whether it ends: what would go on for long hears it.
    pub stopping: watch::Sender<bool>,
}

impl Daemon {
    pub fn new(pickup: PickupDirectory, limits: &LimitArgs, connections: u32) -> Self {
        // There is always room for one body at least.
        let bytes = limits.max_bytes_in_flight.max(limits.body_limit);
        Self {
            pickup,
            body: BodyLimits {
                bytes: limits.body_limit,
                merge: limits.merge_limit,
                time: limits.body_timeout,
            },
            admission: Admission::new(Room::new(limits.max_in_flight, bytes, connections)),
            readiness: Readiness::default(),
            stopping: watch::Sender::new(false),
        }
    }
}
