//! The shares of the room, and who gives way.

use super::super::client::Client;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A body that has received nothing for this long gives its bytes to any other.
const STALLED: Duration = Duration::from_secs(1);

/// All that is taken.
#[derive(Debug, Default)]
pub struct State {
    pub receiving: HashMap<u64, Waiting>,
    /// The bytes of bodies that were asked to give way and have not done so yet.
    pub leaving: HashMap<u64, usize>,
    next: u64,
    pub clients: HashMap<Client, Share>,
    pub messages: usize,
    pub bytes: usize,
}

/// What one client takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Share {
    pub receiving: usize,
    pub messages: usize,
    pub bytes: usize,
}

/// A body that comes.
#[derive(Debug)]
pub struct Waiting {
    client: Client,
    /// When data last arrived.
    progress: Instant,
    /// Whether the daemon is working on part of it: then it is not the client's fault that nothing arrives.
    is_at_work: bool,
    bytes: usize,
    gives_way: Arc<Notify>,
}

/// Whether bytes are available.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    Now,
    /// When others have given way.
    Soon,
    Never,
}

impl State {
    pub fn share(&mut self, client: Client) -> &mut Share {
        self.clients.entry(client).or_default()
    }

    fn bytes_of(&self, client: Client) -> usize {
        self.clients.get(&client).map_or(0, |share| share.bytes)
    }

    /// Changes the share of a client, and forgets it when it has nothing.
    pub fn give_back(&mut self, client: Client, change: impl FnOnce(&mut Share)) {
        let share = self.share(client);
        change(share);
        if *share == Share::default() {
            self.clients.remove(&client);
        }
    }

    /// A body starts to arrive. If there are `most` already, one gives way.
    pub fn begin(
        &mut self,
        client: Client,
        gives_way: Arc<Notify>,
        most: usize,
        now: Instant,
    ) -> u64 {
        if self.receiving.len() >= most {
            self.make_place();
        }
        let id = self.next;
        self.next += 1;
        self.share(client).receiving += 1;
        let waiting = Waiting {
            client,
            progress: now,
            is_at_work: false,
            bytes: 0,
            gives_way,
        };
        self.receiving.insert(id, waiting);
        id
    }

    /// A body has arrived completely, or will not arrive any more.
    pub fn end(&mut self, id: u64) {
        match self.receiving.remove(&id) {
            Some(body) => self.give_back(body.client, |share| share.receiving -= 1),
            None => drop(self.leaving.remove(&id)),
        }
    }

    /// A body has this many bytes less.
    pub fn shrink(&mut self, id: u64, bytes: usize) {
        match self.receiving.get_mut(&id) {
            Some(body) => body.bytes -= bytes,
            None => {
                if let Some(leaving) = self.leaving.get_mut(&id) {
                    *leaving = leaving.saturating_sub(bytes);
                }
            }
        }
    }

    /// The daemon begins to work on part of a body, or waits for its client again.
    pub fn set_at_work(&mut self, id: u64, is_at_work: bool, now: Instant) {
        if let Some(body) = self.receiving.get_mut(&id) {
            body.is_at_work = is_at_work;
            body.progress = now;
        }
    }

    /// Makes one body give way: of the client with the most, the one that has received nothing for longest.
    fn make_place(&mut self) {
        let most = self.clients.iter().max_by_key(|(_, share)| share.receiving);
        let Some((&most, _)) = most else { return };
        let of_it = self
            .receiving
            .iter()
            .filter(|(_, body)| body.client == most);
        let oldest = of_it.min_by_key(|(_, body)| (body.is_at_work, body.progress));
        if let Some((&id, _)) = oldest {
            self.dismiss(id);
        }
    }

    /// Takes bytes if they are free, or asks others to give way.
    pub fn claim(
        &mut self,
        id: u64,
        client: Client,
        bytes: usize,
        room: usize,
        now: Instant,
    ) -> Claim {
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

    /// How many bytes are free, or would be if others gave way to this client.
    pub fn may_be_free(&self, client: Client, bytes: usize, room: usize, now: Instant) -> usize {
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

    /// Whether a body gives way to one of a client that would have `own` bytes: it does if it has stalled, or if its
    /// client has more.
    fn may_be_told(&self, body: &Waiting, own: usize, now: Instant) -> bool {
        let idle = now.saturating_duration_since(body.progress);
        (idle >= STALLED && !body.is_at_work) || self.bytes_of(body.client) > own
    }

    /// A body is not accepted. Its bytes are free soon.
    pub fn leave(&mut self, id: u64) -> Option<Waiting> {
        let body = self.receiving.remove(&id)?;
        self.give_back(body.client, |share| share.receiving -= 1);
        self.leaving.insert(id, body.bytes);
        Some(body)
    }

    fn dismiss(&mut self, id: u64) {
        if let Some(body) = self.leave(id) {
            body.gives_way.notify_one();
        }
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
        // It is reported once.
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Soon);
        bodies.state.end(first);
        bodies.state.bytes -= 60;
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Now);
        assert_eq!(bodies.state.bytes, 41);
    }

    #[test]
    fn a_body_that_waits_for_the_daemon_has_not_stalled() {
        let mut bodies = Bodies::none();
        let [first, second] = [(); 2].map(|()| bodies.begin(HOG, 9));
        assert_eq!(bodies.claim(first, HOG, 60), Claim::Now);
        bodies.state.set_at_work(first, true, bodies.now);
        bodies.now += 2 * STALLED;
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Never);
        // Its client's time starts now.
        bodies.state.set_at_work(first, false, bodies.now);
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Never);
        bodies.now += STALLED;
        assert_eq!(bodies.claim(second, HOG, 41), Claim::Soon);
        assert!(bodies.are(&[second]));
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
        // Now both have left, and the other has no more than its share.
        assert!(bodies.are(&[other]));
    }
}
