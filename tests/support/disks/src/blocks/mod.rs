//! The disk of a loop device, on which all that is written is recorded: what it was at any instant can be shown, and
//! what a power cut in that instant would have left of it.
//!
//! A disk has a cache of its own, and writes out of it in any order until it is told to flush. So what was written before the last
//! flush is there after a cut, and of what came later any of it: none, all, some of the writes, or some of their sectors.
//!
//! Each file imports from those below it only:
//!
//! ```text
//! mod          the process: commands beside the kernel's requests
//! commands     what a test asks for
//! serve        what the kernel asks for: the file `disk`, and a file for each state that is shown
//! record       what was written and flushed, and what there is at an instant
//! ```

mod commands;
mod record;
mod serve;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::command;
use crate::fuse::{Mount, NodeId};
use record::{Record, State};

/// Mounts it and takes commands until there are no more.
pub fn run(mountpoint: &str, size: &str) -> Result<(), Box<dyn Error>> {
    let disk = Arc::new(Disk::new(size.parse()?));
    let _mount = Mount::new(Path::new(mountpoint), "blocks", &disk)?;
    command::serve(|words| commands::answer(&disk, words))?;
    Ok(())
}

#[derive(Debug)]
struct Disk {
    size: u64,
    history: Mutex<History>,
}

#[derive(Debug)]
struct History {
    record: Record,
    /// States that are shown, each as a file.
    states: HashMap<NodeId, State>,
    next: NodeId,
}

impl Disk {
    fn new(size: u64) -> Self {
        Self {
            size,
            history: Mutex::new(History {
                record: Record::default(),
                states: HashMap::new(),
                next: serve::FIRST_STATE,
            }),
        }
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
