//! Limits what is in progress at once: bodies being received, messages being processed, and the bytes of both.
//!
//! ```text
//!   head              body                           all of it is there      done
//!    |―― receiving ――― … ―――――――――――――――――――――――――――――――|―――― in flight ――――――|
//!    may have to give way to others                  has its place until it is done
//! ```
//!
//! No request waits for room: it is answered 503 at once, so that the client knows that its message was not accepted.
//! But a client that sends nothing must not cost others anything. If there is no room for another body, one that has
//! received nothing for long gives way, of the client that takes most; and a single client never has all places for
//! messages in progress.

mod shares;

use super::client::Client;
use super::error::ApiError;
use shares::{Claim, State};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long those that give way may take to let go of their bytes.
const LETTING_GO: Duration = Duration::from_secs(1);

/// Bodies that may come at once, also where few messages may be in progress.
const LEAST_RECEIVING: usize = 64;

/// Memory that one message may need by default: two and a half times the 256 MiB of bodies that there may be at once by
/// default.
const MOST_OF_ONE: usize = 640 << 20;

/// How much there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Messages in progress.
    pub messages: usize,
    /// Bodies that come.
    pub receiving: usize,
    /// Bytes of memory for both.
    pub bytes: usize,
    /// Bytes of memory that one message may need once all of it has arrived, even if there are not that many: then it
    /// gets what is left.
    pub bytes_of_one: usize,
}

impl Room {
    /// Room for this many messages, this much memory and this many connections. Half of these are kept free of bodies
    /// that receive nothing.
    pub fn new(messages: u32, bytes: usize, connections: u32) -> Self {
        let messages = messages as usize;
        let connections = connections as usize;
        Self {
            messages,
            receiving: messages.max(LEAST_RECEIVING).min(connections / 2).max(1),
            bytes,
            bytes_of_one: bytes,
        }
    }

    /// Admits a message that needs more than there should be: the part that has arrived was within the limits. But a
    /// body of 28 MiB can consist of values that need gigabytes.
    #[must_use]
    pub fn lenient(self) -> Self {
        Self {
            bytes_of_one: self.bytes.max(MOST_OF_ONE),
            ..self
        }
    }

    /// Messages in progress of one client.
    fn messages_of_one(&self) -> usize {
        self.messages - self.messages / 4
    }
}

/// What is taken, and how much of it there may be.
#[derive(Debug, Clone, Copy)]
pub struct InUse {
    pub messages: usize,
    pub receiving: usize,
    pub bytes: usize,
    pub most_messages: usize,
    pub most_bytes: usize,
}

/// Admits messages while there is room for them.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    room: Room,
    state: Mutex<State>,
    /// Bytes or places were given back.
    freed: Notify,
}

impl Admission {
    pub fn new(room: Room) -> Self {
        Self(Arc::new(Shared {
            room,
            state: Mutex::default(),
            freed: Notify::new(),
        }))
    }

    /// Makes room for one more body, until what is returned is dropped. It will have `bytes` at least.
    pub fn receive(&self, client: Client, bytes: u64) -> Result<Receiving, ApiError> {
        let now = Instant::now();
        let shared = Arc::clone(&self.0);
        let mut state = shared.state();
        let bytes = usize::try_from(bytes).map_err(|_| ApiError::Busy)?;
        if bytes > state.may_be_free(client, bytes, shared.room.bytes, now) {
            return Err(ApiError::Busy);
        }
        let gives_way = Arc::new(Notify::new());
        let id = state.begin(client, Arc::clone(&gives_way), shared.room.receiving, now);
        drop(state);
        Ok(Receiving {
            id,
            gives_way,
            shared,
            client,
            bytes: 0,
        })
    }

    /// What is currently taken.
    pub fn in_use(&self) -> InUse {
        let (state, room) = (self.0.state(), &self.0.room);
        InUse {
            messages: state.messages,
            receiving: state.receiving.len(),
            bytes: state.bytes,
            most_messages: room.messages,
            most_bytes: room.bytes,
        }
    }

    /// Whether every place for messages in progress is taken.
    pub fn is_full(&self) -> bool {
        self.0.state().messages >= self.0.room.messages
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock")
    }

    /// Returns bytes, and wakes those that wait for some.
    fn release(&self, mut state: MutexGuard<'_, State>, client: Client, bytes: usize) {
        state.bytes -= bytes;
        state.give_back(client, |share| share.bytes -= bytes);
        drop(state);
        self.freed.notify_waiters();
    }
}

/// A body that comes, and its bytes so far.
#[derive(Debug)]
pub struct Receiving {
    shared: Arc<Shared>,
    client: Client,
    id: u64,
    gives_way: Arc<Notify>,
    bytes: usize,
}

impl Receiving {
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
                    // Others wait for what it gives back: so of all that come at once some are taken.
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

    /// Makes room for as many bytes in all.
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

    /// All of it is there: takes a place among the messages in progress.
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
            // Nobody can tell one from the other.
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
    /// Makes room for as many bytes in all, if there is room at once.
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

#[cfg(test)]
mod tests {
    use super::*;

    const HOG: Client = Client::V6Network(1);
    const OTHER: Client = Client::V6Network(2);

