//! What is done about a batch, depending on its outcome.

use super::batch::Attempt;
use super::event::Event;
use super::host::{Host, sequences_of};
use crate::hand_over::Outcome;

impl Host {
    /// Acknowledges what is submitted, gives back what is not.
    pub async fn settle(&self, attempt: Attempt) {
        let mut redelivered = Some(attempt.redelivered);
        for outcome in attempt.outcomes {
            match outcome {
                Outcome::Done(entry) => {
                    (self.tell)(Event::HandedOver {
                        messages: entry.messages.len(),
                        redelivered: redelivered.take().unwrap_or_default(),
                    });
                    self.acknowledge_entry(&entry).await;
                }
                Outcome::Already(messages) => {
                    if self.acknowledge(&messages).await {
                        self.seen.confirmed(sequences_of(&messages));
                    }
                }
                Outcome::Late(messages) => {
                    // Another host may have them by now, so they are not given back: the brokers deliver them again
                    // anyway.
                    (self.tell)(Event::Late {
                        messages: messages.len(),
                    });
                }
                Outcome::Failed(messages, failed) => {
                    (self.tell)(Event::Failed {
                        messages: messages.len(),
                        error: failed.to_string(),
                    });
                    self.give_back_taken(&messages, attempt.taken).await;
                }
                Outcome::Unknown(entry, error) => {
                    (self.tell)(Event::Failed {
                        messages: entry.messages.len(),
                        error: error.to_string(),
                    });
                    self.recover(entry).await;
                }
            }
        }
    }
}
