//! Idempotency keys of all hosts, in a bucket that forgets each after 24 hours.
//!
//! ```text
//!                  create               publish                update
//! nothing ───▶ claimed, record A ───▶ (in the stream) ───▶ done, record A
//!                     │
//!                     │ its host died: after a minute another one may try. The stream takes a message of the same
//!                     ▼ identifier once within its duplicate window, so it tells whether A was published
//!              claimed, record B ───▶ duplicate? done, record A : done, record B
//! ```

use async_nats::jetstream::kv::{CreateErrorKind, Store};
use bytes::Bytes;
use pmtaemail::Identity;
use std::fmt::Write;
use std::io;
use std::time::{Duration, UNIX_EPOCH};

/// After this long the host that claimed a key is taken for dead: no publishing takes as long.
const STALE: Duration = Duration::from_mins(1);

/// A claim that is older cannot be taken over: the stream may have forgotten whether it was published.
const HOPELESS: Duration = Duration::from_mins(55);

const CLAIMED: u8 = 0;
const DONE: u8 = 1;

/// A key that this host has claimed.
pub struct ClaimedKey {
    name: String,
    revision: u64,
    /// What a host had claimed it for that did not come back.
    earlier: Option<Vec<u8>>,
    record: Vec<u8>,
}

/// Why a key cannot be claimed.
pub enum Refused {
    /// Another host has it at present, or was done with it this moment.
    Busy,
    /// Nobody knows any more whether what it stood for was published.
    Unknown,
    /// The brokers do not answer.
    Brokers(async_nats::Error),
}

/// What a bucket calls a key.
pub fn name_of(hash: &[u8; 32]) -> String {
    let mut name = String::with_capacity(64);
    for byte in hash {
        // Of a text nothing can fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The record of what was published under a key.
pub async fn find(keys: &Store, hash: &[u8; 32]) -> Result<Option<Vec<u8>>, async_nats::Error> {
    let found = keys.get(name_of(hash)).await?;
    Ok(found.and_then(|value| {
        let (state, _, record) = parse(&value)?;
        (state == DONE).then(|| record.to_vec())
    }))
}

/// Claims a key for a record.
pub async fn claim(keys: &Store, hash: &[u8; 32], record: Vec<u8>) -> Result<ClaimedKey, Refused> {
    let name = name_of(hash);
    let value = value(CLAIMED, &record);
    match keys.create(&name, value.clone()).await {
        Ok(revision) => {
            return Ok(ClaimedKey {
                name,
                revision,
                earlier: None,
                record,
            });
        }
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
        Err(error) => return Err(Refused::Brokers(error.into())),
    }
    let entry = keys.entry(&name).await;
    let Some(entry) = entry.map_err(|error| Refused::Brokers(error.into()))? else {
        return Err(Refused::Busy);
    };
    let (age, earlier) = match parse(&entry.value) {
        Some((CLAIMED, time, earlier)) => (now().saturating_sub(time), earlier.to_vec()),
        _ => return Err(Refused::Busy),
    };
    if age < STALE {
        return Err(Refused::Busy);
    }
    if age > HOPELESS {
        return Err(Refused::Unknown);
    }
    // Of two hosts that try one is refused.
    let updated = keys.update(&name, value, entry.revision).await;
    Ok(ClaimedKey {
        name,
        revision: updated.map_err(|_| Refused::Busy)?,
        earlier: Some(earlier),
        record,
    })
}

impl ClaimedKey {
    /// The identifier under which the stream takes one message.
    pub fn message_id(&self) -> String {
        format!("key-{}", self.name)
    }

    /// It is published. Tells whether that was this host's: of a duplicate the first one counts.
    pub async fn done(self, keys: &Store, is_duplicate: bool) -> bool {
        let (record, is_own) = match self.earlier {
            Some(earlier) if is_duplicate => (earlier, false),
            _ => (self.record, true),
        };
        // Where this fails, whoever tries again finds out by the duplicate.
        let _ = keys
            .update(&self.name, value(DONE, &record), self.revision)
            .await;
        is_own
    }

    /// It surely was not published: the key is free again.
    pub async fn release(self, keys: &Store) {
        // Otherwise it is free in a minute.
        let _ = keys
            .delete_expect_revision(&self.name, Some(self.revision))
            .await;
    }
}

fn now() -> Duration {
    (Identity::now().time())
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

fn value(state: u8, record: &[u8]) -> Bytes {
    let time = u64::try_from(now().as_millis()).unwrap_or(u64::MAX);
    let mut value = vec![state];
    value.extend(time.to_le_bytes());
    value.extend(record);
    value.into()
}

fn parse(value: &[u8]) -> Option<(u8, Duration, &[u8])> {
    let (&state, rest) = value.split_first()?;
    let (time, record) = rest.split_first_chunk()?;
    Some((
        state,
        Duration::from_millis(u64::from_le_bytes(*time)),
        record,
    ))
}

/// As an error of the queue.
impl From<Refused> for pmtaemail::QueueError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy => {
                let sentence = "another host has the same idempotency key at work";
                io::Error::new(io::ErrorKind::ResourceBusy, sentence).into()
            }
            Refused::Unknown => Self {
                source: io::Error::other(
                    "a host that had the same idempotency key did not come back",
                ),
                may_be_delivered: true,
            },
            Refused::Brokers(error) => io::Error::other(error).into(),
        }
    }
}
