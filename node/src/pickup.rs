//! Handing over the messages of one call together.

use crate::messages::Messages;
use crate::outcome::{Failure, Outcome, to_json};
use pmtaemail::{Durability, PickupDirectory, PickupOptions, Submission};

/// Bounds the memory that one call needs: rendered messages wait for their group.
const OCTETS_AT_A_TIME: u64 = 32 << 20;

/// A mail merge with larger files does not wait for others.
const MERGE_OCTETS: u64 = 1 << 20;

pub fn open(
    path: String,
    durable: bool,
    staging: Option<String>,
    syncfs: bool,
) -> Result<PickupDirectory, Failure> {
    let durability = if durable {
        Durability::Durable
    } else {
        Durability::NotDurable
    };
    let mut options = PickupOptions::default()
        .with_durability(durability)
        .with_syncfs(syncfs);
    if let Some(staging) = staging {
        options = options.with_staging(staging);
    }
    PickupDirectory::open(path, options).map_err(|error| Failure::from(&error))
}

/// One outcome for each message, as a JSON list. They share their syncs.
pub fn hand_over(directory: &PickupDirectory, messages: &Messages<'_>) -> napi::Result<String> {
    let mut outcomes = Vec::new();
    let mut group = Group::default();
    messages.each(|message| match message {
        Err(problems) => outcomes.push(Some(Outcome::Problems(problems))),
        Ok(message) => match Submission::within(MERGE_OCTETS, &message) {
            None => outcomes.push(Some(directory.submit_message(&message).into())),
            Some(submission) => {
                group.add(outcomes.len(), submission);
                outcomes.push(None);
                if group.octets >= OCTETS_AT_A_TIME {
                    group.hand_over(directory, &mut outcomes);
                }
            }
        },
    })?;
    group.hand_over(directory, &mut outcomes);
    to_json(&outcomes)
}

/// Messages that are handed over together.
#[derive(Default)]
struct Group {
    submissions: Vec<Submission>,
    /// Which messages they are.
    places: Vec<usize>,
    octets: u64,
}

impl Group {
    fn add(&mut self, place: usize, submission: Submission) {
        self.octets += submission.octets();
        self.submissions.push(submission);
        self.places.push(place);
    }

    fn hand_over(&mut self, directory: &PickupDirectory, outcomes: &mut [Option<Outcome>]) {
        let Self {
            submissions,
            places,
            ..
        } = std::mem::take(self);
        let handed_over = directory.submit_many(&submissions);
        for (place, handed_over) in places.into_iter().zip(handed_over) {
            if let Some(outcome) = outcomes.get_mut(place) {
                *outcome = Some(handed_over.into());
            }
        }
    }
}
