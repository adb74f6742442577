//! The one place where the clock is read and chance is drawn.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{LazyLock, Mutex, PoisonError};

/// What a submission gets from outside its message: a time and an identifier.
///
/// A message with the same stamp gives the same octets.
#[derive(Debug, Clone)]
pub(crate) struct Stamp {
    pub now: Timestamp,
    pub id: Id,
}

impl Stamp {
    /// The present time and a new identifier.
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now() -> Self {
        let now = Timestamp::now();
        Self {
            now,
            id: Id::next(now),
        }
    }
}

/// The identifier of a submission: 26 characters, digits and lower-case letters.
///
/// It is unique and sorts by time, and is at once the receipt's `id`, the pickup file's name and
/// the left side of the Message-ID. Whoever receives the message sees it, so it tells nothing that
/// the message does not say anyway: its first part is the second of the submission, which the Date
/// field tells as well; all else is chance. Identifiers of the same second and process rise by
/// random steps whose size varies over many orders of magnitude, so that neither a finer clock nor
/// a count can be read out of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 26]);

/// 35 bits of seconds, 55 bits that rise within a second, 40 bits of chance.
const RISING_BITS: u32 = 55;
const CHANCE_BITS: u32 = 40;

/// Crockford's base32 in lower case: it sorts as the number does, and no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Id {
    /// How many characters it has.
    pub(crate) const LENGTH: usize = 26;

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        // The alphabet is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn next(now: Timestamp) -> Self {
        static LAST: Mutex<Last> = Mutex::new(Last {
            second: 0,
            rising: 0,
            count: 0,
        });

        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        last.count += 1;
        let chance = chance(now, last.count);
        let second = u64::try_from(now.as_second()).unwrap_or(0);
        (last.second, last.rising) = rise((last.second, last.rising), second, chance);
        let (second, rising) = (last.second, last.rising);
        drop(last);
        Self::encode(second, rising, chance >> (64 - CHANCE_BITS))
    }

    fn encode(second: u64, rising: u64, chance: u64) -> Self {
        let mut number = (u128::from(second) << (RISING_BITS + CHANCE_BITS))
            | (u128::from(rising) << CHANCE_BITS)
            | u128::from(chance);
        let mut text = [0; 26];
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(number & 31) as usize];
            number >>= 5;
        }
        Self(text)
    }
}

/// What the identifiers of this process have come to.
struct Last {
    second: u64,
    rising: u64,
    count: u64,
}

/// A word that nobody outside can foresee or tell from chance: the standard library's keyed hash
/// (`SipHash`, its keys drawn from the operating system once a process) of the nanosecond and a
/// count. A system call for each message would cost as much as rendering a small one. The nanosecond
/// sees to it that a process and its fork go different ways.
fn chance(now: Timestamp, count: u64) -> u64 {
    keys().hash_one(now.as_nanosecond() ^ (i128::from(count) << 64))
}

fn keys() -> &'static RandomState {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

    &KEYS
}

/// The second and rising part that follow `last`.
fn rise(last: (u64, u64), second: u64, chance: u64) -> (u64, u64) {
    const TOP: u64 = 1 << RISING_BITS;
    if second > last.0 {
        // The lower half, so that there is room to rise.
        return (second, chance % (TOP / 2));
    }
    // 1 to 2^34, every order of magnitude alike.
    let step = 1 + (chance >> 6) % (1 << (1 + chance % 34));
    let rising = last.1 + step;
    if rising < TOP {
        (last.0, rising)
    } else {
        // Millions of identifiers in one second: go on in the next one.
        (last.0 + 1, 0)
    }
}

/// The identifiers of the recipients of one mail merge: each is made when it is asked for, and is
/// the same each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecipientIds {
    second: u64,
    seed: u64,
}

impl RecipientIds {
    pub fn new(stamp: &Stamp) -> Self {
        Self {
            second: u64::try_from(stamp.now.as_second()).unwrap_or(0),
            seed: keys().hash_one(stamp.id),
        }
    }

    /// The identifier of a recipient, counted from 0. Nobody can tell the number from it.
    pub fn id(self, recipient: usize) -> Id {
        let rising = keys().hash_one((self.seed, recipient, 0_u8));
        let chance = keys().hash_one((self.seed, recipient, 1_u8));
        Id::encode(
            self.second,
            rising >> (64 - RISING_BITS),
            chance >> (64 - CHANCE_BITS),
        )
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn identifiers_rise_and_are_unique_over_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| (0..20_000).map(|_| Stamp::now().id).collect::<Vec<_>>())
            })
            .collect();
        let mut seen = HashSet::new();
        for thread in threads {
            let ids = thread.join().unwrap();
            assert!(ids.is_sorted_by(|a, b| a < b));
            assert!(ids.into_iter().all(|id| seen.insert(id)));
        }
    }

    #[test]
    fn a_clock_that_goes_back_does_not_break_the_order() {
        let first = rise((0, 0), 100, 7);
        let second = rise(first, 90, 0);
        assert!(second > first);
    }

    #[test]
    fn a_full_second_goes_on_in_the_next() {
        assert_eq!(rise((100, (1 << RISING_BITS) - 1), 100, 0), (101, 0));
    }
}
