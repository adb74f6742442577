//! Which transactions are committed together, and by which thread.
//!
//! There is no thread of its own and no timer. A thread that commits and finds a lane free leads
//! everything that waits through it: data synced, files published, directory synced once. A thread
//! that finds every lane taken waits until a leader has its result, or passes the lane on to it. So
//! a lone file never waits for company, and the busier the disk, the larger the groups.
//!
//! ```text
//! commits   A     B  C D     E   F G
//!           |     |  | |     |   | |
//! lane 1    [A ------------------][C D E F ------][...    when A is done, C is woken to lead
//! lane 2          [B -----------------][G -------------   when B is done, G is
//!           ------------------------------------------> time
//! ```

use std::collections::VecDeque;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::file_set::FileSet;

/// While one group is waiting for the disk, the next one can prepare its own sync. A third was no
/// gain.
const LANES: usize = 2;

/// Bounds how long a group keeps its threads waiting.
const MAX_FILES_IN_GROUP: usize = 1_024;

/// The requests to one pickup directory.
#[derive(Debug, Default)]
pub(super) struct CommitQueue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Empty as long as a lane is free.
    waiting: VecDeque<Request>,
    lanes_taken: usize,
}

/// What one thread wants to be committed.
#[derive(Debug)]
pub(super) struct Request {
    pub file_sets: Vec<FileSet>,
    pub data: Data,
    reply_to: Sender<Reply>,
}

/// Who syncs the data of a request's files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data {
    /// Its own thread has done so, in this time if anybody asks for it.
    Synced(Option<Duration>),
    /// The leader of the group will do it.
    NotSynced,
}

/// What a waiting thread is woken for.
#[derive(Debug)]
pub(super) enum Reply {
    /// A lane is free: lead a group that begins with this request, the thread's own.
    Lead(Request),
    Done(Vec<FileSet>),
}

impl Request {
    /// The request, and where its thread waits for the replies. There is none any more when the
    /// leader has panicked.
    pub(super) fn new(file_sets: Vec<FileSet>, data: Data) -> (Self, Receiver<Reply>) {
        let (reply_to, replies) = mpsc::channel();
        let request = Self {
            file_sets,
            data,
            reply_to,
        };
        (request, replies)
    }

    fn files(&self) -> usize {
        self.file_sets.iter().map(FileSet::len).sum()
    }

    /// Wakes the thread that waits for it, when it went through a lane.
    pub(super) fn reply(self) {
        // Nobody to tell if the thread is gone, which a blocked thread cannot be.
        let _ = self.reply_to.send(Reply::Done(self.file_sets));
    }
}

impl CommitQueue {
    /// Takes a lane and gives the request back, for its thread to lead; or keeps it waiting.
    pub(super) fn join(&self, request: Request) -> Option<Request> {
        let mut state = self.lock();
        if state.lanes_taken < LANES {
            state.lanes_taken += 1;
            return Some(request);
        }
        state.waiting.push_back(request);
        None
    }

    /// The group that `first` leads through its lane.
    pub(super) fn take_group(&self, first: Request) -> (Lane<'_>, Vec<Request>) {
        let lane = Lane(self);
        let mut files = first.files();
        let mut group = vec![first];
        let mut state = self.lock();
        while let Some(request) = state
            .waiting
            .pop_front_if(|next| files + next.files() <= MAX_FILES_IN_GROUP)
        {
            files += request.files();
            group.push(request);
        }
        drop(state);
        (lane, group)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The queue is whole at every instant, so a panic elsewhere while it was locked does not
        // matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane that is taken. Dropped, also when its leader panics, it is passed on or becomes free.
pub(super) struct Lane<'a>(&'a CommitQueue);

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        while let Some(next) = state.waiting.pop_front() {
            let reply_to = next.reply_to.clone();
            // A thread that is gone needs no files any more.
            if reply_to.send(Reply::Lead(next)).is_ok() {
                return;
            }
        }
        state.lanes_taken -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> (Request, Receiver<Reply>) {
        Request::new(vec![FileSet::default()], Data::Synced(None))
    }

    #[test]
    fn a_lane_is_passed_on_also_when_its_leader_panics() {
        let queue = CommitQueue::default();
        let (requests, replies): (Vec<_>, Vec<_>) = (0..=LANES + 1).map(|_| request()).unzip();
        let leaders = requests
            .into_iter()
            .filter_map(|request| queue.join(request))
            .count();
        assert_eq!(leaders, LANES);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lane = Lane(&queue);
            let _poisoned = queue.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!(matches!(replies[LANES].try_recv(), Ok(Reply::Lead(_))));
        // Whose thread is gone is passed over, and in the end the lanes are free.
        drop(replies);
        drop(Lane(&queue));
        drop(Lane(&queue));
        let state = queue.lock();
        assert_eq!((state.lanes_taken, state.waiting.len()), (0, 0));
    }

    #[test]
    fn a_group_is_bounded_but_takes_at_least_one() {
        let queue = CommitQueue::default();
        let first = queue.join(request().0).unwrap();
        queue.lock().waiting.extend((0..3).map(|_| request().0));
        let (_lane, group) = queue.take_group(first);
        assert_eq!(group.len(), 4);
        assert!(queue.lock().waiting.is_empty());
    }
}
