//! What all requests share.

use super::body::BodyLimits;
use super::refusal::Refusal;
use crate::args::LimitArgs;
use pmtaemail::PickupDirectory;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What all requests share.
pub struct Daemon {
    pub pickup: PickupDirectory,
    pub body: BodyLimits,
    in_flight: Arc<Semaphore>,
}

impl Daemon {
    pub fn new(pickup: PickupDirectory, limits: &LimitArgs) -> Self {
        Self {
            pickup,
            body: BodyLimits {
                octets: limits.body_limit,
                time: limits.body_timeout,
            },
            in_flight: Arc::new(Semaphore::new(limits.max_in_flight as usize)),
        }
    }

    /// Makes room for one more message at work, until the permit is dropped. Nobody waits: a
    /// client that is told to come again knows where it stands.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.in_flight)
            .try_acquire_owned()
            .map_err(|_| Refusal::Busy)
    }
}
