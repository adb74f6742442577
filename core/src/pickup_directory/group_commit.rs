//! Group commit: transactions that are committed at the same time share their syncs.
//!
//! ```text
//! threads       file A   file B   file C …        each may sync its own data here
//!                  \        |       /
//! one of them     data that is not synced yet, records of transactions with several files, then all names,
//!                  /        |       \       then the directory
//! threads       result   result   result
//! ```
//!
//! [`commit_queue`](super::commit_queue) says which thread that is; [`decision`](super::decision) explains the records.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::closed_file::Witness;
use super::commit_queue::{CommitQueue, Data, Reply, Request};
use super::decision::Decisions;
use super::error::{Operation, PickupError};
use super::file_set::FileSet;
use super::observer::{CommitReport, Observer};
use super::options::PickupOptions;
use super::per_process::PerProcess;
use super::system::{self, OpenDirectory};
use super::written_file::{WrittenFile, sync_each};

/// Up to this number it is faster if each thread syncs its own files; above, if the leader syncs the whole file system.
const MAX_FILES_SYNCED_ONE_BY_ONE: usize = 16;

/// Up to this number it is faster if a leader syncs the files of others one by one.
const MAX_FILES_SYNCED_FOR_OTHERS: usize = 4;

pub(super) const ONE_EACH: &str = "a commit has a result for each transaction";

/// Commits the transactions of one pickup directory.
#[derive(Debug)]
pub(super) struct GroupCommit {
    pickup: Arc<Path>,
    commits: PerProcess<Commits>,
    durable: bool,
    syncfs_allowed: bool,
    /// Whether `syncfs` is used; follows the file system that the path leads to.
    syncfs: AtomicBool,
    observer: Option<Arc<dyn Observer>>,
}

/// What is in progress in one process.
#[derive(Debug, Default)]
struct Commits {
    queue: CommitQueue,
    /// Files whose data is being committed in any way.
    files_in_flight: AtomicUsize,
}

impl GroupCommit {
    /// The path is absolute.
    pub(super) fn new(pickup: &Path, options: PickupOptions) -> Self {
        let syncfs_allowed = options.allows_syncfs();
        Self {
            pickup: pickup.into(),
            commits: PerProcess::default(),
            durable: options.is_durable(),
            syncfs_allowed,
            syncfs: AtomicBool::new(
                syncfs_allowed
                    && OpenDirectory::open(pickup).is_ok_and(|opened| opened.suits_syncfs()),
            ),
            observer: options.observer,
        }
    }

    /// Makes each set of files visible and, if required, durable. The results are in the same order.
    pub(super) fn commit(&self, mut file_sets: Vec<FileSet>) -> Vec<Result<(), PickupError>> {
        let transactions = file_sets.len();
        for files in &mut file_sets {
            // Before their data is synced: some file systems sync less of a file that has no name.
            files.stage(&self.pickup);
        }
        let committed = if self.durable {
            self.commit_durably(file_sets)
        } else {
            self.commit_without_sync(file_sets)
        };
        match committed {
            Ok(file_sets) => file_sets.into_iter().map(FileSet::into_result).collect(),
            Err(error) => {
                self.observe(|| CommitReport {
                    transactions,
                    errors: vec![error.clone(); transactions],
                    ..CommitReport::default()
                });
                vec![Err(error); transactions]
            }
        }
    }

    /// The same without waiting: a commit thread does it, and calls `done` with the result. If this process has none,
    /// or nothing has to be durable, this thread does it.
    pub(super) fn commit_with(
        &self,
        mut files: FileSet,
        done: impl FnOnce(Result<(), PickupError>) + Send + 'static,
    ) {
        let queue = self.commits.get().ok().map(|commits| &commits.queue);
        // They end with the pickup directory, and so not before this returns.
        let Some(queue) = queue.filter(|queue| self.durable && queue.has_threads()) else {
            let result = self.commit(vec![files]).pop();
            return done(result.expect(ONE_EACH));
        };
        files.stage(&self.pickup);
        let pickup = Arc::clone(&self.pickup);
        queue.push(Request::with_callback(files, move |result| {
            done(result.unwrap_or_else(|| Err(PickupError::ended_early(&pickup))));
        }));
    }

