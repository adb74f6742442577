//! What the kernel asks for.

use std::ffi::{OsStr, OsString};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;

use super::content::{Content, PAGE};
use super::faults::Call;
use super::names::now;
use super::tree::{Body, Folder, Node};
use super::{Disk, State, locked};
use crate::fuse::{Changes, FileSystem, NodeId, Operation, Reply, Request, Space, When};

impl FileSystem for Disk {
    fn answer(&self, request: &Request<'_>) -> Result<Reply, Errno> {
        match &request.operation {
            Operation::Sync { handle } => self.sync(request.node, *handle, Call::Sync),
            Operation::SyncFolder { handle } => self.sync(request.node, *handle, Call::SyncFolder),
            Operation::CreateUnnamed { .. } if !self.has_unnamed_files => Err(Errno::OPNOTSUPP),
            Operation::Link { .. } if !self.has_hard_links => Err(Errno::PERM),
            _ => {
                let delay = self.delay(request)?;
                thread::sleep(delay);
                self.state().answer(request)
            }
        }
    }
}

impl Disk {
    /// Counts the call, and says how long it takes, or that it fails.
    fn delay(&self, request: &Request<'_>) -> Result<Duration, Errno> {
        let mut state = self.state();
        let Some((call, name)) = state.call(request) else {
            return Ok(Duration::ZERO);
        };
        let delay = state.faults.delay_of(call);
        state.faults.check(call, &name)?;
        Ok(delay)
    }

    /// What is written by now is durable at the end, unless the power is cut meanwhile.
    fn sync(&self, node: NodeId, handle: u64, call: Call) -> Result<Reply, Errno> {
        let _syncs = locked(&self.syncs);
        let mut state = self.state();
        state.powered()?;
        let name = state.name_of(node);
        let failed = state.faults.check(call, &name);
        if state.faults.is_ignored(call, &name) {
            return failed.map(|()| Reply::Empty);
        }
        let changes = if call == Call::SyncFolder {
            // Names wait for another sync, as they do in the journal of a file system.
            failed?;
            state.tree.begin_sync(node)
        } else {
            Vec::new()
        };
        let content = state
            .tree
            .nodes
            .get_mut(&node)
            .and_then(Node::content)
            .map(Content::begin_sync);
        if let (Err(_), Some(node)) = (failed, state.tree.nodes.get_mut(&node)) {
            // What it should have written is not tried again.
            node.failed_syncs += 1;
        }
        let missed = state.missed_failure(node, handle);
        failed?;
        let (delay, power_cuts) = (state.faults.delay_of(call), state.power_cuts);
        drop(state);
        thread::sleep(delay);
        let mut state = self.state();
        if state.power_cuts != power_cuts {
            return Err(Errno::IO);
        }
        state.tree.make_durable(&changes);
        if let (Some(file), Some(sync)) = (
            state.tree.nodes.get_mut(&node).and_then(Node::content),
            content,
        ) {
            file.finish(sync);
        }
        if missed {
            return Err(Errno::IO);
        }
        Ok(Reply::Empty)
    }
}

impl State {
    fn powered(&self) -> Result<(), Errno> {
        if self.has_power {
            Ok(())
        } else {
            Err(Errno::IO)
        }
    }

    fn name_of(&self, node: NodeId) -> OsString {
        self.tree
            .nodes
            .get(&node)
            .map(|node| node.name.clone())
            .unwrap_or_default()
    }

    /// By what a fault knows a request.
    fn call(&self, request: &Request<'_>) -> Option<(Call, OsString)> {
        let of_node = |call| Some((call, self.name_of(request.node)));
        let of_name = |call, name: &OsStr| Some((call, name.to_owned()));
        match &request.operation {
            Operation::Lookup(name) => of_name(Call::Lookup, name),
            Operation::SetAttributes(_) | Operation::Allocate { .. } => {
                of_node(Call::SetAttributes)
            }
            Operation::Create { name, .. } | Operation::MakeFile { name, .. } => {
                of_name(Call::Create, name)
            }
            Operation::MakeFolder { name, .. } => of_name(Call::MakeFolder, name),
            Operation::CreateUnnamed { .. } => of_name(Call::CreateUnnamed, OsStr::new("")),
            Operation::Unlink(name) => of_name(Call::Unlink, name),
            Operation::RemoveFolder(name) => of_name(Call::RemoveFolder, name),
            Operation::Rename { to_name, .. } => of_name(Call::Rename, to_name),
            Operation::Link { name, .. } => of_name(Call::Link, name),
            Operation::Open => of_node(Call::Open),
            Operation::OpenFolder => of_node(Call::OpenFolder),
            Operation::Read { .. } => of_node(Call::Read),
            Operation::Write { .. } => of_node(Call::Write),
            Operation::GetSpace => of_name(Call::GetSpace, OsStr::new("")),
            _ => None,
        }
    }

