//! Which messages this host has handed over, so that those that are delivered to it again are acknowledged and no more.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The numbers of messages in their stream.
#[derive(Debug)]
pub struct Seen {
    /// With the time from which on each is forgotten, once its acknowledgement is confirmed.
    messages: Mutex<HashMap<u64, Option<Instant>>>,
    /// How long after that a copy may still be on its way to this host.
    linger: Duration,
}

impl Seen {
    pub fn new(linger: Duration) -> Self {
        Self {
            messages: Mutex::default(),
            linger,
        }
    }

    /// They are handed over.
    pub fn add(&self, sequences: impl Iterator<Item = u64>) {
        self.lock()
            .extend(sequences.map(|sequence| (sequence, None)));
    }

    /// They are confirmed to be acknowledged.
    pub fn confirmed(&self, sequences: impl Iterator<Item = u64>) {
        let now = Instant::now();
        let mut messages = self.lock();
        messages.retain(|_, end| end.is_none_or(|end| end > now));
        messages.extend(sequences.map(|sequence| (sequence, Some(now + self.linger))));
    }

    /// They are not, after all.
    pub fn remove(&self, sequences: impl Iterator<Item = u64>) {
        let mut messages = self.lock();
        for sequence in sequences {
            messages.remove(&sequence);
        }
    }

    pub fn contains(&self, sequence: u64) -> bool {
        self.lock().contains_key(&sequence)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Option<Instant>>> {
        // Nothing in it is half done where something panics.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_confirmed_lingers() {
        for (linger, is_there) in [(Duration::from_mins(1), true), (Duration::ZERO, false)] {
            let seen = Seen::new(linger);
            seen.add([1, 2, 3].into_iter());
            seen.confirmed([1].into_iter());
            seen.remove([3].into_iter());
            seen.confirmed([].into_iter());
            assert_eq!(
                [1, 2, 3].map(|number| seen.contains(number)),
                [is_there, true, false]
            );
        }
    }
}