    #[tokio::test]
    async fn one_client_leaves_places_to_others() {
        let admission = Admission::new(Room::new(4, 100, 1000));
        let begin = |client| admission.receive(client, 0).unwrap();
        let at_work: Vec<_> = (0..3).map(|_| begin(HOG).at_work().unwrap()).collect();
        assert!(matches!(begin(HOG).at_work(), Err(ApiError::Busy)));
        assert!(!admission.is_full());
        let other = begin(OTHER).at_work().unwrap();
        assert!(admission.is_full());
        assert!(matches!(begin(OTHER).at_work(), Err(ApiError::Busy)));
        drop(at_work);
        let local: Vec<_> = (0..3)
            .map(|_| begin(Client::Local).at_work().unwrap())
            .collect();
        drop((other, local));
        let state = admission.0.state();
        assert!(state.clients.is_empty() && state.receiving.is_empty());
    }

    #[tokio::test]
    async fn a_body_has_places_for_its_parts() {
        let admission = Admission::new(Room::new(4, 100, 1000));
        let mut body = admission.receive(HOG, 0).unwrap();
        body.grow(80).await.unwrap();
        let mut places: Vec<_> = (0..3).map(|_| body.place().unwrap()).collect();
        let soon = Instant::now() + Duration::from_millis(1);
        let refused = body.place_until(soon).await;
        assert!(matches!(refused, Err(ApiError::Busy)));
        let later = Instant::now() + Duration::from_mins(1);
        let (place, ()) = tokio::join!(body.place_until(later), async { drop(places.pop()) });
        drop((place.unwrap(), places));
        body.shrink_to(30);
        body.shrink_to(90);
        assert_eq!(admission.0.state().bytes, 30);
        body.grow_to(100).await.unwrap();
        drop(body);
        let state = admission.0.state();
        assert!(state.clients.is_empty() && state.receiving.is_empty());
        assert_eq!((state.bytes, state.messages), (0, 0));
    }

    #[tokio::test]
    async fn of_all_that_come_at_once_some_are_taken() {
        let admission = Admission::new(Room::new(9, 100, 1000));
        let mut bodies = Vec::new();
        for _ in 0..3 {
            let mut body = admission.receive(HOG, 0).unwrap();
            body.grow(30).await.unwrap();
            bodies.push(body);
        }
        let [mut first, mut second, mut third] = bodies.try_into().unwrap();
        assert!(matches!(first.grow(20).await, Err(ApiError::Busy)));
        // What it has is free soon: nobody else is refused.
        let (grown, ()) = tokio::join!(second.grow(20), async { drop(first) });
        grown.unwrap();
        third.grow(20).await.unwrap();
        let too_much = third.grow_once(51).await;
        assert!(matches!(too_much, Err(ApiError::TooMuchMemory)));
    }

    #[tokio::test]
    async fn one_that_needs_more_than_there_is_gets_what_is_left_within_reason() {
        let admission = Admission::new(Room::new(9, 100, 1000).lenient());
        let mut body = admission.receive(HOG, 0).unwrap();
        body.grow(30).await.unwrap();
        for bytes in [MOST_OF_ONE, usize::MAX] {
            let too_much = body.grow_once(bytes).await;
            assert!(matches!(too_much, Err(ApiError::TooMuchMemory)));
        }
        body.grow_once(MOST_OF_ONE - 30).await.unwrap();
        assert_eq!(admission.0.state().bytes, 100);
    }

    #[tokio::test]
    async fn waiting_requests_get_bytes_once_others_give_way() {
        let admission = Admission::new(Room::new(9, 100, 1000));
        let mut hogs = Vec::new();
        for _ in 0..2 {
            let mut hog = admission.receive(HOG, 0).unwrap();
            hog.grow(50).await.unwrap();
            hogs.push(hog);
        }
        for (client, bytes) in [(HOG, 1), (OTHER, 101)] {
            let refused = admission.receive(client, bytes);
            assert!(matches!(refused, Err(ApiError::Busy)));
        }
        let mut other = admission.receive(OTHER, 99).unwrap();
        let give_way = async {
            hogs[0].gives_way().await;
            hogs.remove(0);
        };
        let (grown, ()) = tokio::join!(other.grow(20), give_way);
        grown.unwrap();
        other.grow_to(50).await.unwrap();
        assert!(matches!(other.grow(1).await, Err(ApiError::Busy)));
        let at_work = other.at_work().unwrap();
        drop(hogs);
        assert_eq!(admission.0.state().bytes, 50);
        drop(at_work);
        let mut alone = admission.receive(OTHER, 0).unwrap().at_work().unwrap();
        alone.grow_to(40).unwrap();
        alone.grow_to(30).unwrap();
        assert_eq!(admission.0.state().bytes, 40);
        let mut other = admission.receive(HOG, 0).unwrap().at_work().unwrap();
        assert!(matches!(other.grow_to(61), Err(ApiError::Busy)));
        other.grow_to(60).unwrap();
        let too_much = other.grow_to(101);
        assert!(matches!(too_much, Err(ApiError::TooMuchMemory)));
        drop((alone, other));
        let state = admission.0.state();
        assert!(state.clients.is_empty() && state.leaving.is_empty());
        assert_eq!((state.bytes, state.messages), (0, 0));
    }
}
