//! Idempotency keys of all hosts, in a bucket that forgets each after 24 hours.
//!
//! ```text
//!                  create               publish                update
//! nothing ───▶ claimed, record A ───▶ (in the stream) ───▶ done, record A
//!                     │
//!                     │ its host died: after a minute another one may retry the submission. The stream takes only one
//!                     ▼ message with an identifier within its duplicate window, so it knows whether A was published
//!              claimed, record A ───▶ duplicate? done, record A : done, record B
//! ```
//!
//! A and B have the same fingerprint, so the same mail is sent whichever was published; B's receipt has other IDs.

use crate::clock::{milliseconds, now};
use async_nats::jetstream::kv::{CreateErrorKind, Store, UpdateErrorKind};
use bytes::Bytes;
use std::fmt::Write;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// After this long, the host that claimed a key is considered dead: publishing never takes that long.
const STALE: Duration = Duration::from_mins(1);

/// A claim that is older cannot be taken over: the stream may have forgotten whether it was published.
const HOPELESS: Duration = Duration::from_mins(55);

const CLAIMED: u8 = 0;
const DONE: u8 = 1;

/// How long a host tries to record that a key is done.
const PATIENCE: Duration = Duration::from_secs(10);

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

/// A key that this host has claimed.
pub struct ClaimedKey {
    name: String,
    revision: u64,
    /// When it was claimed first.
    first: Duration,
    /// The record for which an earlier host, which did not come back, had claimed it.
    earlier: Option<Vec<u8>>,
    record: Vec<u8>,
}

/// Why a key cannot be claimed.
pub enum Refused {
    /// Another host has it right now, or has just finished with it.
    Busy,
    /// It can no longer be known whether its record was published.
    Unknown,
    /// The brokers do not answer.
    Brokers(async_nats::Error),
}

/// The name of a key in the bucket.
pub fn name_of(hash: &[u8; 32]) -> String {
    let mut name = String::with_capacity(64);
    for byte in hash {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// The record of what was published under a key.
pub async fn find(keys: &Store, hash: &[u8; 32]) -> Result<Option<Vec<u8>>, async_nats::Error> {
    let found = keys.get(name_of(hash)).await?;
    Ok(found.and_then(|value| {
        let value = Value::parse(&value)?;
        (value.state == DONE).then_some(value.record)
    }))
}

/// Claims a key for a record. `is_same` returns whether another record belongs to the same submission.
pub async fn claim(
    keys: &Store,
    hash: &[u8; 32],
    record: Vec<u8>,
    is_same: impl Fn(&[u8]) -> bool,
) -> Result<ClaimedKey, Refused> {
    let name = name_of(hash);
    let now = now();
    let value = Value {
        state: CLAIMED,
        first: now,
        last: now,
        record,
    };
    match keys.create(&name, value.bytes()).await {
        Ok(revision) => {
            return Ok(ClaimedKey {
                name,
                revision,
                first: now,
                earlier: None,
                record: value.record,
            });
        }
        Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
        Err(error) => return Err(Refused::Brokers(error.into())),
    }
    let entry = keys.entry(&name).await;
    let entry = entry.map_err(|error| Refused::Brokers(error.into()))?;
    let (entry, found) = entry
        .and_then(|entry| Value::parse(&entry.value).map(|found| (entry, found)))
        .ok_or(Refused::Busy)?;
    // No two attempts have the same receipt: this one created the key but never saw the answer.
    if found.state == CLAIMED && found.record == value.record {
        return Ok(ClaimedKey {
            name,
            revision: entry.revision,
            first: found.first,
            earlier: None,
            record: value.record,
        });
    }
    let is_stale = now.saturating_sub(found.last) > STALE;
    if found.state != CLAIMED || !is_stale || !is_same(&found.record) {
        return Err(Refused::Busy);
    }
    if now.saturating_sub(found.first) > HOPELESS {
        return Err(Refused::Unknown);
    }
    let taken_over = Value { last: now, ..found };
    // If two hosts try, one of them is refused.
    let updated = keys.update(&name, taken_over.bytes(), entry.revision).await;
    Ok(ClaimedKey {
        name,
        revision: updated.map_err(|_| Refused::Busy)?,
        first: taken_over.first,
        earlier: Some(taken_over.record),
        record: value.record,
    })
}

impl ClaimedKey {
    /// The identifier under which the stream takes one message.
    pub fn message_id(&self) -> String {
        format!("key-{}", self.name)
    }

    /// Records that the message is published. Returns whether this host's record counts: for a duplicate, the first one
    /// does.
    pub async fn done(self, keys: &Store, is_duplicate: bool) -> bool {
        let (record, is_own) = match self.earlier {
            Some(earlier) if is_duplicate => (earlier, false),
            _ => (self.record, true),
        };
        let value = Value {
            state: DONE,
            first: self.first,
            last: now(),
            record,
        };
        let end = Instant::now() + PATIENCE;
        loop {
            match keys.update(&self.name, value.bytes(), self.revision).await {
                Ok(_) => return is_own,
                // Another host took it over, or the answer to an update was lost: `find` returns what is stored.
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => return false,
                // A retry finds out by being a duplicate.
                Err(_) if Instant::now() > end => return is_own,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// This attempt was certainly not published: the key is free again, unless an earlier one may have been.
    pub async fn release(self, keys: &Store) {
        if self.earlier.is_none() {
            // Otherwise it is free in a minute.
            let _ = keys
                .delete_expect_revision(&self.name, Some(self.revision))
                .await;
        }
    }
}

/// What a bucket has under a key.
struct Value {
    state: u8,
    /// When it was claimed first, and last.
    first: Duration,
    last: Duration,
    record: Vec<u8>,
}

impl Value {
    fn bytes(&self) -> Bytes {
        let mut bytes = vec![self.state];
        for time in [self.first, self.last] {
            bytes.extend(milliseconds(time).to_le_bytes());
        }
        bytes.extend(&self.record);
        bytes.into()
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&state, rest) = bytes.split_first()?;
        let (first, rest) = rest.split_first_chunk()?;
        let (last, record) = rest.split_first_chunk()?;
        Some(Self {
            state,
            first: Duration::from_millis(u64::from_le_bytes(*first)),
            last: Duration::from_millis(u64::from_le_bytes(*last)),
            record: record.to_vec(),
        })
    }
}

/// As an error of the queue.
impl From<Refused> for pmtaemail::QueueError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Busy => {
                let sentence = "another host is processing the same idempotency key";
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
