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
//!
//! ```text
//! mod           how much there may be, and how much there is
//! receiving     one body that is received, one message in progress
//! shares        the shares of clients, and who gives way
//! ```

mod receiving;
mod shares;

pub use receiving::{InFlight, Receiving};

use super::client::Client;
use super::error::ApiError;
use shares::State;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The number of bodies that may arrive at once even if few messages may be in progress.
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

/// What is in use, and the limits.
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

    /// Makes room for one more body of at least `bytes`, until the result is dropped.
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
        Ok(Receiving::new(shared, client, id, gives_way))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
        // What it has will soon be free: nobody else is refused.
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
