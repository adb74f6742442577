//! What shall fail, and what shall take its time.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::str::FromStr;
use std::time::Duration;

use rustix::io::Errno;

/// What a file system is asked for, under the names that a test says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    Lookup,
    Open,
    OpenFolder,
    Create,
    CreateUnnamed,
    Read,
    Write,
    SetAttributes,
    Sync,
    SyncFolder,
    Link,
    Rename,
    MakeFolder,
    Unlink,
    RemoveFolder,
    GetSpace,
}

const CALLS: [(&str, Call); 16] = [
    ("lookup", Call::Lookup),
    ("open", Call::Open),
    ("opendir", Call::OpenFolder),
    ("create", Call::Create),
    ("tmpfile", Call::CreateUnnamed),
    ("read", Call::Read),
    ("write", Call::Write),
    ("setattr", Call::SetAttributes),
    ("fsync", Call::Sync),
    ("fsyncdir", Call::SyncFolder),
    ("link", Call::Link),
    ("rename", Call::Rename),
    ("mkdir", Call::MakeFolder),
    ("unlink", Call::Unlink),
    ("rmdir", Call::RemoveFolder),
    ("statfs", Call::GetSpace),
];

impl FromStr for Call {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = CALLS.iter().find(|(name, _)| *name == word);
        found
            .map(|(_, call)| *call)
            .ok_or_else(|| format!("{word} is no call"))
    }
}

impl Call {
    /// Whether it changes something, and so fails where nothing may be written.
    fn changes(self) -> bool {
        !matches!(
            self,
            Self::Lookup
                | Self::Open
                | Self::OpenFolder
                | Self::Read
                | Self::Sync
                | Self::SyncFolder
                | Self::GetSpace
        )
    }
}

/// The errors that a disk has.
pub fn errno(word: &str) -> Result<Errno, String> {
    Ok(match word {
        "EIO" => Errno::IO,
        "ENOSPC" => Errno::NOSPC,
        "EDQUOT" => Errno::DQUOT,
        "EROFS" => Errno::ROFS,
        "EACCES" => Errno::ACCESS,
        "EPERM" => Errno::PERM,
        "ENOENT" => Errno::NOENT,
        "EMFILE" => Errno::MFILE,
        "ENFILE" => Errno::NFILE,
        "EMLINK" => Errno::MLINK,
        "EOPNOTSUPP" => Errno::OPNOTSUPP,
        "ESTALE" => Errno::STALE,
        "ETIMEDOUT" => Errno::TIMEDOUT,
        _ => return Err(format!("{word} is no error that is known here")),
    })
}

/// A call that fails.
#[derive(Debug)]
pub struct Fault {
    pub call: Call,
    pub errno: Errno,
    /// So many calls succeed before.
    pub after: u64,
    /// So many fail; `None`: all.
    pub times: Option<u64>,
    pub files: Files,
}

/// Some files, by the name that they were given last.
#[derive(Debug, Default)]
pub struct Files {
    /// It has this in it. One without a name has the empty name.
    pub name: Option<String>,
    /// It does not have this in it.
    pub except: Option<String>,
}

#[derive(Debug, Default)]
pub struct Faults {
    list: Vec<Fault>,
    delays: HashMap<Call, Duration>,
    /// Syncs that say they have written, and have not.
    ignored: Vec<(Call, Files)>,
    counts: HashMap<Call, u64>,
    pub is_read_only: bool,
    /// Pages that may be used, and what a write beyond them is told.
    pub pages: Option<(u64, Errno)>,
    /// Nodes that there may be.
    pub nodes: Option<u64>,
}

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        self.list.push(fault);
    }

    pub fn delay(&mut self, call: Call, time: Duration) {
        self.delays.insert(call, time);
    }

    pub fn ignore(&mut self, call: Call, files: Files) {
        self.ignored.push((call, files));
    }

    pub fn is_ignored(&self, call: Call, name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        self.ignored
            .iter()
            .any(|(ignored, files)| *ignored == call && files.include(&name))
    }

    pub fn delay_of(&self, call: Call) -> Duration {
        self.delays.get(&call).copied().unwrap_or_default()
    }

    /// Ends all of them.
    pub fn clear(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        *self = Self {
            counts,
            ..Self::default()
        };
    }

    /// How often a call was made.
    pub fn count(&self, call: Call) -> u64 {
        self.counts.get(&call).copied().unwrap_or(0)
    }

    /// Counts a call, and says whether it fails.
    pub fn check(&mut self, call: Call, name: &OsStr) -> Result<(), Errno> {
        *self.counts.entry(call).or_default() += 1;
        if self.is_read_only && call.changes() {
            return Err(Errno::ROFS);
        }
        let name = name.to_string_lossy();
        for fault in self
            .list
            .iter_mut()
            .filter(|fault| fault.is_about(call, &name))
        {
            if fault.after > 0 {
                fault.after -= 1;
            } else if fault.times != Some(0) {
                fault.times = fault.times.map(|times| times - 1);
                return Err(fault.errno);
            }
        }
        Ok(())
    }
}

impl Fault {
    fn is_about(&self, call: Call, name: &str) -> bool {
        self.call == call && self.files.include(name)
    }
}

impl Files {
    fn include(&self, name: &str) -> bool {
        let has = |part: &String| {
            if part.is_empty() {
                name.is_empty()
            } else {
                name.contains(part)
            }
        };
        self.name.as_ref().is_none_or(has) && !self.except.as_ref().is_some_and(has)
    }
}
