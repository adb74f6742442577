//! Limits what is in progress at once: bodies that come, messages at work, and the bytes of both.
//!
//! ```text
//!   head              body                           all of it is there      done
//!    |―― receiving ――― … ―――――――――――――――――――――――――――――――|―――― in flight ――――――|
//!    may have to give way to others                  has its place until it is done
//! ```
//!
//! No request waits for room: it is answered 503 at once, so that the client knows that its message was
//! not accepted. But what a client does not send must not cost others anything. Where there is no room
//! for another body, one gives way that has not come for long, of the client that takes most; and one
//! client alone never has all places for messages at work.

use super::client::Client;
use super::error::ApiError;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// A body of which nothing came for so long gives its bytes up to any other.
const STALLED: Duration = Duration::from_secs(1);

/// How long those that give way may take to let go of their bytes.
const LETTING_GO: Duration = Duration::from_secs(1);

/// Bodies that may come at once, also where few messages may be at work.
const LEAST_RECEIVING: usize = 64;

/// How much there may be at once.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Messages at work.
    pub messages: usize,
    /// Bodies that come.
    pub receiving: usize,
    /// Bytes of both.
    pub bytes: usize,
}

impl Room {
    /// Room for so many messages, whose bodies have so many bytes in all, on so many connections. Half of
    /// these stay free of bodies that do not come.
    pub fn new(messages: u32, bytes: usize, connections: u32) -> Self {
        let messages = messages as usize;
        let connections = connections as usize;
        Self {
            messages,
            receiving: messages.max(LEAST_RECEIVING).min(connections / 2).max(1),
            bytes,
        }
    }

    /// Messages at work of one client.
    fn messages_of_one(&self) -> usize {
        self.messages - self.messages / 4
    }
}

/// Admits messages while there is room for them.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    room: Room,
    state: Mutex<State>,
    /// Bytes were given back.
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    receiving: HashMap<u64, Waiting>,
    /// The bytes of bodies that were told to give way and have not done so yet.
    leaving: HashMap<u64, usize>,
    next: u64,
    clients: HashMap<Client, Share>,
    messages: usize,
    bytes: usize,
}

/// What one client takes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Share {
    receiving: usize,
    messages: usize,
    bytes: usize,
}

/// A body that comes.
#[derive(Debug)]
struct Waiting {
    client: Client,
    /// When some of it came last.
    progress: Instant,
    bytes: usize,
    gives_way: Arc<Notify>,
}

/// Whether bytes can be had.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    Now,
    /// When others have given way.
    Soon,
    Never,
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

    /// Whether every place for messages at work is taken.
    pub fn is_full(&self) -> bool {
        self.0.state().messages >= self.0.room.messages
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with the lock")
    }

    /// Gives bytes back, and tells those that wait for some.
    fn release(&self, mut state: MutexGuard<'_, State>, client: Client, bytes: usize) {
        state.bytes -= bytes;
        state.give_back(client, |share| share.bytes -= bytes);
        drop(state);
        if bytes > 0 {
            self.freed.notify_waiters();
        }
    }
}

impl State {
    fn share(&mut self, client: Client) -> &mut Share {
        self.clients.entry(client).or_default()
    }

    fn bytes_of(&self, client: Client) -> usize {
        self.clients.get(&client).map_or(0, |share| share.bytes)
    }

    /// Changes the share of a client, and forgets it when it has nothing.
    fn give_back(&mut self, client: Client, change: impl FnOnce(&mut Share)) {
        let share = self.share(client);
        change(share);
        if *share == Share::default() {
            self.clients.remove(&client);
        }
    }

    /// A body begins to come. Where there are `most` already, one gives way.
    fn begin(&mut self, client: Client, gives_way: Arc<Notify>, most: usize, now: Instant) -> u64 {
        if self.receiving.len() >= most {
            self.make_place();
        }
        let id = self.next;
        self.next += 1;
        self.share(client).receiving += 1;
        let waiting = Waiting {
            client,
            progress: now,
            bytes: 0,
            gives_way,
        };
        self.receiving.insert(id, waiting);
        id
    }

    /// A body is all there, or will not come any more.
    fn end(&mut self, id: u64) {
        match self.receiving.remove(&id) {
            Some(body) => self.give_back(body.client, |share| share.receiving -= 1),
            None => drop(self.leaving.remove(&id)),
        }
    }

    /// Lets one body give way: of the client with the most, the one of which nothing came for longest.
    fn make_place(&mut self) {
        let most = self.clients.iter().max_by_key(|(_, share)| share.receiving);
        let Some((&most, _)) = most else { return };
        let of_it = self
            .receiving
            .iter()
            .filter(|(_, body)| body.client == most);
        let oldest = of_it.min_by_key(|(_, body)| body.progress);
        if let Some((&id, _)) = oldest {
            self.dismiss(id);
        }
    }

    /// Takes bytes if they are free, or tells others to give way.
    fn claim(&mut self, id: u64, client: Client, bytes: usize, room: usize, now: Instant) -> Claim {
        let own = self.bytes_of(client) + bytes;
        while self.bytes + bytes > room {
            let leaving: usize = self.leaving.values().sum();
            if self.bytes + bytes <= room + leaving {
                return Claim::Soon;
            }
            let others = self.receiving.iter().filter(|(other, body)| {
                **other != id && body.bytes > 0 && self.may_be_told(body, own, now)
            });
            let idle = |body: &Waiting| now.saturating_duration_since(body.progress);
            let victim = others.max_by_key(|(_, body)| (self.bytes_of(body.client), idle(body)));
            let Some((&victim, _)) = victim else {
                return Claim::Never;
            };
            self.dismiss(victim);
        }
        self.bytes += bytes;
        self.share(client).bytes += bytes;
        if let Some(body) = self.receiving.get_mut(&id) {
            body.bytes += bytes;
            body.progress = now;
        }
        Claim::Now
    }

