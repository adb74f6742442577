//! How much is at work, and who waits until it is done.

use crate::message::Message;
use crate::submit::{BatchEntry, Submission};
use ::tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use memchr::memmem;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many files are open at a time unless something else is asked for: processes may have 1,024 by default.
const AT_ONCE: usize = 256;

/// A transaction has no more files open than this, and a stream is one.
pub(super) const OF_TRANSACTION: usize = 64;

/// As many as there may be by default, and about as many as a group of messages has open that share their syncs.
const OF_GROUP: usize = AT_ONCE;

/// The files that may be open, and what is at work on them.
#[derive(Debug, Clone)]
pub(super) struct Room {
    turns: Arc<Semaphore>,
    at_once: usize,
    at_work: Arc<AtWork>,
}

impl Room {
    pub fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            at_once: AT_ONCE,
            at_work: Arc::default(),
        }
    }

    /// So much from now on. What is at work already has turns of its own, but is waited for.
    pub fn with_most_at_once(self, most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            turns: Arc::new(Semaphore::new(most)),
            at_once: most,
            ..self
        }
    }

    /// Waits for room for so many files. What has more than there may be is at work alone.
    pub async fn take(&self, files: usize) -> Place {
        let at_work = self.at_work.begin();
        let turns = u32::try_from(files.clamp(1, self.at_once)).unwrap_or(u32::MAX);
        // It is never closed.
        let turns = Arc::clone(&self.turns).acquire_many_owned(turns).await.ok();
        Place {
            _turns: turns,
            _at_work: at_work,
        }
    }

    /// Waits until all is done that is at work now. Nothing that begins later waits for that, or is waited for.
    pub async fn settled(&self) {
        for group in self.at_work.so_far() {
            group.closed().await;
        }
    }
}

/// The place of one that is at work, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _turns: Option<OwnedSemaphorePermit>,
    _at_work: watch::Receiver<()>,
}

/// What is at work, in groups: those that began before somebody waited, and those after. Each member has a receiver of
/// its group.
#[derive(Debug, Default)]
struct AtWork(Mutex<Groups>);

#[derive(Debug, Default)]
struct Groups {
    /// To which those belong that begin.
    current: Arc<watch::Sender<()>>,
    earlier: Vec<Arc<watch::Sender<()>>>,
}

impl AtWork {
    fn begin(&self) -> watch::Receiver<()> {
        self.lock().current.subscribe()
    }

    fn so_far(&self) -> Vec<Arc<watch::Sender<()>>> {
        let mut groups = self.lock();
        let current = mem::take(&mut groups.current);
        groups.earlier.push(current);
        groups.earlier.retain(|group| !group.is_closed());
        groups.earlier.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Groups> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many files a message has open.
pub(super) fn of_message(message: &Message<'_>) -> usize {
    if message.is_merge() {
        message.addressee_count().min(OF_TRANSACTION)
    } else {
        1
    }
}

/// How many files a message in JSON has open, or more: it is not read yet.
pub(super) fn of_json(json: &[u8]) -> usize {
    // Only what has this field is a mail merge. Its name may be escaped, and then has a lower-case letter that is.
    let of_merges = [&b"\"recipients\""[..], br"\u006", br"\u007"];
    let may_be_merge = of_merges
        .iter()
        .any(|part| memmem::find(json, part).is_some());
    if may_be_merge { OF_TRANSACTION } else { 1 }
}

/// How many files what is rendered has open.
pub(super) fn of_submission(submission: &Submission) -> usize {
    submission.files().len().min(OF_TRANSACTION)
}

/// How many files many submissions have open.
pub(super) fn of_submissions(submissions: &[Submission]) -> usize {
    let files = submissions.iter().map(of_submission);
    files.sum::<usize>().min(OF_GROUP)
}

/// How many files the messages of a batch have open, or more.
pub(super) fn of_entries(entries: &[BatchEntry]) -> usize {
    let files = entries.iter().map(|entry| entry.json().map_or(1, of_json));
    // Those of a large batch are one group.
    files.sum::<usize>().min(entries.len().max(OF_GROUP))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// What comes of it without waiting.
    fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(future).poll(&mut context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }

    #[test]
    fn all_that_began_before_is_waited_for_and_nothing_else() {
        let before = Room::new();
        let room = before.clone().with_most_at_once(usize::MAX);
        assert!(at_once(room.settled()).is_some());
        let first = at_once(before.take(1)).unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let mut settled = pin!(room.settled());
        assert!(settled.as_mut().poll(&mut context).is_pending());
        let second = at_once(room.take(1)).expect("nothing is held up");
        let mut again = pin!(before.settled());
        assert!(again.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(settled.as_mut().poll(&mut context).is_ready());
        assert!(again.as_mut().poll(&mut context).is_pending());
        drop(second);
        assert!(again.as_mut().poll(&mut context).is_ready());
        assert!(room.at_work.so_far().is_empty());
    }

    #[test]
    fn a_mail_merge_takes_the_room_of_many_files() {
        let room = Room::new();
        let merges: Vec<_> = (0..4).map(|_| at_once(room.take(OF_TRANSACTION))).collect();
        assert!(merges.iter().all(Option::is_some));
        assert!(at_once(room.take(1)).is_none());
        drop(merges);
        let small = room.with_most_at_once(10);
        let all = at_once(small.take(OF_TRANSACTION));
        assert!(all.is_some() && at_once(small.take(1)).is_none());
    }

    #[test]
    fn a_possible_mail_merge_is_recognized_before_parsing() {
        let merges = [
            r#"{"recipients": ["a@example.com"]}"#,
            r#"{"\u0072ecipients": ["a@example.com"]}"#,
            r#"{"recipien\u0074s": ["a@example.com"]}"#,
        ];
        for json in merges {
            assert!(of_json(json.as_bytes()) == OF_TRANSACTION, "{json}");
        }
        let others = [
            r#"{"to": "a@example.com", "text": "Dear recipients"}"#,
            r#"{"to": "a@example.com", "text": "Gr\u00fc\u00dfe"}"#,
        ];
        for json in others {
            assert_eq!(of_json(json.as_bytes()), 1, "{json}");
        }
    }
}
