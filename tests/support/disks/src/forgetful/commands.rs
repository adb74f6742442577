//! What a test asks for.
//!
//! ```text
//! crash POLICY [SEED]      cuts the power: nothing, names, data, everything, random. Each request fails with EIO from then on
//! power                    is there again: the tree is what the power cut left
//! sync                     makes all durable
//! durable PATH             durable, no-data (it would be empty or torn), no-name (it would be missing), after a power cut now
//! fault CALL ERRNO [after=N] [times=N] [name=PART] [except=PART]
//!                          lets calls fail; N-th, N of them, of files whose name has PART in it, or has not
//! delay CALL MILLISECONDS  what a sync has taken in hand is durable after that
//! ignore fsync|fsyncdir [name=PART] [except=PART]
//!                          says that it has written, and has not
//! read-only                nothing may be written
//! space PAGES [ERRNO]      ENOSPC, or EDQUOT, for more pages of 4096 octets
//! nodes N                  ENOSPC for more files and folders
//! clear                    ends faults, delays and limits
//! count CALL               how often it was made
//! ```
//!
//! The calls: lookup open opendir create tmpfile read write setattr fsync fsyncdir link rename mkdir unlink rmdir statfs. A path begins at the root of the file system.

use std::path::{Component, Path};
use std::str::FromStr;
use std::time::Duration;

use super::faults::{Call, Fault, Files, errno};
use super::tree::{Body, Tree};
use super::{Disk, State, crash, locked};
use crate::command::Answer;
use crate::fuse::ROOT;

pub fn answer(disk: &Disk, words: &[&str]) -> Answer {
    if let ["sync"] = words {
        // Not in the middle of one that is at work.
        let _syncs = locked(&disk.syncs);
        disk.state().tree.sync_all();
        return Ok(String::new());
    }
    state_answer(&mut disk.state(), words)
}

fn state_answer(state: &mut State, words: &[&str]) -> Answer {
    match words {
        ["crash", policy] => crash(state, policy, "0")?,
        ["crash", policy, seed] => crash(state, policy, seed)?,
        ["power"] => state.has_power = true,
        ["durable", path] => return Ok(durable(&state.tree, Path::new(path)).to_owned()),
        ["fault", call, error, options @ ..] => state.faults.add(fault(call, error, options)?),
        ["delay", call, milliseconds] => state
            .faults
            .delay(call.parse()?, Duration::from_millis(milliseconds.parse()?)),
        ["ignore", call @ ("fsync" | "fsyncdir"), options @ ..] => {
            let mut files = Files::default();
            for option in options {
                choose(&mut files, option)?;
            }
            state.faults.ignore(call.parse()?, files);
        }
        ["read-only"] => state.faults.is_read_only = true,
        ["space", pages] => state.faults.pages = Some((pages.parse()?, errno("ENOSPC")?)),
        ["space", pages, error] => state.faults.pages = Some((pages.parse()?, errno(error)?)),
        ["nodes", count] => state.faults.nodes = Some(count.parse()?),
        ["clear"] => state.faults.clear(),
        ["count", call] => return Ok(state.faults.count(Call::from_str(call)?).to_string()),
        _ => return Err("no such command".into()),
    }
    Ok(String::new())
}

fn crash(state: &mut State, policy: &str, seed: &str) -> Result<(), Box<dyn std::error::Error>> {
    crash::crash(&mut state.tree, policy.parse()?, seed.parse()?);
    state.handles.clear();
    state.has_power = false;
    state.power_cuts += 1;
    Ok(())
}

fn fault(call: &str, error: &str, options: &[&str]) -> Result<Fault, Box<dyn std::error::Error>> {
    let mut fault = Fault {
        call: call.parse()?,
        errno: errno(error)?,
        after: 0,
        times: None,
        files: Files::default(),
    };
    for option in options {
        match option.split_once('=') {
            Some(("after", number)) => fault.after = number.parse()?,
            Some(("times", number)) => fault.times = Some(number.parse()?),
            _ => choose(&mut fault.files, option)?,
        }
    }
    Ok(fault)
}

fn choose(files: &mut Files, option: &str) -> Result<(), String> {
    match option.split_once('=') {
        Some(("name", part)) => files.name = Some(part.to_owned()),
        Some(("except", part)) => files.except = Some(part.to_owned()),
        _ => return Err(format!("{option} is no such option")),
    }
    Ok(())
}

/// What would become of a file in a power cut that leaves nothing but what is synced.
fn durable(tree: &Tree, path: &Path) -> &'static str {
    let mut number = ROOT;
    for component in path
        .components()
        .filter(|component| *component != Component::RootDir)
    {
        let folder = tree.nodes.get(&number).and_then(|node| node.folder());
        match folder.and_then(|folder| folder.durable.get(component.as_os_str())) {
            Some(next) => number = *next,
            None => return "no-name",
        }
    }
    match tree.nodes.get(&number).map(|node| &node.body) {
        Some(Body::File(content)) if !content.is_durable() => "no-data",
        Some(_) => "durable",
        None => "no-name",
    }
}
