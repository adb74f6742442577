//! Limits the messages, and the bytes of their bodies, that are in progress at once.

use super::error::ApiError;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Admits messages while there is room for them. No request waits for room: it is answered 503 at once,
/// so that the client knows that its message was not accepted.
#[derive(Debug)]
pub struct Admission {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
}

impl Admission {
    /// Room for so many messages, whose bodies have so many bytes in all.
    pub fn new(messages: u32, bytes: usize) -> Self {
        Self {
            messages: Arc::new(Semaphore::new(messages as usize)),
            bytes: Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// Makes room for one more message, until what is returned is dropped. Its body will have `bytes` at
    /// least.
    pub fn admit(&self, bytes: u64) -> Result<InFlight, ApiError> {
        if bytes > self.bytes.available_permits() as u64 {
            return Err(ApiError::Busy);
        }
        let message = Arc::clone(&self.messages).try_acquire_owned();
        Ok(InFlight {
            _message: message.map_err(|_| ApiError::Busy)?,
            all_bytes: Arc::clone(&self.bytes),
            bytes: None,
        })
    }
}

/// One message in progress, and the bytes of its body.
#[derive(Debug)]
pub struct InFlight {
    _message: OwnedSemaphorePermit,
    all_bytes: Arc<Semaphore>,
    bytes: Option<OwnedSemaphorePermit>,
}

impl InFlight {
    /// Makes room for more bytes. They count once they are there: a body that is only announced
    /// takes nothing from others.
    pub fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let bytes = u32::try_from(bytes).map_err(|_| ApiError::Busy)?;
        let more = Arc::clone(&self.all_bytes).try_acquire_many_owned(bytes);
        let more = more.map_err(|_| ApiError::Busy)?;
        match &mut self.bytes {
            None => self.bytes = Some(more),
            Some(bytes) => bytes.merge(more),
        }
        Ok(())
    }

    /// Makes room for as many bytes in all.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let present = self
            .bytes
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        match bytes.checked_sub(present) {
            None | Some(0) => Ok(()),
            Some(more) => self.grow(more),
        }
    }
}
