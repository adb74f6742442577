//! Nodes and their names in folders: made, changed, removed, listed.

use std::ffi::OsStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::RenameFlags;
use rustix::io::Errno;

use super::content::Content;
use super::tree::{Body, Node};
use super::{Handle, State};
use crate::fuse::{Directory, NodeId, Reply, Request};

impl State {
    pub fn node(&self, node: NodeId) -> Result<&Node, Errno> {
        self.tree.nodes.get(&node).ok_or(Errno::STALE)
    }

    pub fn content(&mut self, node: NodeId) -> Result<&mut Content, Errno> {
        let node = self.tree.nodes.get_mut(&node).ok_or(Errno::STALE)?;
        node.content().ok_or(Errno::ISDIR)
    }

    pub fn add(&mut self, request: &Request<'_>, body: Body, mode: u32) -> Result<NodeId, Errno> {
        if self
            .faults
            .nodes
            .is_some_and(|limit| self.tree.nodes.len() as u64 >= limit)
        {
            self.tree.collect();
            if self
                .faults
                .nodes
                .is_some_and(|limit| self.tree.nodes.len() as u64 >= limit)
            {
                return Err(Errno::NOSPC);
            }
        }
        let parent = self.node(request.node)?;
        // A folder with the set-group-ID bit hands on its group.
        let inherits = parent.mode & 0o2000 != 0;
        let group = if inherits {
            parent.group
        } else {
            request.group
        };
        let mut node = Node::new(body, mode);
        if inherits && node.folder().is_some() {
            node.mode |= 0o2000;
        }
        (node.user, node.group, node.modified) = (request.user, group, now());
        Ok(self.tree.add(node))
    }

    pub fn is_free(&self, folder: NodeId, name: &OsStr) -> Result<(), Errno> {
        self.node(folder)?.folder().ok_or(Errno::NOTDIR)?;
        self.tree
            .find(folder, name)
            .map_or(Ok(()), |_| Err(Errno::EXIST))
    }

    pub fn make(
        &mut self,
        request: &Request<'_>,
        name: &OsStr,
        body: Body,
        mode: u32,
    ) -> Result<NodeId, Errno> {
        self.is_free(request.node, name)?;
        let number = self.add(request, body, mode)?;
        self.tree
            .rename(&[(request.node, name, Some(number))], now());
        Ok(number)
    }

    pub fn remove(
        &mut self,
        folder: NodeId,
        name: &OsStr,
        is_folder: bool,
    ) -> Result<Reply, Errno> {
        let found = self.tree.find(folder, name).ok_or(Errno::NOENT)?;
        match (self.node(found)?.folder(), is_folder) {
            (Some(_), false) => return Err(Errno::ISDIR),
            (None, true) => return Err(Errno::NOTDIR),
            (Some(folder), true) if !folder.now.is_empty() => return Err(Errno::NOTEMPTY),
            _ => {}
        }
        self.tree.rename(&[(folder, name, None)], now());
        Ok(Reply::Empty)
    }

    pub fn rename(
        &mut self,
        from: (NodeId, &OsStr),
        to: (NodeId, &OsStr),
        flags: u32,
    ) -> Result<Reply, Errno> {
        let found = self.tree.find(from.0, from.1).ok_or(Errno::NOENT)?;
        let flags = RenameFlags::from_bits_retain(flags);
        if flags.contains(RenameFlags::NOREPLACE) {
            self.is_free(to.0, to.1)?;
        } else if !flags.is_empty() {
            return Err(Errno::INVAL);
        }
        let replaced = self
            .tree
            .find(to.0, to.1)
            .map(|there| self.node(there))
            .transpose()?;
        if replaced
            .and_then(Node::folder)
            .is_some_and(|folder| !folder.now.is_empty())
        {
            return Err(Errno::NOTEMPTY);
        }
        if from != to {
            self.tree
                .rename(&[(to.0, to.1, Some(found)), (from.0, from.1, None)], now());
        }
        Ok(Reply::Empty)
    }

    /// Opens a file or a folder.
    pub fn open(&mut self, node: NodeId) -> Result<u64, Errno> {
        let opened = self.node(node)?;
        let names = opened.folder().map(|folder| &folder.now);
        let names = names.into_iter().flatten();
        let handle = Handle {
            failed_syncs: opened.failed_syncs,
            names: names.map(|(name, node)| (name.clone(), *node)).collect(),
        };
        self.next_handle += 1;
        self.handles.insert(self.next_handle, handle);
        Ok(self.next_handle)
    }

    /// Whether a sync failed since this handle was opened, of which it was not told yet. It is now.
    pub fn missed_failure(&mut self, node: NodeId, handle: u64) -> bool {
        let failed = self
            .tree
            .nodes
            .get(&node)
            .map_or(0, |node| node.failed_syncs);
        let handle = self.handles.get_mut(&handle);
        handle.is_some_and(|handle| std::mem::replace(&mut handle.failed_syncs, failed) < failed)
    }

    pub fn read_folder(&self, handle: u64, offset: u64, size: usize) -> Result<Reply, Errno> {
        let names = &self.handles.get(&handle).ok_or(Errno::BADF)?.names;
        let mut answer = Directory::default();
        let skipped = usize::try_from(offset).unwrap_or(usize::MAX);
        for ((name, number), next) in names.iter().zip(1..).skip(skipped) {
            // One that is gone is left out.
            let Some(node) = self.tree.nodes.get(number) else {
                continue;
            };
            let kind = node.attributes(*number).kind;
            if answer.add(size, *number, kind, name, next).is_err() {
                break;
            }
        }
        Ok(answer.into_reply())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the times of files are those of the host"
)]
pub fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
