//! Which transactions are committed together, and by which thread.
//!
//! There is no timer. A thread that commits and finds a lane free leads everything that waits through it: it syncs the
//! data, publishes the files and syncs the directory once. A thread that finds every lane taken waits until a leader
//! has its result, or until it is woken to lead itself. So a single file never waits for company, and the busier the
//! disk, the larger the groups.
//!
//! ```text
//! commits   A     B  C D     E   F G
//!           |     |  | |     |   | |
//! lane 1    [A ------------------][C D E F ------][...    when A is done, C is woken to lead
//! lane 2          [B -----------------][G -------------   when B is done, G is
//!           ------------------------------------------> time
//! ```
//!
//! Commits without a waiting thread (c, d, e) are led by a commit thread; there is one for each lane. Every leader
//! takes along both kinds.
//!
//! ```text
//! commits   A     c  d B  e   F
//! lane 1    [A ----------][e F ---------      F may lead, or the thread of lane 1: whoever is there first
//! lane 2          [c ----------][d B ---      c wakes a commit thread
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::PickupError;
use super::file_set::FileSet;

/// While one group waits for the disk, the next can prepare its own sync. A third lane gained nothing.
pub(super) const LANES: usize = 2;

/// Limits how long a group keeps its threads waiting.
const MAX_FILES_IN_GROUP: usize = 1_024;

/// The requests to one pickup directory.
#[derive(Debug, Default)]
pub(super) struct CommitQueue {
    state: Mutex<State>,
    /// Wakes commit threads.
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// While a lane is free, only requests for which a commit thread was woken.
    waiting: VecDeque<Request>,
    lanes_taken: usize,
    threads: CommitThreads,
}

/// Threads that only lead.
#[derive(Debug, Default)]
struct CommitThreads {
    count: usize,
    /// How many sleep, and how many of these have been woken and are on their way.
    asleep: usize,
    woken: usize,
    /// Whether they end when nothing waits.
    end: bool,
}

/// What is to be committed, and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    pub file_sets: Vec<FileSet>,
    pub data: Data,
    waiter: Waiter,
}

/// Who syncs the data of a request's files.
#[derive(Debug, Clone, Copy)]
pub(super) enum Data {
    /// Its own thread has done so, and took this long if anybody asks.
    Synced(Option<Duration>),
    /// The leader of the group will.
    NotSynced,
}

#[derive(Debug)]
enum Waiter {
    Thread(Sender<Reply>),
    Nobody(Callback),
}

/// Why a waiting thread is woken.
#[derive(Debug)]
pub(super) enum Reply {
    /// A lane is free: lead a group that begins with this request, which is the thread's own.
    Lead(Request),
    Done(Vec<FileSet>),
}

/// Is called once: with `None` if the leader panicked.
struct Callback(Option<Box<dyn FnOnce(Committed) + Send>>);

/// The result of a request; unknown if the leader panicked.
type Committed = Option<Result<(), PickupError>>;

impl Request {
    /// The request, and where its thread waits for replies. The channel closes if the leader panics.
    pub(super) fn new(file_sets: Vec<FileSet>, data: Data) -> (Self, Receiver<Reply>) {
        let (reply_to, replies) = mpsc::channel();
        let request = Self {
            file_sets,
            data,
            waiter: Waiter::Thread(reply_to),
        };
        (request, replies)
    }

    /// A request for which no thread waits: `done` is called with the result, or with `None` if the leader panicked.
    pub(super) fn with_callback(
        files: FileSet,
        done: impl FnOnce(Committed) + Send + 'static,
    ) -> Self {
        Self {
            file_sets: vec![files],
            data: Data::NotSynced,
            waiter: Waiter::Nobody(Callback(Some(Box::new(done)))),
        }
    }

    fn files(&self) -> usize {
        self.file_sets.iter().map(FileSet::len).sum()
    }