    /// Starts the threads that commit for [`commit_with`](Self::commit_with), one for each lane, unless they run.
    pub(super) fn start_threads(self: &Arc<Self>) -> io::Result<()> {
        let commits = self.commits.get().map_err(io::Error::other)?;
        // Before it runs: who submits from now on may rely on it.
        while commits.queue.add_thread() {
            let group_commit = Arc::clone(self);
            let started = thread::Builder::new()
                .name("commit".to_owned())
                .spawn(move || group_commit.lead_all());
            started.inspect_err(|_| commits.queue.remove_thread())?;
        }
        Ok(())
    }

    /// Lets them end when everything that was left to them is done.
    pub(super) fn end_threads(&self) {
        if let Ok(commits) = self.commits.get() {
            commits.queue.end_threads();
        }
    }

    /// The main loop of a commit thread.
    fn lead_all(&self) {
        let commits = self.commits.get();
        let commits = commits.expect("the process that started the thread has its own");
        while let Some(first) = commits.queue.next() {
            // The panic hook tells of it, and who waited for the group is told when that is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| self.lead(&commits.queue, first)));
        }
        commits.queue.remove_thread();
    }

    fn commit_without_sync(
        &self,
        mut file_sets: Vec<FileSet>,
    ) -> Result<Vec<FileSet>, PickupError> {
        let directory = self.open_directory()?;
        let mut report_of = CommitReport::default();
        let mut all: Vec<&mut FileSet> = file_sets.iter_mut().collect();
        self.hand_over(&directory, false, &mut all, &mut report_of);
        self.observe(|| report(report_of, &file_sets));
        Ok(file_sets)
    }

    fn commit_durably(&self, file_sets: Vec<FileSet>) -> Result<Vec<FileSet>, PickupError> {
        let commits = self.commits.get();
        let commits = commits.map_err(PickupError::after_forks(
            Operation::PublishFile,
            &self.pickup,
        ))?;
        let files: Vec<_> = file_sets.iter().flat_map(FileSet::open).collect();
        let in_flight = InFlight::enter(&commits.files_in_flight, files.len());
        let is_quicker_here =
            in_flight.all <= MAX_FILES_SYNCED_ONE_BY_ONE || !self.syncfs.load(Ordering::Relaxed);
        // Closed ones are synced with their file system, and these along with them.
        let sync_here = is_quicker_here && file_sets.iter().all(|files| files.witness().is_none());
        let data = if sync_here {
            let mut time = None;
            self.timed(&mut time, || sync_each(&files, &self.pickup))?;
            Data::Synced(time)
        } else {
            Data::NotSynced
        };
        let (request, replies) = Request::new(file_sets, data);
        if let Some(request) = commits.queue.join(request) {
            self.lead(&commits.queue, request);
        }
        loop {
            match replies.recv() {
                Ok(Reply::Lead(request)) => self.lead(&commits.queue, request),
                Ok(Reply::Done(committed)) => return Ok(committed),
                Err(_) => return Err(PickupError::ended_early(&self.pickup)),
            }
        }
    }

    /// Takes a group through a lane.
    fn lead(&self, queue: &CommitQueue, first: Request) {
        let (lane, mut group) = queue.take_group(first);
        let mut times = CommitReport::default();
        self.commit_group(&mut group, &mut times);
        // The next group starts before those that wait for this one are told.
        drop(lane);
        let report = self.observer.as_ref().map(|observer| {
            let file_sets = group.iter().flat_map(|request| &request.file_sets);
            (observer, report(times, file_sets))
        });
        group.into_iter().for_each(Request::reply);
        if let Some((observer, report)) = report {
            observer.committed(&report);
        }
    }

    /// Each set of files succeeds or fails by itself, but a failed sync fails them all.
    fn commit_group(&self, group: &mut [Request], times: &mut CommitReport) {
        let synced = self.sync_data(group, times);
        let file_sets = group.iter_mut().flat_map(|request| &mut request.file_sets);
        let mut file_sets: Vec<&mut FileSet> = file_sets.collect();
        let (directory, names_are_synced) = match synced {
            Ok(synced) => synced,
            Err(error) => return file_sets.iter_mut().for_each(|files| files.fail(&error)),
        };
        self.hand_over(&directory, names_are_synced, &mut file_sets, times);
    }

