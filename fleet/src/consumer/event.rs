//! What a consumer reports to its caller.

/// What a consumer reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Batches of the journal that were unfinished when this host died.
    Recovered {
        /// Messages that had been submitted and are now acknowledged.
        acknowledged: usize,
        /// Messages that had not been submitted and are given back.
        given_back: usize,
    },
    /// Messages are in the pickup directory.
    HandedOver {
        /// How many.
        messages: usize,
        /// How many of them had been delivered before, to a host that did not acknowledge them in time. At most these
        /// may be submitted twice.
        redelivered: usize,
    },
    /// Messages are confirmed to be acknowledged.
    Acknowledged {
        /// How many.
        messages: usize,
    },
    /// A message that nobody can submit became a dead letter.
    Dead {
        /// Its number in the stream.
        sequence: u64,
        /// Why, as a word that never changes.
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
    /// A request to the brokers failed and is retried.
    Brokers {
        /// The error of the brokers or of the client.
        error: String,
    },
}
