//! The identifiers of the recipients of a mail merge.

use super::Identity;
use super::id::{CHANCE_BITS, Id, RISING_BITS, seconds};
use serde::{Deserialize, Serialize};
use siphasher::sip128::SipHasher13;
use std::hash::{BuildHasher, RandomState};

/// The identifiers of the recipients of one mail merge: each is computed when it is asked for, and is the same every
/// time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RecipientIds {
    second: u64,
    /// They are secret, so that nobody outside can tell which identifiers they lead to.
    keys: (u64, u64),
}

impl RecipientIds {
    pub fn new(identity: &Identity) -> Self {
        if identity.id == Id::LOWEST {
            return Self {
                second: 0,
                keys: (0, 0),
            };
        }
        let random = RandomState::new();
        Self {
            second: seconds(identity.time),
            // Forks of a process may draw the same random state; what they submit has different identifiers.
            keys: (
                random.hash_one((identity.id, 0_u8)),
                random.hash_one((identity.id, 1_u8)),
            ),
        }
    }

    /// The identifier of a recipient, counted from 0. It does not reveal the number.
    pub fn id(&self, recipient: usize) -> Id {
        let hasher = SipHasher13::new_with_keys(self.keys.0, self.keys.1);
        let chance = hasher.hash(&(recipient as u64).to_le_bytes());
        Id::encode(
            self.second,
            chance.h1 >> (64 - RISING_BITS),
            chance.h2 >> (64 - CHANCE_BITS),
        )
    }
}