    /// Makes files visible whose data is durable, if required, and then their names durable too.
    fn hand_over(
        &self,
        directory: &OpenDirectory,
        names_are_synced: bool,
        file_sets: &mut [&mut FileSet],
        times: &mut CommitReport,
    ) {
        let pickup = &*self.pickup;
        let decisions =
            Decisions::make(file_sets, directory, pickup, self.durable, names_are_synced);
        for files in file_sets.iter_mut() {
            files.publish(directory, pickup);
        }
        // Where a file was taken back the directory is synced as well: a power failure must not bring it back.
        if self.durable && file_sets.iter().any(|files| files.were_visible()) {
            let synced = self.timed(&mut times.directory_sync, || directory.sync());
            match synced.map_err(PickupError::from_io(Operation::SyncDirectory, pickup)) {
                Ok(()) => decisions.sync(file_sets, directory),
                Err(error) => {
                    // A power failure may bring back what is taken away now, since that is not synced either.
                    let error = error.after_publishing();
                    for files in file_sets.iter_mut() {
                        files.take_back(directory, &error);
                    }
                }
            }
            // A power failure must not bring back what no record knows of any more. The sync that failed does not say
            // that it will fail again; if it does, the records stay, and the files go forward.
            let taken_back = file_sets.iter().any(|files| files.were_taken_back());
            if taken_back && directory.sync().is_err() {
                for files in file_sets.iter_mut() {
                    files.keep_record();
                }
            }
        }
        decisions.settle(file_sets);
    }

    /// Syncs the data of the requests whose threads have not done so. Returns the directory into which the files go,
    /// and whether their names in the staging folder are synced as well.
    fn sync_data(
        &self,
        group: &[Request],
        times: &mut CommitReport,
    ) -> Result<(OpenDirectory, bool), PickupError> {
        let pickup = &*self.pickup;
        let directory = self.open_directory()?;
        let syncfs = self.syncfs_allowed && directory.suits_syncfs();
        self.syncfs.store(syncfs, Ordering::Relaxed);
        let mut files: Vec<&WrittenFile> = Vec::new();
        let mut witnesses: Vec<&Witness> = Vec::new();
        for request in group {
            witnesses.extend(request.file_sets.iter().filter_map(FileSet::witness));
            match request.data {
                Data::Synced(time) => times.data_sync = times.data_sync.max(time),
                Data::NotSynced => files.extend(request.file_sets.iter().flat_map(FileSet::open)),
            }
        }
        let open = files.iter().map(|file| (file.opened, &file.file));
        let all = open.chain(
            witnesses
                .iter()
                .map(|witness| (witness.opened, &witness.file)),
        );
        // Errors are reported for the time since a file was opened: so by way of the file that was
        // open before any was written.
        let Some((_, oldest)) = all.clone().min_by_key(|(opened, _)| *opened) else {
            return Ok((directory, false));
        };
        let many = !witnesses.is_empty() || syncfs && files.len() > MAX_FILES_SYNCED_FOR_OTHERS;
        let all_at_once = many && on_one_file_system(all.map(|(_, file)| file));
        let sync_file_system = |file: &File| {
            system::sync_file_system(file)
                .map_err(PickupError::from_io(Operation::SyncFileSystem, pickup))
        };
        self.timed(&mut times.data_sync, || {
            if all_at_once {
                return sync_file_system(oldest);
            }
            for witness in &witnesses {
                sync_file_system(&witness.file)?;
            }
            sync_each(&files, pickup)
        })?;
        // Where other threads synced theirs nobody knows on which file system these are.
        let names_are_synced =
            all_at_once && (group.iter()).all(|request| matches!(request.data, Data::NotSynced));
        Ok((directory, names_are_synced))
    }

    fn open_directory(&self) -> Result<OpenDirectory, PickupError> {
        OpenDirectory::open(&self.pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, &self.pickup))
    }

    /// Stores how long the work takes in `longest`, if that is longer and somebody wants to know.
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
}

/// Completes a report, which already has the times of the syncs, with what became of the files.
fn report<'a>(
    mut report: CommitReport,
    file_sets: impl IntoIterator<Item = &'a FileSet>,
) -> CommitReport {
    for files in file_sets {
        report.transactions += 1;
        match files.error() {
            None => {
                report.files += files.len();
                report.bytes += files.size();
            }
            Some(error) => report.errors.push(error.clone()),
        }
    }
    report
}

/// Files of one group are on different file systems if the pickup directory was moved and recreated elsewhere in
/// between. If a device cannot be determined, each file is synced by itself, which is always right.
fn on_one_file_system<'f>(mut files: impl Iterator<Item = &'f File>) -> bool {
    let Some(first) = files.next().and_then(|file| system::device(file).ok()) else {
        return false;
    };
    files.all(|file| system::device(file).is_ok_and(|device| device == first))
}

/// Counts the files of a commit while it lasts.
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
