//! Who submits messages.

use super::receipt::Receipt;
use crate::address::SenderDomains;
#[cfg(feature = "idempotency")]
use crate::idempotency::IdempotencyKey;
use crate::pickup_directory::PickupError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who submits messages, and what they are allowed to. The default is nobody in particular, with no restrictions.
///
/// ```
/// use pmtaemail::{BatchFormat, BatchReader, PickupDirectory, PickupOptions, SenderDomains, Submitter};
///
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
///
/// ```
/// use pmtaemail::{OverQuota, Quota, Submitter};
/// use std::sync::{Arc, Mutex};
/// use std::time::Duration;
///
/// /// So many recipients, once.
/// #[derive(Debug)]
/// struct Budget(Mutex<u64>);
///
/// impl Quota for Budget {
///     fn count_message(&self) -> Result<(), OverQuota> {
///         Ok(())
///     }
///
///     fn take_recipients(&self, count: u64) -> Result<u64, OverQuota> {
///         let mut left = self.0.lock().unwrap();
///         *left = left.checked_sub(count).ok_or(OverQuota::of_recipients(Duration::from_hours(24)))?;
///         Ok(0)
///     }
///
///     fn give_back_recipients(&self, count: u64, _: u64) {
///         *self.0.lock().unwrap() += count;
///     }
/// }
///
/// let shop = Submitter::named("shop").with_quota(Arc::new(Budget(Mutex::new(100))));
/// shop.reserve(70)?.keep();
/// let error = shop.reserve(70).unwrap_err();
/// assert!(error.is_of_recipients);
/// # Ok::<(), OverQuota>(())
/// ```
pub trait Quota: fmt::Debug + Send + Sync {
    /// Counts one message of a batch, whatever becomes of it.
    fn count_message(&self) -> Result<(), OverQuota>;

    /// Counts the recipients of a message that is about to be submitted: all of them, or none. Returns the period to
    /// which they are charged.
    fn take_recipients(&self, count: u64) -> Result<u64, OverQuota>;

    /// Reverses `take_recipients` for a message that was not submitted; `period` is what that returned.
    fn give_back_recipients(&self, count: u64, period: u64);
}

/// A submitter exceeds a limit.
///
/// ```
/// use pmtaemail::OverQuota;
/// use std::time::Duration;
///
/// let over = OverQuota::of_messages(Duration::from_secs(30)).with_limit(1_000);
/// assert!(!over.is_of_recipients);
/// assert_eq!((over.limit, over.retry_after.as_secs()), (Some(1_000), 30));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the submitter is over a limit: try again later")]
#[non_exhaustive]
pub struct OverQuota {
    /// Whether it is the limit on recipients rather than on messages.
    pub is_of_recipients: bool,
    /// How long to wait before trying again.
    pub retry_after: Duration,
    /// The limit per period, if it is known.
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

    /// Sets the limit per period.
    #[must_use]
    pub fn with_limit(self, limit: u64) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }
}

impl Submitter {
    /// A submitter with this name. Their idempotency keys are separate from those of others.
    pub fn named(name: &str) -> Self {
        Self::default().with(|inner| inner.name = Some(name.into()))
    }

    /// Restricts them to these sender domains.
    #[must_use]
    pub fn with_senders(self, senders: SenderDomains) -> Self {
        self.with(|inner| inner.senders = senders)
    }

    /// Restricts them to this quota.
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
    ///
    /// ```
    /// use pmtaemail::{Message, Submitter};
    ///
    /// let shop = Submitter::named("shop");
    /// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
    /// assert!(Message::from_form_within(json, &[], shop.senders()).is_ok());
    /// ```
    pub fn senders(&self) -> &SenderDomains {
        static ALL: SenderDomains = SenderDomains::ALL;

        self.0.as_deref().map_or(&ALL, |inner| &inner.senders)
    }

    fn quota(&self) -> Option<&Arc<dyn Quota>> {
        self.0.as_deref()?.quota.as_ref()
    }

    /// Their own key with this name.
    ///
    /// ```
    /// use pmtaemail::{IdempotencyKey, Submitter};
    ///
    /// let key: IdempotencyKey = "order-4711".parse()?;
    /// let (shop, blog) = (Submitter::named("shop"), Submitter::named("blog"));
    /// assert_ne!(shop.idempotency_key(key), blog.idempotency_key(key));
    /// # Ok::<(), pmtaemail::InvalidIdempotencyKey>(())
    /// ```
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

    /// Counts recipients, including seeds, who are about to get a message. See [`Quota`] for an example.
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

    /// Counts all who get a message.
    pub(super) fn reserve_for(&self, receipt: &Receipt) -> Result<Reservation, OverQuota> {
        self.reserve(receipt.recipients + receipt.seeds.unwrap_or(0))
    }
}

/// Recipients charged to a [`Submitter`]. Dropping it gives them back.
///
/// ```
/// use pmtaemail::{Message, PickupDirectory, PickupOptions, Reservation, Submitter};
///
/// # let temporary = tempfile::tempdir()?;
/// let directory = PickupDirectory::open(temporary.path(), PickupOptions::default())?;
/// let shop = Submitter::named("shop");
/// let message = Message::builder().from("shop@example.com").to("ann@example.org").text("Hello").build()?;
/// let reserved: Reservation = shop.reserve(message.addressee_count())?;
/// let result = directory.submit_message(&message);
/// reserved.settle(&result);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
    /// They got the message.
    pub fn keep(mut self) {
        self.0 = None;
    }

    /// They got the message if it was submitted, or may have got it despite an error.
    pub fn settle<T>(self, result: &Result<T, PickupError>) {
        match result {
            Err(error) if !error.may_be_delivered() => drop(self),
            _ => self.keep(),
        }
    }

    /// Merges another one of the same submitter.
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
