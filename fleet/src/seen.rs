//! Which messages this host has taken, so that those delivered to it again are not submitted a second time, and are
//! acknowledged only once they are in the pickup directory.
//!
//! ```text
//! taken ──▶ in hand ──▶ handed over ──▶ confirmed ──▶ forgotten, when no copy can be on its way any more
//!              └──▶ nothing: not handed over after all
//! ```

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The numbers of messages in their stream.
#[derive(Debug)]
pub struct Seen {
    messages: Mutex<HashMap<u64, State>>,
    /// How long after it was acknowledged a copy may still be on its way to this host.
    linger: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody knows yet what becomes of it.
    InHand,
    /// It is in the pickup directory.
    HandedOver,
    /// The brokers have confirmed that. It is forgotten at this time.
    Confirmed(Instant),
}

/// What this host knows about a message that is delivered to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It has not been here.
    No,
    /// Nobody knows yet what becomes of it: it must be neither submitted nor acknowledged.
    InHand,
    /// It is in the pickup directory.
    HandedOver,
}

impl Seen {
    pub fn new(linger: Duration) -> Self {
        Self {
            messages: Mutex::default(),
            linger,
        }
    }

    /// They are about to be submitted.
    pub fn in_hand(&self, sequences: impl Iterator<Item = u64>) {
        self.set(sequences, State::InHand);
    }

    /// They are submitted.
    pub fn handed_over(&self, sequences: impl Iterator<Item = u64>) {
        self.set(sequences, State::HandedOver);
    }

    /// Their acknowledgement is confirmed.
    pub fn confirmed(&self, sequences: impl Iterator<Item = u64>) {
        let now = Instant::now();
        self.lock()
            .retain(|_, state| !matches!(state, State::Confirmed(end) if *end <= now));
        self.set(sequences, State::Confirmed(now + self.linger));
    }

    /// They were not submitted after all.
    pub fn remove(&self, sequences: impl Iterator<Item = u64>) {
        let mut messages = self.lock();
        for sequence in sequences {
            messages.remove(&sequence);
        }
    }

    pub fn find(&self, sequence: u64) -> Known {
        match self.lock().get(&sequence) {
            None => Known::No,
            Some(State::InHand) => Known::InHand,
            Some(State::HandedOver | State::Confirmed(_)) => Known::HandedOver,
        }
    }

    fn set(&self, sequences: impl Iterator<Item = u64>, state: State) {
        self.lock()
            .extend(sequences.map(|sequence| (sequence, state)));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, State>> {
        // No panic leaves it half changed.
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_hand_is_not_yet_submitted() {
        let seen = Seen::new(Duration::ZERO);
        seen.in_hand([1, 2].into_iter());
        assert_eq!(
            [1, 3].map(|number| seen.find(number)),
            [Known::InHand, Known::No]
        );
        seen.handed_over([1].into_iter());
        seen.remove([2].into_iter());
        assert_eq!(
            [1, 2].map(|number| seen.find(number)),
            [Known::HandedOver, Known::No]
        );
    }

    #[test]
    fn confirmed_messages_are_remembered_for_a_while() {
        for (linger, known) in [
            (Duration::from_mins(1), Known::HandedOver),
            (Duration::ZERO, Known::No),
        ] {
            let seen = Seen::new(linger);
            seen.handed_over([1, 2].into_iter());
            seen.confirmed([1].into_iter());
            seen.confirmed([].into_iter());
            assert_eq!(
                [1, 2].map(|number| seen.find(number)),
                [known, Known::HandedOver]
            );
        }
    }
}
