//! What a consumer works with.

use super::ConsumerOptions;
use super::event::Event;
use crate::journal::{Delivered, Journal};
use crate::seen::Seen;
use async_nats::Client;
use async_nats::jetstream::Context;
use async_nats::jetstream::object_store::ObjectStore;
use pmtaemail::PickupDirectory;
use std::sync::Arc;
use std::time::Duration;

/// A host that takes messages; its methods are in the sibling files.
pub struct Host {
    pub client: Client,
    pub context: Context,
    pub large: ObjectStore,
    pub directory: Arc<PickupDirectory>,
    pub journal: Journal,
    pub options: ConsumerOptions,
    pub tell: Box<dyn Fn(Event) + Send + Sync>,
    pub seen: Seen,
    /// The stream, and when it was created.
    pub stream: String,
}

impl Host {
    /// For how long after delivery no other host can have a message: half of the time after which the brokers deliver
    /// it to another one.
    pub fn own_time(&self) -> Duration {
        self.options.ack_wait / 2
    }

    pub fn tell_of_brokers(&self, error: &async_nats::Error) {
        (self.tell)(Event::Brokers {
            error: error.to_string(),
        });
    }
}

pub fn sequences_of(messages: &[Delivered]) -> impl Iterator<Item = u64> {
    messages.iter().map(|message| message.sequence)
}
