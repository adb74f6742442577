//! One body that is being received, or one message in progress, and the bytes that it holds.

use super::super::client::Client;
use super::super::error::ApiError;
use super::Shared;
use super::shares::Claim;
use std::mem;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long those that give way may take to let go of their bytes.
const LETTING_GO: Duration = Duration::from_secs(1);

/// A body that is being received, and its bytes so far.
#[derive(Debug)]
pub struct Receiving {
    shared: Arc<Shared>,
    client: Client,
    id: u64,
    gives_way: Arc<Notify>,
    bytes: usize,
}

impl Receiving {
    /// A body that holds nothing yet. `id` and `gives_way` are those of its share.
    pub(super) fn new(
        shared: Arc<Shared>,
        client: Client,
        id: u64,
        gives_way: Arc<Notify>,
    ) -> Self {
        Self {
            shared,
            client,
            id,
            gives_way,
            bytes: 0,
        }
    }

    /// Resolves when it must give way to others.
    pub fn gives_way(&self) -> impl Future<Output = ()> + Send + use<> {
        let gives_way = Arc::clone(&self.gives_way);
        async move { gives_way.notified().await }
    }

    /// Makes room for more bytes. They count once they are there: a body that is only announced
    /// takes nothing from others.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let Self {
            shared, client, id, ..
        } = self;
        let limit = Instant::now() + LETTING_GO;
        loop {
            let freed = shared.freed.notified();
            let now = Instant::now();
            let claim = {
                let mut state = shared.state();
                let claim = state.claim(*id, *client, bytes, shared.room.bytes, now);
                if claim == Claim::Never {
                    // Others wait for what it gives back: so of many that arrive at once, some are accepted.
                    state.leave(*id);
                }
                claim
            };
            match claim {
                Claim::Now => break,
                Claim::Soon => timeout_at(limit, freed).await.map_err(|_| ApiError::Busy)?,
                Claim::Never => return Err(ApiError::Busy),
            }
        }
        self.bytes += bytes;
        Ok(())
    }

    /// The same for bytes that are needed until it is done, which may exceed the total.
    pub async fn grow_once(&mut self, bytes: usize) -> Result<(), ApiError> {
        if self.bytes.saturating_add(bytes) > self.most_of_one() {
            return Err(ApiError::TooMuchMemory);
        }
        let left = self.most().saturating_sub(self.bytes);
        self.grow(bytes.min(left)).await
    }

    /// Makes room for this many bytes in total.
    pub async fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.grow(bytes.saturating_sub(self.bytes)).await
    }

    /// How many bytes there may be in all.
    pub fn most(&self) -> usize {
        self.shared.room.bytes
    }

    /// How many bytes one message may need.
    pub fn most_of_one(&self) -> usize {
        self.shared.room.bytes_of_one
    }

    /// Returns bytes, except this many.
    pub fn shrink_to(&mut self, bytes: usize) {
        let rest = self.bytes.saturating_sub(bytes);
        self.bytes -= rest;
        let mut state = self.shared.state();
        state.shrink(self.id, rest);
        self.shared.release(state, self.client, rest);
    }

    /// The daemon begins to work on part of it, or waits for the client again. What waits for the daemon
    /// has not stalled.
    pub fn set_at_work(&self, is_at_work: bool) {
        let now = Instant::now();
        self.shared.state().set_at_work(self.id, is_at_work, now);
    }

    /// It has arrived completely: takes a place among the messages in progress.
    pub fn at_work(mut self) -> Result<InFlight, ApiError> {
        let mut place = self.place()?;
        self.shared.state().end(self.id);
        place.bytes = mem::take(&mut self.bytes);
        Ok(place)
    }

    /// Takes a place among the messages in progress for some of it. Its bytes stay with the rest.
    pub fn place(&self) -> Result<InFlight, ApiError> {
        let shared = Arc::clone(&self.shared);
        let client = self.client;
        let mut state = shared.state();
        let most = match client {
            // Clients without an address cannot be told apart.
            Client::Local => shared.room.messages,
            _ => shared.room.messages_of_one(),
        };
        if state.messages >= shared.room.messages || state.share(client).messages >= most {
            drop(state);
            return Err(ApiError::Busy);
        }
        state.messages += 1;
        state.share(client).messages += 1;
        drop(state);
        Ok(InFlight {
            shared,
            client,
            bytes: 0,
        })
    }

    /// The same, for which it waits until `limit` if others have all places.
    pub async fn place_until(&self, limit: Instant) -> Result<InFlight, ApiError> {
        loop {
            let freed = self.shared.freed.notified();
            if let Ok(place) = self.place() {
                return Ok(place);
            }
            timeout_at(limit, freed).await.map_err(|_| ApiError::Busy)?;
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.end(self.id);
        self.shared.release(state, self.client, self.bytes);
    }
}

/// One message in progress, and the bytes of its body.
#[derive(Debug)]
pub struct InFlight {
    shared: Arc<Shared>,
    client: Client,
    bytes: usize,
}

impl InFlight {
    /// Makes room for this many bytes in total, if there is room at once.
    pub fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let room = self.shared.room;
        if bytes > room.bytes_of_one {
            return Err(ApiError::TooMuchMemory);
        }
        let more = bytes.min(room.bytes).saturating_sub(self.bytes);
        let mut state = self.shared.state();
        if state.bytes + more > room.bytes {
            drop(state);
            return Err(ApiError::Busy);
        }
        state.bytes += more;
        state.share(self.client).bytes += more;
        drop(state);
        self.bytes += more;
        Ok(())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.messages -= 1;
        state.share(self.client).messages -= 1;
        self.shared.release(state, self.client, self.bytes);
    }
}
