//! How many connections the limit on open files leaves room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is open besides connections and pickup files: standard streams, the runtime's own, the
/// listener, directories, and some to spare.
const BASE: u64 = 24;

/// Raises the limit on open files as far as is allowed, and tells how many of at most `wanted`
/// connections it leaves room for, when each hand-over of `hand_overs` at once needs a file.
///
/// Connections must never take the descriptors that the hand-overs need.
pub fn room_for_connections(wanted: usize, hand_overs: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    files.map_or(wanted, |files| room(files, wanted, hand_overs))
}

fn room(files: u64, wanted: usize, hand_overs: usize) -> usize {
    let files = usize::try_from(files.saturating_sub(BASE)).unwrap_or(usize::MAX);
    // A connection has one request at a time: few connections need few files.
    (files / 2)
        .max(files.saturating_sub(hand_overs))
        .clamp(1, wanted.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_to_hand_overs() {
        assert_eq!(room(64, 8192, 512), 20);
        assert_eq!(room(1024, 8192, 512), 500);
        assert_eq!(room(2048, 8192, 512), 1512);
        assert_eq!(room(u64::MAX, 8192, 512), 8192);
        assert_eq!(room(3, 8192, 512), 1);
    }
}
