//! Disks for tests, which forget at a power cut what was not synced before. Both are file systems in user space (FUSE), mounted by this
//! process, and take commands from its standard input, a line each; each is answered by a line, `ok …` or `error …`. They end
//! with their input, and nothing stays mounted.
//!
//! ```text
//! test-disks forgetful MOUNTPOINT [no-unnamed-files] [no-hard-links]     forgetful::commands
//! test-disks blocks MOUNTPOINT SIZE                                      blocks::commands
//! ```
//!
//! - `forgetful` is a file system that keeps apart what is synced from what is not: [`forgetful`].
//! - `blocks` has one file, the disk of a loop device on which another file system is made. All that is written to it is
//!   recorded, so that it can be shown as a power cut at any instant would have left it: [`blocks`].
//!
//! The crate `fuser` would do for both, but for files without a name (`FUSE_TMPFILE`), which it does not know (0.18). So [`fuse`]
//! speaks the little of the protocol that is needed itself.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod blocks;
#[cfg(target_os = "linux")]
mod command;
#[cfg(target_os = "linux")]
mod forgetful;
#[cfg(target_os = "linux")]
mod fuse;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["forgetful", mountpoint, options @ ..] => forgetful::run(mountpoint, options),
        ["blocks", mountpoint, size] => blocks::run(mountpoint, size),
        _ => Err("usage: forgetful MOUNTPOINT [OPTION…] | blocks MOUNTPOINT SIZE".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("test-disks: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("test-disks: it speaks with Linux alone");
    ExitCode::FAILURE
}
