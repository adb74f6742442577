//! Group commit: hand-overs that are committed at the same time share their syncs.
//!
//! There is no thread of its own and no timer. A thread that commits finds a lane free and takes
//! everything that is waiting through it: data synced, files published, directory synced once.
//! Threads that find every lane taken wait for their result, or for a lane that is handed on to
//! them. So a lone file never waits for company, and the busier the disk, the larger the groups.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::error::Operation;
use super::files::Files;
use super::system::{self, OpenDirectory};
use super::written_file::{WrittenFile, sync_each};
use super::{PickupError, PickupOptions};

/// While one group is waiting for the disk, the next one can prepare its own sync. A third was no
/// gain.
const LANES: usize = 2;

/// Bounds how long a group keeps its members waiting.
const MOST_FILES: usize = 1_024;

/// Up to here it is quicker that each thread syncs its own files; above, that one syncs the whole
/// file system.
const FEW_FILES: usize = 16;

/// The hand-overs to one pickup directory that are being committed.
#[derive(Debug)]
pub(super) struct CommitGroups {
    state: Mutex<State>,
    /// Files whose data is being committed in any way.
    in_flight: AtomicUsize,
    /// Whether a sync of the whole file system may be used; follows the file system that the path
    /// leads to.
    syncfs: AtomicBool,
    syncfs_wanted: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Empty as long as a lane is free.
    waiting: VecDeque<Member>,
    lanes_taken: usize,
}

/// The hand-overs of one thread in a group.
#[derive(Debug)]
struct Member {
    hand_overs: Vec<Files>,
    synced: bool,
    owner: Sender<Turn>,
}

impl Member {
    fn files(&self) -> usize {
        self.hand_overs.iter().map(Files::len).sum()
    }
}

type HandedOver = Result<(), PickupError>;

/// What a waiting thread is woken for.
#[derive(Debug)]
enum Turn {
    Lead(Member),
    /// The files are closed by the thread that they belong to, to spare the leader that work.
    Done(Vec<Files>, Vec<HandedOver>),
}

impl CommitGroups {
    pub(super) fn new(options: &PickupOptions) -> Self {
        let syncfs_wanted = options.syncfs() && system::syncfs_reports_errors();
        Self {
            state: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            syncfs: AtomicBool::new(false),
            syncfs_wanted,
        }
    }

    /// Makes the files of each hand-over durable and visible: one result for each.
    pub(super) fn commit(&self, pickup: &Path, hand_overs: Vec<Files>) -> Vec<HandedOver> {
        let count = hand_overs.len();
        self.try_commit(pickup, hand_overs)
            .unwrap_or_else(|error| vec![Err(error); count])
    }

    /// An error here is the error of every hand-over.
    fn try_commit(
        &self,
        pickup: &Path,
        hand_overs: Vec<Files>,
    ) -> Result<Vec<HandedOver>, PickupError> {
        let files: Vec<_> = hand_overs.iter().flat_map(Files::open).collect();
        let in_flight = InFlight::enter(&self.in_flight, files.len());
        let synced = in_flight.all <= FEW_FILES || !self.syncfs.load(Ordering::Relaxed);
        if synced {
            sync_each(&files, pickup)?;
        }
        let (owner, turns) = mpsc::channel();
        if let Some(member) = self.join(Member {
            hand_overs,
            synced,
            owner,
        }) {
            self.lead(pickup, member);
        }
        loop {
            match turns.recv() {
                Ok(Turn::Lead(member)) => self.lead(pickup, member),
                Ok(Turn::Done(_files, results)) => return Ok(results),
                // Only if the leader panicked. A wrong result would be worse, and waiting for ever
                // too.
                Err(_) => {
                    let error = io::Error::other("the thread that led the group ended early");
                    return Err(PickupError::from_io(Operation::PublishFile, pickup)(error));
                }
            }
        }
    }

    /// Takes a lane if one is free, else a place in the queue.
    fn join(&self, member: Member) -> Option<Member> {
        let mut state = self.lock();
        if state.lanes_taken < LANES {
            state.lanes_taken += 1;
            return Some(member);
        }
        state.waiting.push_back(member);
        None
    }

    /// Takes a group through a lane.
    fn lead(&self, pickup: &Path, first: Member) {
        let lane = Lane(self);
        let mut group = self.take_group(first);
        let results = self.publish(pickup, &mut group);
        // The next group starts before the threads of this one are woken.
        drop(lane);
        for (member, result) in group.into_iter().zip(results) {
            // Nobody to tell if the thread is gone, which a blocked thread cannot be.
            let _ = member.owner.send(Turn::Done(member.hand_overs, result));
        }
    }

    fn take_group(&self, first: Member) -> Vec<Member> {
        let mut files = first.files();
        let mut group = vec![first];
        let mut state = self.lock();
        while let Some(member) = state
            .waiting
            .pop_front_if(|next| files + next.files() <= MOST_FILES)
        {
            files += member.files();
            group.push(member);
        }
        group
    }

