//! This process, by the names that the client libraries of Prometheus agree on.

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::time::Duration;

/// What the system reports about this process.
#[derive(Debug, Default)]
pub struct Process {
    /// Processor time.
    pub cpu: Duration,
    /// `None` if there is no limit.
    pub max_files: Option<u64>,
    pub open_files: Option<u64>,
    pub resident_bytes: Option<u64>,
    pub virtual_bytes: Option<u64>,
}

impl Process {
    pub fn now() -> Self {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        // Linux has the others; elsewhere these files are missing, and so are they.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let files = fs::read_dir("/proc/self/fd");
        Self {
            cpu: Duration::try_from(time).unwrap_or_default(),
            max_files: getrlimit(Resource::Nofile).current,
            // Except the one for reading this directory.
            open_files: files
                .ok()
                .map(|files| files.count().saturating_sub(1) as u64),
            resident_bytes: bytes(&status, "VmRSS:"),
            virtual_bytes: bytes(&status, "VmSize:"),
        }
    }
}

/// The value of a line such as `VmRSS:   1234 kB` (`proc_pid_status`(5)).
fn bytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_kibibytes() {
        let status = "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t     12 kB\n";
        assert_eq!(bytes(status, "VmRSS:"), Some(12 * 1024));
        assert_eq!(bytes(status, "VmSize:"), Some(2 << 20));
        assert_eq!(bytes(status, "VmSwap:"), None);
    }
}
