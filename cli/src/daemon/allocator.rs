//! Makes the allocator return large memory to the system.
//!
//! glibc takes large memory directly from the system, and returns it when it is freed; but each free raises the
//! threshold for "large", up to 32 MiB. From then on large bodies are in its heaps, one for every few threads, which
//! keep freed memory: after some large messages the daemon held hundreds of megabytes that it did not use. With a fixed
//! threshold (mallopt(3), `M_MMAP_THRESHOLD`) it does not. The threshold is set in the environment before a program
//! starts, so the daemon executes itself once more with it, as the same process.

use std::env;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// In bytes.
const NAME: &str = "MALLOC_MMAP_THRESHOLD_";
const THRESHOLD: &str = "262144";

/// Executes the program once more with a fixed threshold if there is none. Returns if there is one, or if that fails:
/// the daemon works nevertheless, with more memory.
pub fn fix_threshold() {
    if !is_wanted(
        env::var_os(NAME).as_deref(),
        env::var_os("GLIBC_TUNABLES").as_deref(),
    ) {
        return;
    }
    let Ok(program) = env::current_exe() else {
        return;
    };
    let mut arguments = env::args_os();
    let Some(name) = arguments.next() else {
        return;
    };
    let error = Command::new(program)
        .arg0(name)
        .args(arguments)
        .env(NAME, THRESHOLD)
        .exec();
    super::log::no_threshold(&error);
}

/// Whether the environment leaves it unset.
fn is_wanted(threshold: Option<&OsStr>, tunables: Option<&OsStr>) -> bool {
    let tunables = tunables.unwrap_or_default().to_string_lossy();
    threshold.is_none() && !tunables.contains("glibc.malloc.mmap_threshold=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_environment_are_kept() {
        let tunables = OsStr::new("glibc.malloc.arena_max=2:glibc.malloc.mmap_threshold=1");
        assert!(is_wanted(None, None));
        assert!(is_wanted(
            None,
            Some(OsStr::new("glibc.malloc.arena_max=2"))
        ));
        assert!(!is_wanted(None, Some(tunables)));
        assert!(!is_wanted(Some(OsStr::new("1")), None));
    }
}
