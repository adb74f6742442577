//! Group commit: transactions that are committed at the same time share their syncs.
//!
//! There is no thread of its own and no timer. A thread that commits and finds a lane free leads
//! everything that waits through it: data synced, files published, directory synced once. A thread
//! that finds every lane taken waits until a leader has its result, or passes the lane on to it. So
//! a lone file never waits for company, and the busier the disk, the larger the groups.
//!
//! ```text
//! commits   A     B  C D     E   F G
//!           |     |  | |     |   | |
//! lane 1    [A ---------][C D E -------][...      C is woken to lead C, D and E
//! lane 2          [B ------------][F G -------]   A leads A alone, B leads B alone
//!           ------------------------------------> time
//! ```

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::{Operation, PickupError};
use super::file_set::{CommittedFiles, FileSet};
use super::observer::{CommitReport, Observer};
use super::options::PickupOptions;
use super::system::{self, OpenDirectory};
use super::written_file::{WrittenFile, sync_each};

/// While one group is waiting for the disk, the next one can prepare its own sync. A third was no
/// gain.
const LANES: usize = 2;

/// Bounds how long a group keeps its threads waiting.
const MAX_FILES_IN_GROUP: usize = 1_024;

/// Up to here it is quicker that each thread syncs its own files; above, that the leader syncs the
/// whole file system.
const MAX_FILES_SYNCED_ONE_BY_ONE: usize = 16;

/// Commits the transactions of one pickup directory.
#[derive(Debug)]
pub(super) struct GroupCommit {
    queue: Mutex<Queue>,
    /// Files whose data is being committed in any way.
    files_in_flight: AtomicUsize,
    durable: bool,
    syncfs_allowed: bool,
    /// Whether it is used; follows the file system that the path leads to.
    syncfs: AtomicBool,
    observer: Option<Arc<dyn Observer>>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Empty as long as a lane is free.
    waiting: VecDeque<Request>,
    lanes_taken: usize,
}

/// What one thread wants to be committed.
#[derive(Debug)]
struct Request {
    file_sets: Vec<FileSet>,
    data: Data,
    reply_to: Sender<Reply>,
}

/// Who syncs the data of a request's files.
#[derive(Debug, Clone, Copy)]
enum Data {
    /// Its own thread has done so, in this time if anybody asks for it.
    Synced(Option<Duration>),
    /// The leader of the group will do it.
    NotSynced,
}

/// What a waiting thread is woken for.
#[derive(Debug)]
enum Reply {
    /// A lane is free: lead a group that begins with this request, the thread's own.
    Lead(Request),
    Done(Vec<CommittedFiles>),
}

/// A request that went through a lane.
struct Committed {
    file_sets: Vec<CommittedFiles>,
    reply_to: Sender<Reply>,
}

impl Request {
    fn files(&self) -> usize {
        self.file_sets.iter().map(FileSet::len).sum()
    }

    fn publish(self, directory: &OpenDirectory, pickup: &Path) -> Committed {
        self.commit(|files| files.publish(directory, pickup))
    }

    fn fail(self, error: &PickupError) -> Committed {
        self.commit(|files| files.fail(error.clone()))
    }

    fn commit(self, commit: impl FnMut(FileSet) -> CommittedFiles) -> Committed {
        Committed {
            file_sets: self.file_sets.into_iter().map(commit).collect(),
            reply_to: self.reply_to,
        }
    }
}

impl GroupCommit {
    pub(super) fn new(options: PickupOptions) -> Self {
        Self {
            queue: Mutex::default(),
            files_in_flight: AtomicUsize::new(0),
            durable: options.is_durable(),
            syncfs_allowed: options.syncfs() && system::syncfs_reports_errors(),
            syncfs: AtomicBool::new(false),
            observer: options.into_observer(),
        }
    }

    /// Makes each set of files visible and, if that is wanted, durable. They come back in the same
    /// order.
    ///
    /// # Errors
    /// The error of every set.
    pub(super) fn commit(
        &self,
        pickup: &Path,
        file_sets: Vec<FileSet>,
    ) -> Result<Vec<CommittedFiles>, PickupError> {
        let transactions = file_sets.len();
        if self.durable {
            self.commit_durably(pickup, file_sets)
        } else {
            self.commit_without_sync(pickup, file_sets)
        }
        .inspect_err(|error| {
            self.observe(|| CommitReport {
                transactions,
                errors: vec![error.clone(); transactions],
                ..CommitReport::default()
            });
        })
    }

    fn commit_without_sync(
        &self,
        pickup: &Path,
        file_sets: Vec<FileSet>,
    ) -> Result<Vec<CommittedFiles>, PickupError> {
        let directory = open_directory(pickup)?;
        let committed: Vec<_> = file_sets
            .into_iter()
            .map(|files| files.publish(&directory, pickup))
            .collect();
        self.observe(|| SyncTimes::default().report(&committed));
        Ok(committed)
    }

