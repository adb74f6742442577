//! Measures the pickup directory and its file system.

use crate::args::PressureLimit;
use rustix::fs::statvfs;
use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

/// The value that a limit is about, in its unit; `None` if the file system has no such value.
pub fn measure(limit: PressureLimit, pickup: &Path, now: SystemTime) -> io::Result<Option<u64>> {
    Ok(match limit {
        PressureLimit::MaxDepth => {
            let mut count = 0;
            each_file(pickup, |_| {
                count += 1;
                Ok(())
            })?;
            Some(count)
        }
        PressureLimit::MaxAge => Some(oldest_age(pickup, now)?),
        PressureLimit::MinFree => {
            let disk = statvfs(pickup)?;
            // Available to users other than root. A tmpfs without a size has no blocks.
            (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
        }
        PressureLimit::MinFreeInodes => {
            let disk = statvfs(pickup)?;
            // btrfs creates inodes as it needs them.
            (disk.f_files > 0).then_some(disk.f_favail)
        }
    })
}

/// Milliseconds since the oldest file was modified; 0 if there are no files.
fn oldest_age(pickup: &Path, now: SystemTime) -> io::Result<u64> {
    let mut oldest = now;
    each_file(pickup, |entry| {
        match entry.metadata() {
            Ok(metadata) => oldest = oldest.min(metadata.modified()?),
            // PowerMTA has taken it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    let age = now.duration_since(oldest).unwrap_or_default();
    Ok(u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
}

/// Visits everything in a folder except subfolders.
pub fn each_file(
    folder: &Path,
    mut visit: impl FnMut(&DirEntry) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {}
            Ok(_) => visit(&entry)?,
            // If the directory does not contain the type, the file may be gone by now.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn files_are_counted_and_the_oldest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
        let values = || {
            [PressureLimit::MaxDepth, PressureLimit::MaxAge]
                .map(|limit| measure(limit, folder.path(), now).unwrap())
        };
        assert_eq!(values(), [Some(0), Some(0)]);
        for (name, age) in [("b", 3), (".c", 70), ("a", 5)] {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(now - Duration::from_millis(age)).unwrap();
        }
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert_eq!(values(), [Some(3), Some(70)]);
        // Of the future.
        for entry in ["a", "b", ".c"] {
            let file = File::options().write(true).open(folder.path().join(entry));
            file.unwrap()
                .set_modified(now + Duration::from_secs(9))
                .unwrap();
        }
        assert_eq!(values(), [Some(3), Some(0)]);
        let gone = folder.path().join("gone");
        for limit in PressureLimit::ALL {
            let error = measure(limit, &gone, now).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
    }
}
