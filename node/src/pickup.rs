//! The pickup directory.

use crate::messages::Messages;
use crate::outcome::{Failure, Outcome, to_json};
use pmtaemail::outbox::Pickup;
use pmtaemail::{
    Batch, Durability, EnvelopeIds, FileGroup, FileMode, IdempotencyKey, PickupDirectory,
    PickupOptions,
};
use std::convert::identity;

pub fn open(
    path: String,
    durable: bool,
    staging: Option<String>,
    syncfs: bool,
    file_mode: Option<FileMode>,
    file_group: Option<FileGroup>,
    state: Option<String>,
) -> Result<Pickup, Failure> {
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
    if let Some(mode) = file_mode {
        options = options.with_file_mode(mode);
    }
    if let Some(group) = file_group {
        options = options.with_file_group(group);
    }
    if let Some(state) = state {
        options = options.with_state(state);
    }
    Pickup::open(path, options).map_err(|error| Failure::from(&error))
}

/// Submits the messages of one call. Returns one outcome for each, as a JSON array, and the identifiers of each
/// submitted mail merge.
pub fn submit(
    directory: &PickupDirectory,
    messages: &Messages<'_>,
    key: Option<IdempotencyKey>,
) -> napi::Result<(String, Vec<EnvelopeIds>)> {
    let mut batch = Batch::new(directory);
    let mut outcomes = Vec::new();
    let mut commit = |batch: &mut Batch<'_, Outcome>| {
        let results = batch.commit().into_iter();
        outcomes.extend(results.map(|result| {
            result.map_or_else(identity, |receipt| Outcome::Receipt(Box::new(receipt)))
        }));
    };
    messages.each(|read| {
        match read {
            Ok((message, warnings)) => match key {
                None => {
                    batch.push(&message);
                    if let Some(warnings) = warnings {
                        batch.add_warnings(warnings);
                    }
                }
                Some(key) => batch.push_error(match directory.submit_message_once(&message, key) {
                    Ok(mut receipt) => {
                        receipt.warnings = warnings;
                        Outcome::Receipt(Box::new(receipt))
                    }
                    Err(error) => error.into(),
                }),
            },
            Err(problems) => batch.push_error(Outcome::Problems(problems.into())),
        }
        if batch.is_full() {
            commit(&mut batch);
        }
    })?;
    commit(&mut batch);
    let receipt = |outcome: &Outcome| match outcome {
        Outcome::Receipt(receipt) => receipt.envelope_ids.clone(),
        Outcome::Problems(_) | Outcome::Failure(_) | Outcome::NoKey(_) => None,
    };
    let ids = outcomes.iter().filter_map(receipt).collect();
    Ok((to_json(&outcomes)?, ids))
}