    fn commit_durably(
        &self,
        pickup: &Path,
        file_sets: Vec<FileSet>,
    ) -> Result<Vec<CommittedFiles>, PickupError> {
        let files: Vec<_> = file_sets.iter().flat_map(FileSet::open).collect();
        let in_flight = InFlight::enter(&self.files_in_flight, files.len());
        let sync_here =
            in_flight.all <= MAX_FILES_SYNCED_ONE_BY_ONE || !self.syncfs.load(Ordering::Relaxed);
        let data = if sync_here {
            let mut time = None;
            self.timed(&mut time, || sync_each(&files, pickup))?;
            Data::Synced(time)
        } else {
            Data::NotSynced
        };
        let (reply_to, replies) = mpsc::channel();
        if let Some(request) = self.join(Request {
            file_sets,
            data,
            reply_to,
        }) {
            self.lead(pickup, request);
        }
        loop {
            match replies.recv() {
                Ok(Reply::Lead(request)) => self.lead(pickup, request),
                Ok(Reply::Done(committed)) => return Ok(committed),
                // Only if the leader panicked. A wrong result would be worse, and waiting for ever
                // too.
                Err(_) => {
                    let error = io::Error::other("the thread that led the group ended early");
                    return Err(PickupError::from_io(Operation::PublishFile, pickup)(error)
                        .after_publishing());
                }
            }
        }
    }

    /// Takes a lane and gives the request back, or puts it into the queue.
    fn join(&self, request: Request) -> Option<Request> {
        let mut queue = self.lock();
        if queue.lanes_taken < LANES {
            queue.lanes_taken += 1;
            return Some(request);
        }
        queue.waiting.push_back(request);
        None
    }

    /// Takes a group through a lane.
    fn lead(&self, pickup: &Path, first: Request) {
        let lane = Lane(self);
        let group = self.take_group(first);
        let mut times = SyncTimes::default();
        let committed = self.commit_group(pickup, group, &mut times);
        // The next group starts before the threads of this one are woken.
        drop(lane);
        let report = self.observer.as_ref().map(|observer| {
            let file_sets = committed.iter().flat_map(|request| &request.file_sets);
            (observer, times.report(file_sets))
        });
        for Committed {
            file_sets,
            reply_to,
        } in committed
        {
            // Nobody to tell if the thread is gone, which a blocked thread cannot be.
            let _ = reply_to.send(Reply::Done(file_sets));
        }
        if let Some((observer, report)) = report {
            observer.committed(&report);
        }
    }

    fn take_group(&self, first: Request) -> Vec<Request> {
        let mut files = first.files();
        let mut group = vec![first];
        let mut queue = self.lock();
        while let Some(request) = queue
            .waiting
            .pop_front_if(|next| files + next.files() <= MAX_FILES_IN_GROUP)
        {
            files += request.files();
            group.push(request);
        }
        group
    }

    /// Each set of files succeeds or fails by itself, but a failed sync fails them all.
    fn commit_group(
        &self,
        pickup: &Path,
        group: Vec<Request>,
        times: &mut SyncTimes,
    ) -> Vec<Committed> {
        let directory = match self.sync_data(pickup, &group, times) {
            Ok(directory) => directory,
            Err(error) => return group.into_iter().map(|each| each.fail(&error)).collect(),
        };
        let mut committed: Vec<_> = group
            .into_iter()
            .map(|request| request.publish(&directory, pickup))
            .collect();
        let mut file_sets = committed.iter().flat_map(|request| &request.file_sets);
        if file_sets.any(|files| files.result().is_ok())
            && let Err(error) = self.timed(&mut times.directory, || directory.sync())
        {
            // A power cut may bring back what is taken away now, since that is not synced either.
            let error =
                PickupError::from_io(Operation::SyncDirectory, pickup)(error).after_publishing();
            committed
                .iter_mut()
                .flat_map(|request| &mut request.file_sets)
                .for_each(|files| files.take_back(&directory, &error));
        }
        committed
    }

    /// Syncs the data of the requests whose threads have not done so. Gives the directory into which
    /// the files go.
    fn sync_data(
        &self,
        pickup: &Path,
        group: &[Request],
        times: &mut SyncTimes,
    ) -> Result<OpenDirectory, PickupError> {
        let directory = open_directory(pickup)?;
        let syncfs = self.syncfs_allowed && directory.suits_syncfs();
        self.syncfs.store(syncfs, Ordering::Relaxed);
        let mut files: Vec<&WrittenFile> = Vec::new();
        for request in group {
            match request.data {
                Data::Synced(time) => times.data = times.data.max(time),
                Data::NotSynced => files.extend(request.file_sets.iter().flat_map(FileSet::open)),
            }
        }
        // Errors are reported for the time since a file was opened: so by way of the file that was
        // open before any was written.
        let Some(oldest) = files.iter().min_by_key(|file| file.opened()) else {
            return Ok(directory);
        };
        self.timed(&mut times.data, || {
            if syncfs && on_one_file_system(&files) {
                system::sync_file_system(oldest.file())
                    .map_err(PickupError::from_io(Operation::SyncFileSystem, pickup))
            } else {
                sync_each(&files, pickup)
            }
        })?;
        Ok(directory)
    }

