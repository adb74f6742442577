//! A file system in memory that loses in a power cut what was not synced, as strictly as POSIX lets it.
//!
//! - What is written to a file is there after a cut if the file was synced afterwards: nothing else makes it so, neither that it
//!   was closed nor that it was renamed nor that some time has gone by.
//! - A name is there, or no longer there, if its folder was synced. Syncing the file does not sync its name. A renaming is one
//!   change of two folders: it is there as soon as one of them is synced, and with it what came before under the same names.
//! - `syncfs` does nothing: Linux does not hand it on to a file system in user space.
//! - Mode and owner are the one thing that is always there.
//! - What a sync of a file that failed should have written is written by no other. Whoever has the file open at that time is told once;
//!   who opens it later is told of nothing. So does Linux. Names wait for the next sync of their folder.
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
    /// What is open.
    handles: HashMap<u64, Handle>,
    next_handle: u64,
    /// Nodes that the kernel has forgotten since those that nobody can reach were removed.
    forgotten: usize,
}

/// A file or folder that is open.
#[derive(Debug, Default)]
struct Handle {
    /// How many syncs of it had failed when this was opened, or was told so last. Linux tells it once to each who had it open then,
    /// whoever asked for the sync.
    failed_syncs: u64,
    /// What a folder had when it was opened: that is read, whatever is removed meanwhile.
    names: Vec<(OsString, NodeId)>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            tree: Tree::default(),
            faults: Faults::default(),
            has_power: true,
            power_cuts: 0,
            handles: HashMap::new(),
            next_handle: 1,
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
