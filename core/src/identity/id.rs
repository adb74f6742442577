//! The identifiers of submissions, and their other forms.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::time::{Duration, SystemTime};

/// The identifier of a submission: 26 characters, digits and lower-case letters.
///
/// It is unique and sorts by time. It serves as the receipt's `id`, the name of the pickup file, the envelope ID and
/// the left side of the Message-ID. Recipients see it, so it reveals nothing that the message does not say anyway: its
/// first part is the second of the submission, which the Date field shows as well; everything else is random.
/// Identifiers that one thread makes within a second rise by random steps whose size varies over many orders of
/// magnitude, so that neither a finer clock nor a count can be read from them.
///
/// ```
/// use pmtaemail::Id;
///
/// let id: Id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse()?;
/// assert_eq!(id.as_str(), "1ng7qwf4c52q7bj9v8dsqnkxqv");
/// assert!("1NG7QWF4C52Q7BJ9V8DSQNKXQV".parse::<Id>().is_err());
/// # Ok::<(), pmtaemail::InvalidId>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; Id::LENGTH]);

/// The string is not an [`Id`]: its length is not 26, or it contains anything but digits and lower-case letters without
/// i, l, o and u.
///
/// ```
/// use pmtaemail::{Id, InvalidId};
///
/// assert_eq!("order-4711".parse::<Id>(), Err(InvalidId));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has 26 characters: digits, and lower-case letters other than i, l, o and u")]
pub struct InvalidId;

/// 35 bits of seconds, 55 bits that rise within a second, 40 random bits.
const SECOND_LETTERS: usize = 7;
pub(super) const RISING_BITS: u32 = 55;
pub(super) const CHANCE_BITS: u32 = 40;

/// Crockford's base32 in lower case: it sorts as the numbers do, and no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl Id {
    /// Its length in characters.
    pub(crate) const LENGTH: usize = 26;

    pub(crate) const LOWEST: Self = Self([b'0'; Self::LENGTH]);

    /// The identifier as a string.
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }

    /// The time of the submission, in whole seconds. If very many are made in one second, it can be a second late.
    ///
    /// ```
    /// let id: pmtaemail::Id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse()?;
    /// let time = id.time().duration_since(std::time::UNIX_EPOCH)?;
    /// assert_eq!(time.as_secs(), 1_795_415_951);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn time(&self) -> SystemTime {
        let second = self.0[..SECOND_LETTERS].iter().fold(0, |second, letter| {
            let place = ALPHABET.iter().position(|known| known == letter);
            (second << 5) | place.expect("it is of the alphabet") as u64
        });
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    /// The identifier as a UUID of version 8 (RFC 9562 section 5.8), for programs that need one. The UUID lacks the
    /// last 8 of the 40 random bits.
    ///
    /// ```
    /// let id: pmtaemail::Id = "1ng7qwf4c52q7bj9v8dsqnkxqv".parse()?;
    /// let hex: String = id.to_uuid().iter().map(|byte| format!("{byte:02x}")).collect();
    /// assert_eq!((hex.len(), &hex[12..13]), (32, "8"));
    /// # Ok::<(), pmtaemail::InvalidId>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn to_uuid(&self) -> [u8; 16] {
        let number = self.0[..24].iter().fold(0, |number, letter| {
            let place = ALPHABET.iter().position(|known| known == letter);
            (number << 5) | place.expect("it is of the alphabet") as u128
        });
        // 120 of 130 bits so far; the next 2.
        let next = ALPHABET.iter().position(|known| *known == self.0[24]);
        let number = (number << 2) | (next.expect("it is of the alphabet") >> 3) as u128;
        let (high, middle, low) = (
            number >> 74,
            (number >> 62) & 0xfff,
            number & ((1 << 62) - 1),
        );
        ((high << 80) | (0x8 << 76) | (middle << 64) | (0b10 << 62) | low).to_be_bytes()
    }

    /// The identifier as a decimal number of at most 40 digits, without leading zeros.
    ///
    /// ```
    /// let id: pmtaemail::Id = "0000000000000000000000001z".parse()?;
    /// assert_eq!(id.to_decimal(), "63");
    /// # Ok::<(), pmtaemail::InvalidId>(())
    /// ```
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn to_decimal(&self) -> String {
        // Its 130 bits are two more than the largest integer has.
        let mut digits = vec![0_u32];
        for letter in &self.0 {
            let place = ALPHABET.iter().position(|known| known == letter);
            let mut carry = u32::try_from(place.expect("it is of the alphabet")).unwrap_or(0);
            for digit in &mut digits {
                let value = *digit * 32 + carry;
                *digit = value % 10;
                carry = value / 10;
            }
            while carry > 0 {
                digits.push(carry % 10);
                carry /= 10;
            }
        }
        let digit = |digit: &u32| char::from_digit(*digit, 10).expect("it is below 10");
        digits.iter().rev().map(digit).collect()
    }

    pub(super) fn next(now: Timestamp) -> Self {
        // No lock: a fork of the process would find it locked for ever if another thread had it.
        thread_local! {
            static LAST: Cell<Last> = const { Cell::new(Last { second: 0, rising: 0, count: 0 }) };
            static KEYS: RandomState = RandomState::new();
        }

        let Last {
            second,
            rising,
            count,
        } = LAST.get();
        let chance = KEYS.with(|keys| chance(keys, now, count));
        let (second, rising) = rise((second, rising), seconds(now), chance);
        LAST.set(Last {
            second,
            rising,
            count: count + 1,
        });
        Self::encode(second, rising, chance >> (64 - CHANCE_BITS))
    }

    pub(super) fn encode(second: u64, rising: u64, chance: u64) -> Self {
        let mut number = (u128::from(second) << (RISING_BITS + CHANCE_BITS))
            | (u128::from(rising) << CHANCE_BITS)
            | u128::from(chance);
        let mut text = [0; Self::LENGTH];
        for slot in text.iter_mut().rev() {
            *slot = ALPHABET[(number & 31) as usize];
            number >>= 5;
        }
        Self(text)
    }
}

