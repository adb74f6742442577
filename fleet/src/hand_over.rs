//! Submits one batch of messages to the pickup directory: all of them, or none.
//!
//! ```text
//! begin_once(batch)   write …   journal.write   too late?   commit ── one record of the store, then the renames
//!                                                  │           │
//!                                              give back     acknowledge, journal.remove
//! ```

use crate::journal::{Delivered, Entry, Journal};
use bytes::Bytes;
use pmtaemail::{
    ClaimError, IdempotencyKey, Identity, PickupDirectory, PickupError, PickupErrorKind,
};
use std::io;
use std::ops::Range;
use std::time::Instant;

/// A message that can be submitted.
#[derive(Debug)]
pub struct Item {
    pub delivered: Delivered,
    pub payload: Bytes,
    /// Names, and the ranges of their bytes in the payload.
    pub files: Vec<(String, Range<usize>)>,
}

/// The outcome for some messages.
#[derive(Debug)]
pub enum Outcome {
    /// They are in the pickup directory, under this entry of the journal.
    Done(Entry),
    /// They were in the pickup directory already.
    Already(Vec<Delivered>),
    /// They were held for too long: another host may have them by now.
    Late(Vec<Delivered>),
    /// They are not in the pickup directory.
    Failed(Vec<Delivered>, Failed),
    /// It is not yet known whether they are; the store knows, under this entry of the journal.
    Unknown(Entry, PickupError),
}

/// Why messages were not submitted.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error(transparent)]
    Pickup(#[from] PickupError),
    #[error("cannot write the journal: {0}")]
    Journal(#[from] io::Error),
    #[error(transparent)]
    Key(ClaimError),
}

/// The key of a batch.
pub fn key_of(batch: &str) -> IdempotencyKey {
    IdempotencyKey::of(&format!("fleet batch {batch}"))
}

/// Messages that were taken together.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The stream, and when it was created.
    pub stream: String,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// From this moment on, another host may have them.
    pub end: Instant,
}

/// Submits messages together, unless that takes too long. Blocks.
pub fn hand_over(
    directory: &PickupDirectory,
    journal: &Journal,
    items: &[Item],
    taken: &Taken,
) -> Vec<Outcome> {
    match together(directory, journal, items, taken) {
        Outcome::Failed(_, Failed::Pickup(error))
            if error.kind() == PickupErrorKind::AlreadyExists =>
        {
            // No two submissions have files of the same name: one message was submitted before. The others were not.
            if let [item] = items {
                return vec![Outcome::Already(vec![item.delivered.clone()])];
            }
            let (one, other) = items.split_at(items.len() / 2);
            let mut outcomes = hand_over(directory, journal, one, taken);
            outcomes.extend(hand_over(directory, journal, other, taken));
            outcomes
        }
        outcome => vec![outcome],
    }
}

fn together(
    directory: &PickupDirectory,
    journal: &Journal,
    items: &[Item],
    taken: &Taken,
) -> Outcome {
    let id = Identity::now().id();
    let entry = Entry {
        batch: id.to_string(),
        stream: taken.stream.clone(),
        taken: taken.time,
        messages: items.iter().map(|item| item.delivered.clone()).collect(),
    };
    let write = || -> Result<_, Failed> {
        let begun = directory.begin_once(key_of(&entry.batch), id);
        let begun = begun.map_err(Failed::Key)?;
        let mut transaction =
            begun.ok_or_else(|| io::Error::other("two batches have the same name"))?;
        for item in items {
            for (name, place) in &item.files {
                transaction.write(name, &[&item.payload[place.clone()]])?;
            }
        }
        journal.write(&entry)?;
        Ok(transaction)
    };
    let transaction = match write() {
        Ok(transaction) => transaction,
        Err(failed) => {
            // If an entry stays, it belongs to a batch that was never submitted.
            let _ = journal.remove(&entry.batch);
            return Outcome::Failed(entry.messages, failed);
        }
    };
    if Instant::now() > taken.end {
        drop(transaction);
        let _ = journal.remove(&entry.batch);
        return Outcome::Late(entry.messages);
    }
    match transaction.commit() {
        Ok(()) => Outcome::Done(entry),
        Err(error) if error.may_be_delivered() => Outcome::Unknown(entry, error),
        Err(error) => {
            let _ = journal.remove(&entry.batch);
            Outcome::Failed(entry.messages, error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::PickupOptions;
    use std::fs;
    use std::time::Duration;

    fn item(sequence: u64, names: &[&str]) -> Item {
        Item {
            delivered: Delivered {
                sequence,
                reply: format!("$JS.ACK.{sequence}"),
                large: None,
            },
            payload: Bytes::from_static(b"x-sender: a@example.com\n"),
            files: names.iter().map(|&name| (name.to_owned(), 0..24)).collect(),
        }
    }

    #[test]
    fn a_batch_is_submitted_and_known_to_be() {
        let place = tempfile::tempdir().unwrap();
        let pickup = place.path().join("pickup");
        fs::create_dir(&pickup).unwrap();
        let options = PickupOptions::default().with_default_state();
        let directory = PickupDirectory::open(&pickup, options).unwrap();
        let journal = Journal::open(&place.path().join("journal")).unwrap();
        let in_time = Taken {
            stream: "MAIL".to_owned(),
            time: 0,
            end: Instant::now() + Duration::from_mins(1),
        };

        let batch = [item(1, &["a.eml", "b.eml"]), item(2, &["c.eml"])];
        let outcomes = hand_over(&directory, &journal, &batch, &in_time);
        let [Outcome::Done(entry)] = &outcomes[..] else {
            panic!("{outcomes:?}")
        };
        assert!(directory.was_committed(key_of(&entry.batch)).unwrap());
        assert_eq!(journal.entries().unwrap().len(), 1);
        journal.remove(&entry.batch).unwrap();
        directory.forget_once(key_of(&entry.batch)).unwrap();
        assert!(!directory.was_committed(key_of(&entry.batch)).unwrap());

        // One of them was submitted before.
        let batch = [
            item(3, &["d.eml"]),
            item(2, &["c.eml"]),
            item(4, &["e.eml"]),
        ];
        let outcomes = hand_over(&directory, &journal, &batch, &in_time);
        let done = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Done(_)))
            .count();
        let already = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Already(_)))
            .count();
        assert_eq!((done, already), (2, 1), "{outcomes:?}");
        assert_eq!(fs::read_dir(&pickup).unwrap().count(), 5);

        // Too late: none of its files are there.
        let too_late = Taken {
            end: Instant::now(),
            ..in_time.clone()
        };
        let late = hand_over(&directory, &journal, &[item(5, &["f.eml"])], &too_late);
        assert!(matches!(&late[..], [Outcome::Late(_)]), "{late:?}");
        let bad = hand_over(
            &directory,
            &journal,
            &[item(6, &["g.eml", "../h"])],
            &in_time,
        );
        assert!(matches!(&bad[..], [Outcome::Failed(..)]), "{bad:?}");
        assert_eq!(fs::read_dir(&pickup).unwrap().count(), 5);
        assert_eq!(journal.entries().unwrap().len(), 2);
    }
}