    /// Puts the time that the work takes into `longest`, if it is longer and somebody watches.
    fn timed<T>(&self, longest: &mut Option<Duration>, work: impl FnOnce() -> T) -> T {
        let start = self.observer.as_ref().map(|_| Instant::now());
        let result = work();
        *longest = start.map(|start| start.elapsed()).max(*longest);
        result
    }

    fn observe(&self, report: impl FnOnce() -> CommitReport) {
        if let Some(observer) = &self.observer {
            observer.committed(&report());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole at every instant, so a panic elsewhere while it was locked does not
        // matter.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open_directory(pickup: &Path) -> Result<OpenDirectory, PickupError> {
    OpenDirectory::open(pickup).map_err(PickupError::from_io(Operation::OpenDirectory, pickup))
}

/// How long the syncs of one commit took.
#[derive(Debug, Default)]
struct SyncTimes {
    data: Option<Duration>,
    directory: Option<Duration>,
}

impl SyncTimes {
    fn report<'a>(self, file_sets: impl IntoIterator<Item = &'a CommittedFiles>) -> CommitReport {
        let mut report = CommitReport {
            data_sync: self.data,
            directory_sync: self.directory,
            ..CommitReport::default()
        };
        for files in file_sets {
            report.transactions += 1;
            match files.result() {
                Ok(()) => {
                    report.files += files.len();
                    report.bytes += files.size();
                }
                Err(error) => report.errors.push(error.clone()),
            }
        }
        report
    }
}

/// They are not, if the pickup directory was moved and made again elsewhere in between. Where a device
/// cannot be known, each file is synced by itself, which is right everywhere.
fn on_one_file_system(files: &[&WrittenFile]) -> bool {
    let mut devices = files.iter().map(|file| system::device(file.file()).ok());
    let Some(Some(first)) = devices.next() else {
        return false;
    };
    devices.all(|device| device == Some(first))
}

/// A lane that is taken. Dropped, also when its leader panics, it is passed on or becomes free.
struct Lane<'a>(&'a GroupCommit);

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        while let Some(next) = queue.waiting.pop_front() {
            let reply_to = next.reply_to.clone();
            // A thread that is gone needs no files any more.
            if reply_to.send(Reply::Lead(next)).is_ok() {
                return;
            }
        }
        queue.lanes_taken -= 1;
    }
}

/// Counts the files of a commit as long as it lasts.
struct InFlight<'a> {
    count: &'a AtomicUsize,
    own: usize,
    all: usize,
}

impl<'a> InFlight<'a> {
    fn enter(count: &'a AtomicUsize, own: usize) -> Self {
        let all = count.fetch_add(own, Ordering::Relaxed) + own;
        Self { count, own, all }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(self.own, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> (Request, mpsc::Receiver<Reply>) {
        let (reply_to, replies) = mpsc::channel();
        (
            Request {
                file_sets: vec![FileSet::default()],
                data: Data::Synced(None),
                reply_to,
            },
            replies,
        )
    }

    #[test]
    fn a_lane_is_passed_on_also_when_its_leader_panics() {
        let commit = GroupCommit::new(PickupOptions::default());
        let (requests, replies): (Vec<_>, Vec<_>) = (0..=LANES + 1).map(|_| request()).unzip();
        let leaders = requests
            .into_iter()
            .filter_map(|request| commit.join(request))
            .count();
        assert_eq!(leaders, LANES);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lane = Lane(&commit);
            let _poisoned = commit.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!(matches!(replies[LANES].try_recv(), Ok(Reply::Lead(_))));
        // Whose thread is gone is passed over, and in the end the lanes are free.
        drop(replies);
        drop(Lane(&commit));
        drop(Lane(&commit));
        let queue = commit.lock();
        assert_eq!((queue.lanes_taken, queue.waiting.len()), (0, 0));
    }

    #[test]
    fn a_group_is_bounded_but_takes_at_least_one() {
        let commit = GroupCommit::new(PickupOptions::default());
        commit.lock().waiting.extend((0..3).map(|_| request().0));
        assert_eq!(commit.take_group(request().0).len(), 4);
        assert!(commit.lock().waiting.is_empty());
    }
}
