//! Nodes, their names, and the changes of names that are not synced.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

use super::content::Content;
use crate::fuse::{Attributes, Kind, NodeId, ROOT};

pub type Names = BTreeMap<OsString, NodeId>;

#[derive(Debug)]
pub struct Node {
    pub mode: u32,
    pub user: u32,
    pub group: u32,
    pub modified: Duration,
    pub body: Body,
    /// Names that it has now.
    pub links: u32,
    /// How often the kernel was told of it and has not forgotten it.
    pub known: u64,
    /// Syncs of it that failed.
    pub failed_syncs: u64,
    /// The last name that it was given: faults may be for some files alone.
    pub name: OsString,
}

#[derive(Debug)]
pub enum Body {
    File(Content),
    Folder(Folder),
}

#[derive(Debug, Default)]
pub struct Folder {
    pub now: Names,
    pub durable: Names,
}

/// A change of names that is not synced: all of it is on the disk, or nothing.
#[derive(Debug, Clone)]
pub struct Change(Vec<Entry>);

/// What a name in a folder stands for from now on.
#[derive(Debug, Clone)]
struct Entry {
    folder: NodeId,
    name: OsString,
    node: Option<NodeId>,
}

#[derive(Debug)]
pub struct Tree {
    pub nodes: HashMap<NodeId, Node>,
    pub pending: Vec<Change>,
    next: NodeId,
}

impl Default for Tree {
    fn default() -> Self {
        let mut root = Node::new(Body::Folder(Folder::default()), 0o755);
        root.links = 1;
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            pending: Vec::new(),
            next: ROOT + 1,
        }
    }
}

impl Node {
    pub fn new(body: Body, mode: u32) -> Self {
        Self {
            mode: mode & 0o7777,
            user: 0,
            group: 0,
            modified: Duration::ZERO,
            body,
            links: 0,
            known: 0,
            failed_syncs: 0,
            name: OsString::new(),
        }
    }

    pub fn attributes(&self, node: NodeId) -> Attributes {
        let (kind, size, links) = match &self.body {
            Body::File(content) => (Kind::File, content.size(), self.links),
            Body::Folder(_) => (Kind::Folder, 4096, self.links + 1),
        };
        Attributes {
            node,
            kind,
            mode: self.mode,
            size,
            links,
            user: self.user,
            group: self.group,
            modified: self.modified,
        }
    }

    pub fn content(&mut self) -> Option<&mut Content> {
        match &mut self.body {
            Body::File(content) => Some(content),
            Body::Folder(_) => None,
        }
    }

    pub fn folder(&self) -> Option<&Folder> {
        match &self.body {
            Body::File(_) => None,
            Body::Folder(folder) => Some(folder),
        }
    }

    pub fn folder_mut(&mut self) -> Option<&mut Folder> {
        match &mut self.body {
            Body::File(_) => None,
            Body::Folder(folder) => Some(folder),
        }
    }
}