    /// Replies to whoever waits, after it went through a lane.
    pub(super) fn reply(self) {
        match self.waiter {
            // Nobody to tell if the thread is gone, which a blocked thread cannot be.
            Waiter::Thread(reply_to) => drop(reply_to.send(Reply::Done(self.file_sets))),
            Waiter::Nobody(mut callback) => {
                let mut file_sets = self.file_sets.into_iter();
                callback.call(file_sets.next().map(FileSet::into_result));
            }
        }
    }
}

impl CommitQueue {
    /// Takes a lane and returns the request for its thread to lead; or keeps it waiting.
    pub(super) fn join(&self, request: Request) -> Option<Request> {
        let mut state = self.lock();
        if state.lanes_taken < LANES {
            state.lanes_taken += 1;
            return Some(request);
        }
        state.waiting.push_back(request);
        None
    }

    /// Whether [`push`](Self::push) may be called.
    pub(super) fn has_threads(&self) -> bool {
        self.lock().threads.count > 0
    }

    /// Leaves a request to the commit threads.
    pub(super) fn push(&self, request: Request) {
        let mut state = self.lock();
        state.waiting.push_back(request);
        self.wake_for_free_lane(state);
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

    /// Registers a commit thread, which has to call [`next`](Self::next).
    pub(super) fn add_thread(&self) -> bool {
        let mut state = self.lock();
        let is_needed = state.threads.count < LANES;
        state.threads.count += usize::from(is_needed);
        is_needed
    }

    /// Unregisters one.
    pub(super) fn remove_thread(&self) {
        self.lock().threads.count -= 1;
    }

    /// Lets the commit threads end when nothing waits any more.
    pub(super) fn end_threads(&self) {
        self.lock().threads.end = true;
        self.work.notify_all();
    }

    /// Takes a lane for a commit thread. Returns the request that its group begins with; `None` when the thread should
    /// end.
    pub(super) fn next(&self) -> Option<Request> {
        let mut state = self.lock();
        loop {
            if state.lanes_taken < LANES
                && let Some(first) = state.waiting.pop_front()
            {
                state.lanes_taken += 1;
                return Some(first);
            }
            if state.threads.end && state.waiting.is_empty() {
                return None;
            }
            state.threads.asleep += 1;
            let woken = self.work.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
            state.threads.asleep -= 1;
            state.threads.woken = state.threads.woken.saturating_sub(1);
        }
    }

    /// Wakes a commit thread, if one sleeps and there is something to do.
    fn wake_for_free_lane(&self, mut state: MutexGuard<'_, State>) {
        let State {
            waiting,
            lanes_taken,
            threads,
        } = &mut *state;
        if !waiting.is_empty() && *lanes_taken < LANES && threads.asleep > threads.woken {
            threads.woken += 1;
            drop(state);
            self.work.notify_one();
        } else if threads.end {
            drop(state);
            self.work.notify_all();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The queue is whole at every instant, so a panic elsewhere while it was locked does not
        // matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane that is taken. When it is dropped, even because its leader panics, it is passed on or becomes free.
pub(super) struct Lane<'a>(&'a CommitQueue);

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let has_thread = |next: &mut Request| matches!(next.waiter, Waiter::Thread(_));
        while let Some(next) = state.waiting.pop_front_if(has_thread) {
            if let Waiter::Thread(reply_to) = &next.waiter
                // A thread that is gone needs no files any more.
                && reply_to.clone().send(Reply::Lead(next)).is_ok()
            {
                return;
            }
        }
        state.lanes_taken -= 1;
        self.0.wake_for_free_lane(state);
    }
}

impl Callback {
    fn call(&mut self, result: Committed) {
        if let Some(done) = self.0.take() {
            // Its panic is the caller's, and not one of all others in the group. The panic hook tells of it.
            let _ = catch_unwind(AssertUnwindSafe(|| done(result)));
        }
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.call(None);
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::TryRecvError;
    use std::thread;

    type Called = Receiver<Committed>;

    fn request() -> (Request, Receiver<Reply>) {
        Request::new(vec![FileSet::default()], Data::Synced(None))
    }

    /// For which no thread waits.
    fn left() -> (Request, Called) {
        let (sender, called) = mpsc::channel();
        let done = move |result| sender.send(result).unwrap();
        (Request::with_callback(FileSet::default(), done), called)
    }

    fn lanes_and_waiting(queue: &CommitQueue) -> (usize, usize) {
        let state = queue.lock();
        (state.lanes_taken, state.waiting.len())
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
        let panicked = catch_unwind(AssertUnwindSafe(|| {
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
        assert_eq!(lanes_and_waiting(&queue), (0, 0));
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

    #[test]
    fn a_leader_also_takes_requests_that_nobody_waits_for() {
        let queue = CommitQueue::default();
        let [(first, first_called), (second, second_called)] = [left(), left()];
        queue.push(first);
        queue.push(second);
        let leader = queue.join(request().0).unwrap();
        let (lane, group) = queue.take_group(leader);
        drop(lane);
        assert_eq!(group.len(), 3);
        group.into_iter().for_each(Request::reply);
        for called in [first_called, second_called] {
            assert!(matches!(called.try_recv(), Ok(Some(Ok(())))));
            assert_eq!(called.try_recv().unwrap_err(), TryRecvError::Disconnected);
        }
        assert_eq!(lanes_and_waiting(&queue), (0, 0));
    }

    #[test]
    fn a_commit_thread_is_woken_for_a_lone_request_and_for_a_lane_that_becomes_free() {
        let queue = CommitQueue::default();
        let lead = || {
            while let Some(first) = queue.next() {
                let (lane, group) = queue.take_group(first);
                drop(lane);
                group.into_iter().for_each(Request::reply);
            }
        };
        thread::scope(|scope| {
            scope.spawn(lead);
            for _ in 0..100 {
                let (request, called) = left();
                queue.push(request);
                assert!(matches!(called.recv(), Ok(Some(Ok(())))));
            }
            let mut lanes: Vec<_> = (0..LANES)
                .filter_map(|_| queue.join(request().0))
                .map(|first| queue.take_group(first))
                .collect();
            let (request, called) = left();
            queue.push(request);
            assert_eq!(called.try_recv().unwrap_err(), TryRecvError::Empty);
            lanes.pop();
            assert!(matches!(called.recv(), Ok(Some(Ok(())))));
            drop(lanes);
            queue.end_threads();
        });
        assert_eq!(lanes_and_waiting(&queue), (0, 0));
    }

    #[test]
    fn commit_threads_end_when_nothing_waits_any_more() {
        let queue = CommitQueue::default();
        let lanes: Vec<_> = (0..LANES)
            .filter_map(|_| queue.join(request().0))
            .map(|first| queue.take_group(first))
            .collect();
        let (waiting, called) = left();
        queue.push(waiting);
        thread::scope(|scope| {
            for _ in 0..LANES {
                scope.spawn(|| {
                    while let Some(first) = queue.next() {
                        let (_lane, group) = queue.take_group(first);
                        group.into_iter().for_each(Request::reply);
                    }
                });
            }
            queue.end_threads();
            drop(lanes);
        });
        assert!(matches!(called.try_recv(), Ok(Some(Ok(())))));
    }

    #[test]
    fn callbacks_are_called_when_their_leader_panics_even_if_one_of_them_panics() {
        let queue = CommitQueue::default();
        let (request, called) = left();
        let panics = |_| std::panic::resume_unwind(Box::new(()));
        queue.push(Request::with_callback(FileSet::default(), panics));
        queue.push(request);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let first = queue.next().unwrap();
            let _group = queue.take_group(first);
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!(matches!(called.try_recv(), Ok(None)));
        assert_eq!(lanes_and_waiting(&queue), (0, 0));
    }
}
