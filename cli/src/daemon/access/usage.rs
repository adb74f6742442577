//! How much each key has used. It is only in memory: a restarted daemon counts from zero.

use crate::access::{AccessKey, Rate, now};
use pmtaemail::{OverQuota, Quota};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const DAY: u64 = 24 * 60 * 60;

/// What a key has used.
#[derive(Debug, Default)]
pub struct Usage(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    /// When the full rate will be available again.
    whole_at: Option<Instant>,
    /// Counted from 1970, in UTC.
    day: u64,
    recipients: u64,
}

impl Usage {
    /// Counts a message.
    pub fn count_message(&self, rate: Option<Rate>) -> Result<(), OverQuota> {
        match rate {
            Some(rate) => self.count_message_at(rate, Instant::now()),
            None => Ok(()),
        }
    }

    /// Each message takes its share of the period; as many fit as the rate allows (the generic cell rate algorithm).
    fn count_message_at(&self, rate: Rate, now: Instant) -> Result<(), OverQuota> {
        let one = rate.period() / rate.burst();
        let mut used = self.lock();
        // The rate may have changed meanwhile.
        let waits = used.whole_at.map_or(Duration::ZERO, |whole_at| {
            whole_at.saturating_duration_since(now).min(rate.period())
        });
        let room = rate.period().saturating_sub(one);
        if waits > room {
            let over = OverQuota::of_messages(waits.saturating_sub(room));
            return Err(over.with_limit(rate.burst().into()));
        }
        used.whole_at = Some(now + waits + one);
        Ok(())
    }

    /// Counts recipients of a day, by the number of seconds since 1970.
    fn take_recipients_at(&self, count: u64, limit: u64, now: u64) -> Result<u64, OverQuota> {
        let mut used = self.lock();
        let day = now / DAY;
        if day > used.day {
            used.day = day;
            used.recipients = 0;
        }
        let sum = used.recipients.saturating_add(count);
        if sum > limit {
            let over = OverQuota::of_recipients(Duration::from_secs(DAY - now % DAY));
            return Err(over.with_limit(limit));
        }
        used.recipients = sum;
        Ok(used.day)
    }

    fn give_back_recipients(&self, count: u64, day: u64) {
        let mut used = self.lock();
        if used.day == day {
            used.recipients = used.recipients.saturating_sub(count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        // Consistent at every instant, so a panic while it was locked does not matter.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a key may use.
#[derive(Debug)]
pub struct KeyQuota {
    usage: Arc<Usage>,
    rate: Option<Rate>,
    recipients_per_day: Option<u64>,
    /// Whether one message was counted before.
    is_one_counted: AtomicBool,
}

impl KeyQuota {
    pub fn new(key: &AccessKey, usage: Arc<Usage>, is_one_counted: bool) -> Self {
        Self {
            usage,
            rate: key.rate,
            recipients_per_day: key.recipients_per_day,
            is_one_counted: AtomicBool::new(is_one_counted),
        }
    }
}

impl Quota for KeyQuota {
    fn count_message(&self) -> Result<(), OverQuota> {
        if self.is_one_counted.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        self.usage.count_message(self.rate)
    }

    fn take_recipients(&self, count: u64) -> Result<u64, OverQuota> {
        let now = u64::try_from(now().as_second()).unwrap_or(0);
        let limit = self.recipients_per_day.unwrap_or(u64::MAX);
        self.usage.take_recipients_at(count, limit, now)
    }

    fn give_back_recipients(&self, count: u64, period: u64) {
        self.usage.give_back_recipients(count, period);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_evenly() {
        let usage = Usage::default();
        let rate: Rate = "10/s".parse().unwrap();
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        for _ in 0..10 {
            usage.count_message_at(rate, start).unwrap();
        }
        let over = usage.count_message_at(rate, start).unwrap_err();
        let expected = OverQuota::of_messages(Duration::from_millis(100)).with_limit(10);
        assert_eq!(over, expected);
        assert!(usage.count_message_at(rate, after(99)).is_err());
        usage.count_message_at(rate, after(100)).unwrap();
        assert!(usage.count_message_at(rate, after(100)).is_err());
        for _ in 0..10 {
            usage.count_message_at(rate, after(5_000)).unwrap();
        }
        assert!(usage.count_message_at(rate, after(5_000)).is_err());
        // As if a reload had raised the rate.
        usage
            .count_message_at("1000/s".parse().unwrap(), after(5_100))
            .unwrap();
        assert!(usage.count_message(None).is_ok());
    }

    #[test]
    fn recipients_count_for_their_day() {
        let usage = Usage::default();
        let noon = 20_000 * DAY + DAY / 2;
        assert_eq!(usage.take_recipients_at(9, 10, noon), Ok(20_000));
        let over = usage.take_recipients_at(2, 10, noon).unwrap_err();
        let expected = OverQuota::of_recipients(Duration::from_secs(DAY / 2)).with_limit(10);
        assert_eq!(over, expected);
        assert!(usage.take_recipients_at(1, 10, noon).is_ok());
        usage.give_back_recipients(5, 20_000);
        assert!(usage.take_recipients_at(6, 10, noon).is_err());
        assert_eq!(usage.take_recipients_at(10, 10, noon + DAY), Ok(20_001));
        // Too late.
        usage.give_back_recipients(5, 20_000);
        assert!(usage.take_recipients_at(1, 10, noon + DAY).is_err());
        assert!(usage.take_recipients_at(u64::MAX, 10, noon + DAY).is_err());
    }
}
