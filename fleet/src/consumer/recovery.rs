//! Batches whose outcome this host does not know.

use super::event::Event;
use super::host::{Host, sequences_of};
use crate::clock::{milliseconds, now};
use crate::hand_over::key_of;
use crate::journal::Entry;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// The pause before the store is asked again.
const PAUSE: Duration = Duration::from_millis(250);

impl Host {
    /// Acknowledges a batch of the journal if it was submitted, and gives it back if not.
    pub async fn recover(&self, entry: Entry) {
        if entry.stream != self.stream {
            // Its sequence numbers belong to other messages now.
            self.forget(&entry).await;
            return;
        }
        let key = key_of(&entry.batch);
        let is_committed = loop {
            let directory = Arc::clone(&self.directory);
            let error = match spawn_blocking(move || directory.was_committed(key)).await {
                Ok(Ok(is_committed)) => break is_committed,
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            };
            (self.tell)(Event::Failed {
                messages: entry.messages.len(),
                error,
            });
            sleep(PAUSE).await;
        };
        let count = entry.messages.len();
        if is_committed {
            self.seen.handed_over(sequences_of(&entry.messages));
            self.acknowledge_entry(&entry).await;
        } else {
            self.forget(&entry).await;
            self.seen.remove(sequences_of(&entry.messages));
            // Later another host may have them.
            let held = milliseconds(now()).saturating_sub(entry.taken);
            if held < milliseconds(self.own_time()) {
                self.give_back(&entry.messages).await;
            }
        }
        (self.tell)(Event::Recovered {
            acknowledged: if is_committed { count } else { 0 },
            given_back: if is_committed { 0 } else { count },
        });
    }
}
