//! How many connections the limit on open files leaves room for.

use super::blocking::SUBMIT_THREADS;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides connections and pickup files: standard streams, the runtime's own, the
/// listener, directories, and some to spare.
const BASE: u64 = 24;

/// What the limit on open files leaves room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub connections: u32,
    /// Threads for submissions, of which each has a file open.
    pub threads: usize,
}

/// Raises the limit on open files as far as is allowed, and shares it out between connections and
/// submissions, of which there should be room for at most as many as given.
///
/// Connections must never take the descriptors that submissions need.
pub fn room(max_connections: u32, max_submissions: u32) -> Room {
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
    share(files.unwrap_or(u64::MAX), max_connections, max_submissions)
}

fn share(files: u64, max_connections: u32, max_submissions: u32) -> Room {
    let files = files.saturating_sub(BASE);
    let submissions = u64::from(max_submissions).min(SUBMIT_THREADS as u64);
    // Where files are few, both have one half of them.
    let connections = files.saturating_sub(submissions).max(files / 2).max(1);
    let connections =
        u32::try_from(connections).map_or(max_connections, |n| n.min(max_connections));
    let left = files.saturating_sub(connections.into()).max(1);
    let threads = if left < submissions {
        usize::try_from(left).expect("there are not so many threads")
    } else {
        SUBMIT_THREADS
    };
    Room {
        connections,
        threads,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_submissions() {
        for (files, max_submissions, connections, threads) in [
            (64, 1024, 20, 20),
            (1024, 1024, 500, 500),
            (1024, 1, 999, 512),
            (2048, 1024, 1512, 512),
            (u64::MAX, 1024, 8192, 512),
            (3, 1024, 1, 1),
        ] {
            let room = share(files, 8192, max_submissions);
            assert_eq!((room.connections, room.threads), (connections, threads));
        }
    }
}
