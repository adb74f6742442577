//! Hard links, which not every file system has.

use std::io;

/// Whether this error of creating one means that the file system has none. Outside Linux, any error counts.
#[cfg(target_os = "linux")]
pub(crate) fn are_missing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    // Not EACCES, which is the same kind of error as EPERM, but about the folder.
    Errno::from_io_error(error)
        .is_some_and(|errno| [Errno::PERM, Errno::NOSYS, Errno::OPNOTSUPP].contains(&errno))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn are_missing(_error: &io::Error) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn an_error_about_something_else_is_told_apart() {
        for errno in [Errno::PERM, Errno::NOSYS, Errno::OPNOTSUPP] {
            assert!(are_missing(&errno.into()), "{errno}");
        }
        for errno in [Errno::ACCESS, Errno::IO, Errno::EXIST, Errno::NOENT] {
            assert!(!are_missing(&errno.into()), "{errno}");
        }
    }
}