    /// One result for each hand-over of each member.
    fn publish(&self, pickup: &Path, group: &mut [Member]) -> Vec<Vec<HandedOver>> {
        match self.make_durable(pickup, group) {
            Ok(results) => results,
            Err(error) => group
                .iter()
                .map(|member| vec![Err(error.clone()); member.hand_overs.len()])
                .collect(),
        }
    }

    /// An error here is the error of every hand-over, and nothing of the group is in the directory.
    fn make_durable(
        &self,
        pickup: &Path,
        group: &mut [Member],
    ) -> Result<Vec<Vec<HandedOver>>, PickupError> {
        let directory = OpenDirectory::open(pickup)
            .map_err(PickupError::from_io(Operation::OpenDirectory, pickup))?;
        self.syncfs.store(
            self.syncfs_wanted && directory.suits_syncfs(),
            Ordering::Relaxed,
        );
        self.sync_data(pickup, group)?;
        let results: Vec<Vec<_>> = group
            .iter_mut()
            .map(|member| {
                let hand_overs = member.hand_overs.iter_mut();
                hand_overs
                    .map(|files| files.publish(&directory, pickup))
                    .collect()
            })
            .collect();
        if results.iter().flatten().any(Result::is_ok)
            && let Err(error) = directory.sync()
        {
            let hand_overs = group.iter().flat_map(|member| &member.hand_overs);
            hand_overs
                .zip(results.iter().flatten())
                .filter(|(_, result)| result.is_ok())
                .for_each(|(files, _)| files.take_back(&directory));
            return Err(PickupError::from_io(Operation::SyncDirectory, pickup)(
                error,
            ));
        }
        Ok(results)
    }

    /// Syncs the data of the members that have not done so themselves.
    fn sync_data(&self, pickup: &Path, group: &[Member]) -> Result<(), PickupError> {
        let files: Vec<_> = group
            .iter()
            .filter(|member| !member.synced)
            .flat_map(|member| &member.hand_overs)
            .flat_map(Files::open)
            .collect();
        // Errors are reported for the time since a file was opened: so by way of the file that was
        // open before any was written.
        let Some(oldest) = files.iter().min_by_key(|file| file.opened()) else {
            return Ok(());
        };
        if self.syncfs.load(Ordering::Relaxed) && on_one_file_system(&files) {
            system::sync_file_system(oldest.file())
                .map_err(PickupError::from_io(Operation::SyncFileSystem, pickup))
        } else {
            sync_each(&files, pickup)
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The queue is whole at every instant, so a panic elsewhere while it was locked does not
        // matter.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// They are not, if the pickup directory was moved and made again elsewhere in between.
fn on_one_file_system(files: &[&WrittenFile]) -> bool {
    let mut devices = files.iter().map(|file| system::device(file.file()).ok());
    let Some(Some(first)) = devices.next() else {
        return false;
    };
    devices.all(|device| device == Some(first))
}

/// A lane that is taken. Dropped, also when its leader panics, it is handed on or becomes free.
struct Lane<'a>(&'a CommitGroups);

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        while let Some(next) = state.waiting.pop_front() {
            let owner = next.owner.clone();
            // A thread that is gone needs no files any more.
            if owner.send(Turn::Lead(next)).is_ok() {
                return;
            }
        }
        state.lanes_taken -= 1;
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

    fn member() -> (Member, mpsc::Receiver<Turn>) {
        let (owner, turns) = mpsc::channel();
        (
            Member {
                hand_overs: vec![Files::default()],
                synced: true,
                owner,
            },
            turns,
        )
    }

    #[test]
    fn a_lane_is_handed_on_also_when_its_leader_panics() {
        let groups = CommitGroups::new(&PickupOptions::default());
        let (members, turns): (Vec<_>, Vec<_>) = (0..=LANES + 1).map(|_| member()).unzip();
        let leaders = members
            .into_iter()
            .filter_map(|member| groups.join(member))
            .count();
        assert_eq!(leaders, LANES);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lane = Lane(&groups);
            let _poisoned = groups.lock();
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!(matches!(turns[LANES].try_recv(), Ok(Turn::Lead(_))));
        // Whose thread is gone is passed over, and in the end the lanes are free.
        drop(turns);
        drop(Lane(&groups));
        drop(Lane(&groups));
        let state = groups.lock();
        assert_eq!((state.lanes_taken, state.waiting.len()), (0, 0));
    }

    #[test]
    fn a_group_is_bounded_but_takes_at_least_one() {
        let groups = CommitGroups::new(&PickupOptions::default());
        groups.lock().waiting.extend((0..3).map(|_| member().0));
        assert_eq!(groups.take_group(member().0).len(), 4);
        assert!(groups.lock().waiting.is_empty());
    }
}
