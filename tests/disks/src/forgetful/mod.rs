//! A file system in memory that loses in a power cut what was not synced, as strictly as POSIX lets it.
//!
//! - What is written to a file is there after a cut if the file was synced afterwards: nothing else makes it so, neither that it
//!   was closed nor that it was renamed nor that some time has gone by.
//! - A name is there, or no longer there, if its folder was synced. Syncing the file does not sync its name. A renaming is one
//!   change of two folders: it is there as soon as one of them is synced, and with it what came before under the same names.
//! - Mode and owner are the one thing that is always there.
//! - After a sync that failed nothing is written any more by the next one, which succeeds: that is what Linux does with the
//!   data that it could not write.
//!
//! What of the rest is there after a cut, [`crash::Policy`] says: a disk may have written more than it was asked to, in any order.
//!
//! Each file imports from those below it only:
//!
//! ```text
//! mod          the process: commands beside the kernel's requests
//! commands     what a test asks for
//! serve        what the kernel asks for
//! names        nodes and names in folders: made, changed, removed, listed
//! faults       what shall fail, and what shall take its time
//! crash        what a power cut leaves
//! tree         nodes, names, and the changes of names that are not synced
//! content      the data of a file
//! ```

mod commands;
mod content;
mod crash;
mod faults;
mod names;
mod serve;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::HashMap;
use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::command;
use crate::fuse::{Mount, NodeId};
use faults::Faults;
use tree::Tree;

/// Mounts it and takes commands until there are no more.
pub fn run(mountpoint: &str, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let disk = Arc::new(Disk::new(options)?);
    let _mount = Mount::new(Path::new(mountpoint), "forgetful", &disk)?;
    command::serve(|words| commands::answer(&disk, words))?;
    Ok(())
}

/// All of it.
#[derive(Debug)]
struct Disk {
    has_unnamed_files: bool,
    has_hard_links: bool,
    state: Mutex<State>,
    /// Held by the sync that is at work: a disk writes out one thing after the other. So no sync is over before an earlier one that has
    /// taken some of its data in hand.
    syncs: Mutex<()>,
}

#[derive(Debug)]
struct State {
    tree: Tree,
    faults: Faults,
    /// False from the power cut on until power is there again: each request fails meanwhile.
    has_power: bool,
    /// A sync that began before one is not finished after it.
    power_cuts: u64,
    /// What folders that are open for reading had when they were opened.
    listings: HashMap<u64, Vec<(OsString, NodeId)>>,
    next_listing: u64,
    /// Nodes that the kernel has forgotten since those that nobody can reach were removed.
    forgotten: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tree: Tree::default(),
            faults: Faults::default(),
            has_power: true,
            power_cuts: 0,
            listings: HashMap::new(),
            next_listing: 0,
            forgotten: 0,
        }
    }
}

impl Disk {
    fn new(options: &[&str]) -> Result<Self, String> {
        let mut disk = Self {
            has_unnamed_files: true,
            has_hard_links: true,
            state: Mutex::default(),
            syncs: Mutex::new(()),
        };
        for option in options {
            match *option {
                "no-unnamed-files" => disk.has_unnamed_files = false,
                "no-hard-links" => disk.has_hard_links = false,
                _ => return Err(format!("{option} is no option")),
            }
        }
        Ok(disk)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
