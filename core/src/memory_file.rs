//! A file that nobody else sees and that vanishes when it is closed.

use std::fs::File;
use std::io;

/// Creates one in memory.
#[cfg(target_os = "linux")]
pub(crate) fn create() -> io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create("pmtaemail", MemfdFlags::CLOEXEC)?.into())
}

/// Makes one in the system's temporary folder, where it has no name once it is open.
#[cfg(not(target_os = "linux"))]
pub(crate) fn create() -> io::Result<File> {
    use std::hash::{BuildHasher, RandomState};
    let number = RandomState::new().hash_one(std::process::id());
    let path = std::env::temp_dir().join(format!("pmtaemail-{number:016x}"));
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
