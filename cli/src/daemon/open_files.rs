//! How many connections the limit on open files leaves room for.

use super::blocking::MOST_THREADS;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors besides connections and pickup files: standard streams, the runtime's own, the listener, directories,
/// and some to spare.
const BASE: u64 = 24;

/// How the limit on open files is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub connections: u32,
    /// Submissions that have files open at the same time, usually one each; and threads for blocking work.
    pub submissions: usize,
    pub batches: BatchRoom,
}

/// How many messages of batches may be in progress at once, each with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchRoom {
    /// Messages that are submitted together.
    pub messages: usize,
    /// The number of groups, for all batches.
    pub groups: usize,
}

impl BatchRoom {
    /// The larger a group, the less each message costs; beyond this there is little to gain.
    const MOST_MESSAGES: usize = 1_000;
    const MOST_GROUPS: usize = 16;

    /// Divides this many files, at least one.
    fn of(files: u64) -> Self {
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        let messages = (files / 4).clamp(64, Self::MOST_MESSAGES);
        Self {
            messages,
            groups: (files / messages).clamp(2, Self::MOST_GROUPS),
        }
    }
}

/// Raises the limit on open files as far as allowed, and divides it between connections and submissions, with room for
/// at most the given numbers of them.
///
/// Connections must never take the descriptors that submissions need.
pub fn room(max_connections: u32, max_submissions: u32) -> Room {
    share(raise_limit(), max_connections, max_submissions)
}

/// Room for one batch alone.
pub fn room_for_batch() -> BatchRoom {
    BatchRoom::of(raise_limit().saturating_sub(BASE))
}

/// Raises the limit on open files as far as allowed. Returns the new limit.
fn raise_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    // None is no limit.
    files.unwrap_or(u64::MAX)
}

fn share(files: u64, max_connections: u32, max_submissions: u32) -> Room {
    let files = files.saturating_sub(BASE);
    let submissions = u64::from(max_submissions).min(MOST_THREADS as u64);
    // If files are scarce, each side gets half of them.
    let connections = files.saturating_sub(submissions).max(files / 2).max(1);
    let connections =
        u32::try_from(connections).map_or(max_connections, |n| n.min(max_connections));
    let left = files.saturating_sub(connections.into()).max(1);
    let submissions = if left < submissions {
        usize::try_from(left).expect("there are not so many submissions")
    } else {
        MOST_THREADS
    };
    let batches = BatchRoom::of(left.saturating_sub(submissions as u64));
    Room {
        connections,
        submissions,
        batches,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_submissions() {
        for (files, max_submissions, connections, submissions) in [
            (64, 1024, 20, 20),
            (1024, 1024, 500, 500),
            (1024, 1, 999, 512),
            (2048, 1024, 1512, 512),
            (u64::MAX, 1024, 8192, 512),
            (3, 1024, 1, 1),
        ] {
            let room = share(files, 8192, max_submissions);
            let found = (room.connections, room.submissions);
            assert_eq!(found, (connections, submissions));
        }
    }

    #[test]
    fn batches_have_what_is_left() {
        for (files, messages, groups) in [
            (1024, 64, 2),
            (10_000, 318, 4),
            (16_384, 1_000, 7),
            (u64::MAX, 1_000, 16),
        ] {
            let room = share(files, 8192, 1024);
            assert_eq!(room.batches, BatchRoom { messages, groups }, "{files}");
        }
    }
}
