//! Places for connections: how many there may be, in total and per client.

use super::client::Client;
use crate::args::LimitArgs;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// Places for connections.
#[derive(Debug, Clone)]
pub struct Slots {
    /// One permit for each connection that there is room for.
    free: Arc<Semaphore>,
    most: u32,
    most_of_one: usize,
    /// Clients on this host have as many as others.
    limits_host: bool,
    clients: Arc<Clients>,
}

/// The number of connections of each client; a client without any has no entry.
#[derive(Debug, Default)]
struct Clients(Mutex<HashMap<Client, usize>>);

impl Clients {
    fn counts(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        self.0.lock().expect("nothing panics with the lock")
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub struct Slot {
    client: Client,
    clients: Arc<Clients>,
    /// Whether its client has more connections than one client may have.
    pub is_too_many: bool,
    _permit: OwnedSemaphorePermit,
}

impl Slots {
    /// Places for `most` connections.
    pub fn new(most: u32, limits: &LimitArgs) -> Self {
        let of_one = (limits.max_connections_per_client).unwrap_or_else(|| most - most / 4);
        Self {
            free: Arc::new(Semaphore::new(most as usize)),
            most,
            most_of_one: of_one as usize,
            limits_host: limits.max_connections_per_client.is_some(),
            clients: Arc::default(),
        }
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.most as usize - self.free.available_permits()
    }

    pub fn most(&self) -> u32 {
        self.most
    }

    pub fn most_of_one(&self) -> usize {
        self.most_of_one
    }

    /// A place, if one is free now.
    pub fn try_take(&self, client: Client) -> Result<Slot, TryAcquireError> {
        let permit = Arc::clone(&self.free).try_acquire_owned()?;
        Ok(self.slot(client, permit))
    }

    /// Waits for a place.
    pub async fn take(&self, client: Client) -> Result<Slot, AcquireError> {
        let permit = Arc::clone(&self.free).acquire_owned().await?;
        Ok(self.slot(client, permit))
    }

    /// Waits until all are free.
    pub async fn all_free(&self) -> Result<(), AcquireError> {
        self.free.acquire_many(self.most).await.map(drop)
    }

    fn slot(&self, client: Client, permit: OwnedSemaphorePermit) -> Slot {
        let mut counts = self.clients.counts();
        let count = counts.entry(client).or_default();
        *count += 1;
        let is_limited = match client {
            // Clients without an address cannot be told apart.
            Client::Local => false,
            _ => self.limits_host || !client.is_of_this_host(),
        };
        let is_too_many = is_limited && *count > self.most_of_one;
        drop(counts);
        Slot {
            client,
            clients: Arc::clone(&self.clients),
            is_too_many,
            _permit: permit,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.clients.counts();
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Action, parse};
    use std::net::Ipv4Addr;

    #[test]
    fn one_client_has_three_quarters() {
        let Action::Serve(mut args) = parse(["pmtaemailapi".into()]).unwrap() else {
            panic!("it serves")
        };
        let slots = Slots::new(8, &args.limits);
        let [one, other] = [1, 2].map(|last| Client::V4(Ipv4Addr::new(10, 0, 0, last)));
        let take = |client| slots.try_take(client).unwrap();
        let mut places: Vec<_> = (0..7).map(|_| take(one)).collect();
        let refused: Vec<_> = places.iter().map(|slot| slot.is_too_many).collect();
        assert_eq!(refused, [false, false, false, false, false, false, true]);
        assert!(!take(other).is_too_many && slots.open() == 7);
        places.truncate(5);
        assert!(!take(one).is_too_many);
        drop(places);
        assert!(slots.clients.counts().is_empty());
        let proxy = Client::V4(Ipv4Addr::LOCALHOST);
        for host in [Client::Local, proxy] {
            let places: Vec<_> = (0..8).map(|_| take(host)).collect();
            assert!(places.iter().all(|slot| !slot.is_too_many));
            assert!(slots.try_take(other).is_err());
        }
        args.limits.max_connections_per_client = Some(1);
        let slots = Slots::new(8, &args.limits);
        for (host, is_too_many) in [(Client::Local, false), (proxy, true)] {
            let _first = slots.try_take(host).unwrap();
            assert_eq!(slots.try_take(host).unwrap().is_too_many, is_too_many);
        }
    }
}