    /// How many bytes are free, or would be if others gave way to so many of this client.
    fn may_be_free(&self, client: Client, bytes: usize, room: usize, now: Instant) -> usize {
        let free = room - self.bytes;
        if bytes <= free {
            return free;
        }
        let own = self.bytes_of(client) + bytes;
        let bodies = self.receiving.values();
        let may_be_told = bodies.filter(|body| self.may_be_told(body, own, now));
        let leaving: usize = self.leaving.values().sum();
        free + leaving + may_be_told.map(|body| body.bytes).sum::<usize>()
    }

    /// Whether a body gives way to one of a client that would have `own` bytes: one that has stalled does,
    /// and one of a client that has more.
    fn may_be_told(&self, body: &Waiting, own: usize, now: Instant) -> bool {
        now.saturating_duration_since(body.progress) >= STALLED || self.bytes_of(body.client) > own
    }

    fn dismiss(&mut self, id: u64) {
        if let Some(body) = self.receiving.remove(&id) {
            self.give_back(body.client, |share| share.receiving -= 1);
            self.leaving.insert(id, body.bytes);
            body.gives_way.notify_one();
        }
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
            let claim = (shared.state()).claim(*id, *client, bytes, shared.room.bytes, now);
            match claim {
                Claim::Now => break,
                Claim::Soon => timeout_at(limit, freed).await.map_err(|_| ApiError::Busy)?,
                Claim::Never => return Err(ApiError::Busy),
            }
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Makes room for as many bytes in all.
    pub async fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.grow(bytes.saturating_sub(self.bytes)).await
    }

    /// All of it is there: takes a place among the messages at work.
    pub fn at_work(mut self) -> Result<InFlight, ApiError> {
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
        state.end(self.id);
        state.messages += 1;
        state.share(client).messages += 1;
        drop(state);
        Ok(InFlight {
            shared,
            client,
            bytes: mem::take(&mut self.bytes),
        })
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.end(self.id);
        self.shared.release(state, self.client, self.bytes);
    }
}

/// One message at work, and the bytes of its body.
#[derive(Debug)]
pub struct InFlight {
    shared: Arc<Shared>,
    client: Client,
    bytes: usize,
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

    struct Bodies {
        state: State,
        now: Instant,
    }

    impl Bodies {
        fn none() -> Self {
            Self {
                state: State::default(),
                now: Instant::now(),
            }
        }

        fn begin(&mut self, client: Client, most: usize) -> u64 {
            self.now += Duration::from_millis(1);
            self.state.begin(client, Arc::default(), most, self.now)
        }

        /// Of a hundred.
        fn claim(&mut self, id: u64, client: Client, bytes: usize) -> Claim {
            self.state.claim(id, client, bytes, 100, self.now)
        }

        fn are(&self, ids: &[u64]) -> bool {
            self.state.receiving.len() == ids.len()
                && ids.iter().all(|id| self.state.receiving.contains_key(id))
        }
    }

    #[test]
    fn the_client_with_the_most_gives_way_with_what_is_oldest() {
        let mut bodies = Bodies::none();
        let other = bodies.begin(OTHER, 4);
        let [first, second, third] = [(); 3].map(|()| bodies.begin(HOG, 4));
        assert_eq!(bodies.claim(first, HOG, 1), Claim::Now);
        let new = bodies.begin(OTHER, 4);
        assert!(
            bodies.are(&[other, first, third, new]),
            "{second} gives way"
        );
        let newer = bodies.begin(HOG, 4);
        assert_eq!(bodies.state.receiving.len(), 4);
        assert!(bodies.state.receiving.contains_key(&newer));
        for id in first..=newer {
            bodies.state.end(id);
        }
        bodies.state.end(other);
        assert!(bodies.state.receiving.is_empty() && bodies.state.leaving.is_empty());
    }

    #[test]
    fn bytes_are_taken_from_what_has_stalled() {
        let mut bodies = Bodies::none();
        let [first, second] = [(); 2].map(|()| bodies.begin(HOG, 9));
        assert_eq!(bodies.claim(first, HOG, 60), Claim::Now);
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Never);
        bodies.now += STALLED;
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Soon);
        assert!(bodies.are(&[second]));
        // It is told once.
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Soon);
        bodies.state.end(first);
        bodies.state.bytes -= 60;
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Now);
        assert_eq!(bodies.state.bytes, 41);
    }

    #[test]
    fn bytes_are_taken_from_a_client_that_has_more() {
        let mut bodies = Bodies::none();
        let [first, second] = [(); 2].map(|()| bodies.begin(HOG, 9));
        let other = bodies.begin(OTHER, 9);
        for id in [first, second] {
            assert_eq!(bodies.claim(id, HOG, 50), Claim::Now);
        }
        assert_eq!(bodies.claim(other, OTHER, 99), Claim::Soon);
        // Now both have left, and the other has no more than it may.
        assert!(bodies.are(&[other]));
    }

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
    async fn who_waits_for_bytes_gets_them_when_others_have_given_way() {
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
        let state = admission.0.state();
        assert!(state.clients.is_empty() && state.leaving.is_empty());
        assert_eq!((state.bytes, state.messages), (0, 0));
    }
}