impl Tree {
    /// Adds a node that has no name yet.
    pub fn add(&mut self, node: Node) -> NodeId {
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, node);
        number
    }

    pub fn find(&self, folder: NodeId, name: &OsStr) -> Option<NodeId> {
        self.nodes.get(&folder)?.folder()?.now.get(name).copied()
    }

    /// Lets names stand for other nodes, or for nothing, in one change.
    pub fn rename(&mut self, names: &[(NodeId, &OsStr, Option<NodeId>)], now: Duration) {
        for (folder, name, node) in names {
            if let Some(node) = node.and_then(|node| self.nodes.get_mut(&node)) {
                node.links += 1;
                (*name).clone_into(&mut node.name);
            }
            let Some(parent) = self.nodes.get_mut(folder) else {
                continue;
            };
            parent.modified = now;
            let Some(folder) = parent.folder_mut() else {
                continue;
            };
            let before = set(&mut folder.now, name, *node);
            if let Some(before) = before.and_then(|before| self.nodes.get_mut(&before)) {
                before.links -= 1;
            }
        }
        let names = names.iter().map(|(folder, name, node)| Entry {
            folder: *folder,
            name: (*name).to_owned(),
            node: *node,
        });
        self.pending.push(Change(names.collect()));
    }

    /// Takes in hand the changes of a folder that are not synced, and of others what they depend on.
    pub fn begin_sync(&mut self, folder: NodeId) -> Vec<Change> {
        self.take_pending(|change| change.0.iter().any(|name| name.folder == folder))
    }

    /// Takes those changes that `wants` says, and all before them that have a name in common.
    pub fn take_pending(&mut self, mut wants: impl FnMut(&Change) -> bool) -> Vec<Change> {
        let mut names = HashSet::new();
        let mut taken = Vec::new();
        let mut left = Vec::new();
        for change in std::mem::take(&mut self.pending).into_iter().rev() {
            let is_needed = change
                .0
                .iter()
                .any(|name| names.contains(&(name.folder, name.name.clone())));
            if is_needed || wants(&change) {
                names.extend(change.0.iter().map(|name| (name.folder, name.name.clone())));
                taken.push(change);
            } else {
                left.push(change);
            }
        }
        taken.reverse();
        left.reverse();
        self.pending = left;
        taken
    }

    pub fn make_durable(&mut self, changes: &[Change]) {
        for name in changes.iter().flat_map(|change| &change.0) {
            if let Some(folder) = self.nodes.get_mut(&name.folder).and_then(Node::folder_mut) {
                set(&mut folder.durable, &name.name, name.node);
            }
        }
    }

    /// Makes all durable that is there.
    pub fn sync_all(&mut self) {
        let changes = std::mem::take(&mut self.pending);
        self.make_durable(&changes);
        for content in self.nodes.values_mut().filter_map(Node::content) {
            let sync = content.begin_sync();
            content.finish(sync);
        }
    }

    /// Forgets nodes that nobody can reach any more, now or after a power cut.
    pub fn collect(&mut self) {
        let mut kept: HashSet<NodeId> = self
            .pending
            .iter()
            .flat_map(|change| &change.0)
            .filter_map(|name| name.node)
            .collect();
        for node in self.nodes.values().filter_map(Node::folder) {
            kept.extend(node.now.values().chain(node.durable.values()));
        }
        self.nodes
            .retain(|number, node| *number == ROOT || node.known > 0 || kept.contains(number));
    }

    /// Begins anew with what is on the disk, every node under another number: nobody can take one for what was there before.
    pub fn restart(&mut self) {
        self.pending.clear();
        let mut before = std::mem::take(&mut self.nodes);
        let mut numbers = HashMap::from([(ROOT, ROOT)]);
        let mut waiting = vec![ROOT];
        while let Some(old) = waiting.pop() {
            let (Some(mut node), Some(&number)) = (before.remove(&old), numbers.get(&old)) else {
                continue;
            };
            node.known = 0;
            node.links = u32::from(number == ROOT);
            if let Some(folder) = node.folder_mut() {
                for child in folder.durable.values_mut() {
                    let is_new = !numbers.contains_key(child);
                    let new = *numbers.entry(*child).or_insert(self.next);
                    if is_new {
                        self.next += 1;
                        waiting.push(*child);
                    }
                    *child = new;
                }
                folder.now = folder.durable.clone();
            }
            self.nodes.insert(number, node);
        }
        let linked: Vec<NodeId> = self
            .nodes
            .values()
            .filter_map(Node::folder)
            .flat_map(|folder| folder.now.values().copied())
            .collect();
        for number in linked {
            if let Some(node) = self.nodes.get_mut(&number) {
                node.links += 1;
            }
        }
    }
}

fn set(names: &mut Names, name: &OsStr, node: Option<NodeId>) -> Option<NodeId> {
    match node {
        Some(node) => names.insert(name.to_owned(), node),
        None => names.remove(name),
    }
}
