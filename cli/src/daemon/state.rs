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
    messages: Arc<Semaphore>,
    octets: Arc<Semaphore>,
}

impl Daemon {
    pub fn new(pickup: PickupDirectory, limits: &LimitArgs) -> Self {
        Self {
            pickup,
            body: BodyLimits {
                octets: limits.body_limit,
                merge: limits.merge_limit,
                time: limits.body_timeout,
            },
            messages: Arc::new(Semaphore::new(limits.max_in_flight as usize)),
            // There is always room for one body at least.
            octets: Arc::new(Semaphore::new(
                limits
                    .max_octets_in_flight
                    .max(limits.body_limit)
                    .min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    /// Makes room for one more message at work, until what is returned is dropped. Nobody waits: a
    /// client that is told to come again knows where it stands. `octets`: how many its body has at
    /// least.
    pub fn admit(&self, octets: u64) -> Result<InFlight, Refusal> {
        if octets > self.octets.available_permits() as u64 {
            return Err(Refusal::Busy);
        }
        let message = Arc::clone(&self.messages).try_acquire_owned();
        Ok(InFlight {
            _message: message.map_err(|_| Refusal::Busy)?,
            all_octets: Arc::clone(&self.octets),
            octets: None,
        })
    }
}

/// One message at work, and the octets of its body.
#[derive(Debug)]
pub struct InFlight {
    _message: OwnedSemaphorePermit,
    all_octets: Arc<Semaphore>,
    octets: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    /// Makes room for more octets. They count once they are there: a body that is only announced
    /// takes nothing from others.
    pub fn grow(&mut self, octets: usize) -> Result<(), Refusal> {
        let octets = u32::try_from(octets).map_err(|_| Refusal::Busy)?;
        let more = Arc::clone(&self.all_octets).try_acquire_many_owned(octets);
        let more = more.map_err(|_| Refusal::Busy)?;
        match &mut self.octets {
            None => self.octets = Some(more),
            Some(octets) => octets.merge(more),
        }
        Ok(())
    }

    /// Makes room for as many octets in all.
    pub fn grow_to(&mut self, octets: usize) -> Result<(), Refusal> {
        let present = self
            .octets
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        match octets.checked_sub(present) {
            None | Some(0) => Ok(()),
            Some(more) => self.grow(more),
        }
    }
}
