//! What the kernel asks for: the file `disk`, and a file for each state that is shown.

use std::time::Duration;

use rustix::io::Errno;

use super::{Disk, History};
use crate::fuse::{Attributes, FileSystem, Kind, NodeId, Operation, ROOT, Reply, Request};

const DISK: NodeId = ROOT + 1;
pub const FIRST_STATE: NodeId = DISK + 1;

/// The name of the file that shows a state.
pub fn state_name(number: NodeId) -> String {
    format!("state-{number}")
}

pub fn state_number(name: &str) -> Option<NodeId> {
    name.strip_prefix("state-")?.parse().ok()
}

impl FileSystem for Disk {
    fn answer(&self, request: &Request<'_>) -> Result<Reply, Errno> {
        let node = request.node;
        let mut history = self.history();
        match &request.operation {
            Operation::Forget(_) => Ok(Reply::None),
            Operation::Lookup(name) => {
                let name = name.to_str().ok_or(Errno::NOENT)?;
                let found = if name == "disk" {
                    Some(DISK)
                } else {
                    state_number(name)
                };
                Ok(Reply::Node(
                    self.attributes(&history, found.ok_or(Errno::NOENT)?)?,
                ))
            }
            // Whoever sets a time or a size changes nothing: a disk has neither.
            Operation::GetAttributes | Operation::SetAttributes(_) => {
                Ok(Reply::Attributes(self.attributes(&history, node)?))
            }
            Operation::Open | Operation::OpenFolder => Ok(Reply::Opened(0)),
            Operation::ReadFolder { .. } => Ok(Reply::Data(Vec::new())),
            Operation::Release { .. } | Operation::ReleaseFolder { .. } => Ok(Reply::Empty),
            Operation::Read { offset, size } => {
                history.read(node, *offset, self.within(*offset, *size as usize)?)
            }
            Operation::Write { offset, data } => {
                self.within(*offset, data.len())?;
                history.write(node, *offset, data)
            }
            Operation::Sync { .. } => {
                if node == DISK {
                    history.record.flush();
                }
                Ok(Reply::Empty)
            }
            _ => Err(Errno::NOSYS),
        }
    }
}

impl Disk {
    fn attributes(&self, history: &History, node: NodeId) -> Result<Attributes, Errno> {
        let (kind, mode, size) = match node {
            ROOT => (Kind::Folder, 0o700, 0),
            DISK => (Kind::File, 0o600, self.size),
            _ if history.states.contains_key(&node) => (Kind::File, 0o600, self.size),
            _ => return Err(Errno::NOENT),
        };
        Ok(Attributes {
            node,
            kind,
            mode,
            size,
            links: 1,
            user: 0,
            group: 0,
            modified: Duration::ZERO,
        })
    }

    /// How much of so many octets there is.
    fn within(&self, offset: u64, length: usize) -> Result<usize, Errno> {
        let left = self.size.checked_sub(offset).ok_or(Errno::NOSPC)?;
        Ok(length.min(usize::try_from(left).unwrap_or(usize::MAX)))
    }
}

impl History {
    fn read(&self, node: NodeId, offset: u64, size: usize) -> Result<Reply, Errno> {
        Ok(Reply::Data(match node {
            DISK => self.record.read(offset, size),
            _ => self
                .states
                .get(&node)
                .ok_or(Errno::IO)?
                .read(&self.record, offset, size),
        }))
    }

    fn write(&mut self, node: NodeId, offset: u64, data: &[u8]) -> Result<Reply, Errno> {
        match node {
            DISK => self.record.write(offset, data),
            _ => self
                .states
                .get_mut(&node)
                .ok_or(Errno::IO)?
                .write(&self.record, offset, data),
        }
        Ok(Reply::Written(u32::try_from(data.len()).unwrap_or(0)))
    }
}