/// If the clock is wrong and shows a time before 1970, identifiers start at 0 and are still unique.
pub(super) fn seconds(time: Timestamp) -> u64 {
    time.as_second().max(0).unsigned_abs()
}

/// The last identifier that this thread made.
#[derive(Clone, Copy)]
struct Last {
    second: u64,
    rising: u64,
    count: u64,
}

/// A word that nobody outside can predict or tell from a random one: the standard library's keyed hash (`SipHash`,
/// whose keys come from the operating system once per thread) of the current nanosecond and a counter. A system call
/// per message would cost as much as rendering a small one. The nanosecond keeps a process and its fork apart.
fn chance(keys: &RandomState, now: Timestamp, count: u64) -> u64 {
    keys.hash_one(now.as_nanosecond() ^ (i128::from(count) << 64))
}

/// The second and the rising part that follow `last`.
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

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bytes: [u8; Self::LENGTH] = text.as_bytes().try_into().map_err(|_| InvalidId)?;
        if bytes.iter().all(|byte| ALPHABET.contains(byte)) {
            Ok(Self(bytes))
        } else {
            Err(InvalidId)
        }
    }
}

impl AsRef<str> for Id {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;
    use std::collections::HashSet;

    #[test]
    fn identifiers_rise_and_are_unique_over_threads() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| (0..20_000).map(|_| Identity::now().id).collect::<Vec<_>>())
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
    fn an_identifier_is_read_as_it_is_written() {
        let id = Identity::now().id;
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), id);
        assert_eq!(id.as_str().len(), Id::LENGTH);
        let right = "0123456789abcdefghjkmnpqrs";
        assert_eq!(right.parse::<Id>().unwrap().as_str(), right);
        for wrong in [
            "",
            &right[1..],
            "0123456789abcdefghjkmnpqrst",
            "0123456789abcdefghjkmnpqri",
            "0123456789ABCDEFGHJKMNPQRS",
            "0123456789abcdefghjkmnpqr/",
            "0123456789abcdefghjkmnpqé",
        ] {
            assert_eq!(wrong.parse::<Id>(), Err(InvalidId), "{wrong}");
            assert!(serde_json::from_value::<Id>(wrong.into()).is_err());
        }
    }

    #[test]
    fn identifiers_in_other_forms_are_as_different() {
        let ids: Vec<_> = (0..1_000).map(|_| Identity::now().id).collect();
        let uuids: HashSet<_> = ids.iter().map(Id::to_uuid).collect();
        let numbers: HashSet<_> = ids.iter().map(Id::to_decimal).collect();
        assert_eq!((uuids.len(), numbers.len()), (1_000, 1_000));
        let in_order: Vec<_> = ids.iter().map(Id::to_uuid).collect();
        assert!(in_order.is_sorted());
        for uuid in uuids {
            assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (8, 0b10));
        }
        let last: Id = "zzzzzzzzzzzzzzzzzzzzzzzzzz".parse().unwrap();
        // 2^130 - 1
        assert_eq!(
            last.to_decimal(),
            "1361129467683753853853498429727072845823"
        );
        let all_set = !((0x7_u128 << 76) | (1 << 62));
        assert_eq!(last.to_uuid(), all_set.to_be_bytes());
        assert_eq!(Id::LOWEST.to_decimal(), "0");
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