    fn answer(&mut self, request: &Request<'_>) -> Result<Reply, Errno> {
        if let Operation::Forget(nodes) = &request.operation {
            self.forget(nodes);
            return Ok(Reply::None);
        }
        self.powered()?;
        let node = request.node;
        match &request.operation {
            Operation::Lookup(name) => self
                .tree
                .find(node, name)
                .ok_or(Errno::NOENT)
                .and_then(|found| self.told(found)),
            Operation::GetAttributes => Ok(Reply::Attributes(self.node(node)?.attributes(node))),
            Operation::SetAttributes(changes) => self.change(node, changes),
            Operation::Create { name, mode } => {
                let made = self.make(request, name, Body::File(Content::default()), *mode)?;
                self.created(made)
            }
            Operation::MakeFile { name, mode } => {
                let made = self.make(request, name, Body::File(Content::default()), *mode)?;
                self.told(made)
            }
            Operation::MakeFolder { name, mode } => {
                let made = self.make(request, name, Body::Folder(Folder::default()), *mode)?;
                self.told(made)
            }
            Operation::CreateUnnamed { mode } => {
                let made = self.add(request, Body::File(Content::default()), *mode)?;
                self.created(made)
            }
            Operation::Unlink(name) => self.remove(node, name, false),
            Operation::RemoveFolder(name) => self.remove(node, name, true),
            Operation::Rename {
                name,
                to,
                to_name,
                flags,
            } => self.rename((node, name), (*to, to_name), *flags),
            Operation::Link { target, name } => {
                self.node(*target)?;
                self.is_free(node, name)?;
                self.tree.rename(&[(node, name, Some(*target))], now());
                self.told(*target)
            }
            Operation::Open | Operation::OpenFolder => Ok(Reply::Opened(self.open(node)?)),
            Operation::Read { offset, size } => Ok(Reply::Data(
                self.content(node)?.read(*offset, *size as usize),
            )),
            Operation::Write { offset, data } => self.write(node, *offset, data),
            Operation::ReadFolder {
                handle,
                offset,
                size,
            } => self.read_folder(*handle, *offset, *size as usize),
            Operation::Release { handle } | Operation::ReleaseFolder { handle } => {
                self.handles.remove(handle);
                Ok(Reply::Empty)
            }
            Operation::GetSpace => Ok(Reply::Space(self.space())),
            Operation::Allocate {
                offset,
                length,
                mode: 0,
            } => {
                let size = self.node(node)?.attributes(node).size.max(offset + length);
                self.content(node)?.set_size(size);
                Ok(Reply::Empty)
            }
            Operation::Allocate { .. } => Err(Errno::OPNOTSUPP),
            _ => Err(Errno::NOSYS),
        }
    }

    /// The kernel knows a node once more.
    fn told(&mut self, number: NodeId) -> Result<Reply, Errno> {
        let node = self.tree.nodes.get_mut(&number).ok_or(Errno::STALE)?;
        node.known += 1;
        Ok(Reply::Node(node.attributes(number)))
    }

    fn created(&mut self, number: NodeId) -> Result<Reply, Errno> {
        match self.told(number)? {
            Reply::Node(attributes) => Ok(Reply::Created(attributes, self.open(number)?)),
            other => Ok(other),
        }
    }

    fn forget(&mut self, nodes: &[(NodeId, u64)]) {
        for (number, times) in nodes {
            if let Some(node) = self.tree.nodes.get_mut(number) {
                node.known = node.known.saturating_sub(*times);
            }
        }
        self.forgotten += nodes.len();
        if self.forgotten > self.tree.nodes.len() + 1000 {
            self.forgotten = 0;
            self.tree.collect();
        }
    }

    fn change(&mut self, number: NodeId, changes: &Changes) -> Result<Reply, Errno> {
        let node = self.tree.nodes.get_mut(&number).ok_or(Errno::STALE)?;
        if let Some(mode) = changes.mode {
            node.mode = mode & 0o7777;
        }
        node.user = changes.user.unwrap_or(node.user);
        node.group = changes.group.unwrap_or(node.group);
        match changes.modified {
            Some(When::At(at)) => node.modified = at,
            Some(When::Now) => node.modified = now(),
            None => {}
        }
        if let Some(size) = changes.size {
            node.content().ok_or(Errno::ISDIR)?.set_size(size);
            node.modified = now();
        }
        Ok(Reply::Attributes(node.attributes(number)))
    }

    fn write(&mut self, number: NodeId, offset: u64, data: &[u8]) -> Result<Reply, Errno> {
        let more = self.content(number)?.new_pages(offset, data);
        if let Some((limit, errno)) = self.faults.pages
            && more > 0
            && self.used() + more > limit
        {
            return Err(errno);
        }
        self.content(number)?.write(offset, data);
        if let Some(node) = self.tree.nodes.get_mut(&number) {
            node.modified = now();
        }
        Ok(Reply::Written(u32::try_from(data.len()).unwrap_or(0)))
    }

    /// Pages that files have.
    fn used(&mut self) -> u64 {
        self.tree.collect();
        self.tree
            .nodes
            .values_mut()
            .filter_map(Node::content)
            .map(|content| content.page_count())
            .sum()
    }

    fn space(&mut self) -> Space {
        const MUCH: u64 = (16 << 30) / PAGE as u64;
        const MANY: u64 = 1 << 20;
        let (pages, nodes) = (self.used(), self.tree.nodes.len() as u64);
        let blocks = self.faults.pages.map_or(MUCH, |(limit, _)| limit);
        let files = self.faults.nodes.unwrap_or(MANY);
        Space {
            blocks,
            free_blocks: blocks.saturating_sub(pages),
            files,
            free_files: files.saturating_sub(nodes),
        }
    }
}
