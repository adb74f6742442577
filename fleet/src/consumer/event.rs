//! What a consumer tells whoever started it.

/// What a consumer tells.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// What was on its way when this host died.
    Recovered {
        /// Messages that had been submitted, and are acknowledged now.
        acknowledged: usize,
        /// Messages that had not, and are given back.
        given_back: usize,
    },
    /// Messages are in the pickup directory.
    HandedOver {
        /// How many.
        messages: usize,
        /// How many of them had been delivered before, to a host that did not acknowledge them in time: most that may
        /// be there twice.
        redelivered: usize,
    },
    /// Messages are confirmed to be acknowledged.
    Acknowledged {
        /// How many.
        messages: usize,
    },
    /// A message cannot be submitted by anybody, and is a dead letter now.
    Dead {
        /// Its number in the stream.
        sequence: u64,
        /// Why, as a frozen word.
        code: &'static str,
    },
    /// Messages were held for too long, and are given back.
    Late {
        /// How many.
        messages: usize,
    },
    /// Messages were not submitted, and are given back.
    Failed {
        /// How many.
        messages: usize,
        /// Why.
        error: String,
    },
    /// The brokers do not do what is asked for. It is tried again.
    Brokers {
        /// What they, or the client, say.
        error: String,
    },
}
