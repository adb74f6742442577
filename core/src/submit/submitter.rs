//! On whose behalf messages are submitted.

use super::receipt::Receipt;
use crate::address::SenderDomains;
#[cfg(feature = "idempotency")]
use crate::idempotency::IdempotencyKey;
use crate::pickup_directory::PickupError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// On whose behalf messages are submitted, and what they may. By default nobody's, and everything.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader, PickupDirectory, PickupOptions, SenderDomains, Submitter};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let domains: SenderDomains = ["example.com".parse().unwrap()].into_iter().collect();
/// let shop = Submitter::named("shop").with_senders(domains);
/// let mut reader = BatchReader::new(BatchFormat::Lines, 32 << 20);
/// reader.feed(b"{\"from\": \"a@example.com\", \"to\": \"b@example.org\"}\n");
/// reader.feed(b"{\"from\": \"a@example.org\", \"to\": \"b@example.org\"}\n");
/// let results = directory.submit_batch_for(&shop, reader.take());
/// assert!(results[0].1.is_ok() && results[1].1.is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Submitter(Option<Arc<Inner>>);

#[derive(Debug, Clone, Default)]
struct Inner {
    name: Option<Box<str>>,
    senders: SenderDomains,
    quota: Option<Arc<dyn Quota>>,
}

/// How many messages and recipients a [`Submitter`] may have.
pub trait Quota: fmt::Debug + Send + Sync {
    /// Counts one message of a batch, whatever becomes of it.
    fn count_message(&self) -> Result<(), OverQuota>;

    /// Counts so many recipients of one message that is about to be handed over: all of them, or none. Gives
    /// the period in which they count.
    fn take_recipients(&self, count: u64) -> Result<u64, OverQuota>;

    /// So many recipients were taken in a period, and get nothing.
    fn give_back_recipients(&self, count: u64, period: u64);
}

/// A submitter has used up what they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the submitter is over a limit: try again later")]
#[non_exhaustive]
pub struct OverQuota {
    /// Whether it is the limit on recipients, and not that on messages.
    pub is_of_recipients: bool,
    /// After this time it may be tried again.
    pub retry_after: Duration,
    /// How many there may be in a period, where that is told.
    pub limit: Option<u64>,
}

impl OverQuota {
    /// Too many messages.
    pub fn of_messages(retry_after: Duration) -> Self {
        Self {
            is_of_recipients: false,
            retry_after,
            limit: None,
        }
    }

    /// Too many recipients.
    pub fn of_recipients(retry_after: Duration) -> Self {
        Self {
            is_of_recipients: true,
            retry_after,
            limit: None,
        }
    }

    /// Tells how many there may be in a period.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }
}

impl Submitter {
    /// Somebody with this name. Their idempotency keys are their own: what others submit under equal ones is
    /// something else.
    pub fn named(name: &str) -> Self {
        Self::default().with(|inner| inner.name = Some(name.into()))
    }

    /// Lets them send from these domains alone.
    #[must_use]
    pub fn with_senders(self, senders: SenderDomains) -> Self {
        self.with(|inner| inner.senders = senders)
    }

    /// Lets them have so much alone.
    #[must_use]
    pub fn with_quota(self, quota: Arc<dyn Quota>) -> Self {
        self.with(|inner| inner.quota = Some(quota))
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = self.0.unwrap_or_default();
        change(Arc::make_mut(&mut inner));
        Self(Some(inner))
    }

    /// The domains that they may send from.
    pub fn senders(&self) -> &SenderDomains {
        static ALL: SenderDomains = SenderDomains::ALL;

        self.0.as_deref().map_or(&ALL, |inner| &inner.senders)
    }

    fn quota(&self) -> Option<&Arc<dyn Quota>> {
        self.0.as_deref()?.quota.as_ref()
    }

    /// Their own key of this name.
    #[cfg(feature = "idempotency")]
    pub fn idempotency_key(&self, key: IdempotencyKey) -> IdempotencyKey {
        match self.0.as_deref().and_then(|inner| inner.name.as_deref()) {
            Some(name) => key.within(name),
            None => key,
        }
    }

    /// Counts one message of a batch.
    pub(super) fn count_message(&self) -> Result<(), OverQuota> {
        self.quota().map_or(Ok(()), |quota| quota.count_message())
    }

    /// Counts recipients who are about to get a message. Seeds are some.
    pub fn reserve(&self, recipients: usize) -> Result<Reservation, OverQuota> {
        let Some(quota) = self.quota() else {
            return Ok(Reservation::default());
        };
        let count = recipients as u64;
        let period = quota.take_recipients(count)?;
        Ok(Reservation(Some(Reserved {
            quota: Arc::clone(quota),
            count,
            period,
        })))
    }

    /// The same for all who get a message.
    pub(super) fn reserve_for(&self, receipt: &Receipt) -> Result<Reservation, OverQuota> {
        self.reserve(receipt.recipients + receipt.seeds.unwrap_or(0))
    }
}

/// Recipients who count for a [`Submitter`]. Dropped, they count no more.
#[derive(Debug, Default)]
#[must_use = "the recipients do not count when it is dropped"]
pub struct Reservation(Option<Reserved>);

#[derive(Debug)]
struct Reserved {
    quota: Arc<dyn Quota>,
    count: u64,
    period: u64,
}

impl Reservation {
    /// They get the message.
    pub fn keep(mut self) {
        self.0 = None;
    }

    /// They get it if it was handed over, or may be in spite of an error.
    pub fn settle<T>(self, result: &Result<T, PickupError>) {
        match result {
            Err(error) if !error.may_be_delivered() => drop(self),
            _ => self.keep(),
        }
    }

    /// Takes those of another one of the same submitter.
    pub(super) fn add(&mut self, mut other: Self) {
        match (&mut self.0, other.0.take()) {
            (Some(own), Some(more)) => own.count += more.count,
            (own, more) => *own = own.take().or(more),
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(Reserved {
            quota,
            count,
            period,
        }) = self.0.take()
        {
            quota.give_back_recipients(count, period);
        }
    }
}
