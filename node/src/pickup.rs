//! Handing over the messages of one call together.

use crate::messages::Messages;
use crate::outcome::{Failure, Outcome, to_json};
use pmtaemail::{Durability, PickupDirectory, PickupOptions, Submission};

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
    let mut submissions = Vec::new();
    let mut refused = Vec::new();
    messages.each(|message| match message {
        Ok(message) => {
            submissions.push(Submission::new(&message));
            refused.push(None);
        }
        Err(problems) => refused.push(Some(problems)),
    })?;
    let mut handed_over = directory.submit_many(&submissions).into_iter();
    let outcomes: Vec<_> = refused
        .into_iter()
        .filter_map(|problems| match problems {
            Some(problems) => Some(Outcome::Problems(problems)),
            None => handed_over.next().map(Outcome::from),
        })
        .collect();
    to_json(&outcomes)
}
