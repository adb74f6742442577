//! Answers to the kernel.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::NodeId;

/// An answer that is no error.
#[derive(Debug)]
pub enum Reply {
    /// The kernel waits for none.
    None,
    Empty,
    /// A node that a name stands for.
    Node(Attributes),
    Attributes(Attributes),
    /// It is open by this handle.
    Opened(u64),
    /// It is made, and open by this handle.
    Created(Attributes, u64),
    Data(Vec<u8>),
    Written(u32),
    Space(Space),
    /// The protocol's minor version that is spoken.
    Initialized(u32),
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    File,
    Folder,
}

/// What the kernel is told of a node.
#[derive(Debug, Clone, Copy)]
pub struct Attributes {
    pub node: NodeId,
    pub kind: Kind,
    /// The permissions alone.
    pub mode: u32,
    pub size: u64,
    pub links: u32,
    pub user: u32,
    pub group: u32,
    /// Since 1970.
    pub modified: Duration,
}

/// What there is room for: blocks of [`Space::BLOCK`], and files.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    pub blocks: u64,
    pub free_blocks: u64,
    pub files: u64,
    pub free_files: u64,
}

impl Space {
    pub const BLOCK: u32 = 4096;
}

/// The kernel has no data of the file in memory: each read and each write comes here.
const DIRECT: u32 = 1;
/// Several at once in one folder.
const PARALLEL_LOOKUPS: u32 = 1 << 18;
/// Writes of more than one page.
const LARGE_WRITES: u32 = 1 << 5;
const LARGE_REQUESTS: u32 = 1 << 22;
/// The most of a write.
pub const MAX_WRITE: u32 = 1 << 20;

impl Reply {
    /// What follows the header of an answer. `None`: there is no answer.
    pub fn encode(self) -> Option<Vec<u8>> {
        let mut out = Fields(Vec::new());
        match self {
            Self::None => return None,
            Self::Empty => {}
            Self::Node(attributes) => out.entry(&attributes),
            Self::Attributes(attributes) => {
                out.u64(0).u64(0);
                out.attributes(&attributes);
            }
            Self::Opened(handle) => {
                out.u64(handle).u32(DIRECT).u32(0);
            }
            Self::Created(attributes, handle) => {
                out.entry(&attributes);
                out.u64(handle).u32(DIRECT).u32(0);
            }
            Self::Data(data) => out.0 = data,
            Self::Written(size) => {
                out.u32(size).u32(0);
            }
            Self::Space(space) => out.space(&space),
            Self::Initialized(minor) => out.initialized(minor),
        }
        Some(out.0)
    }
}

/// What a folder has, as an answer to reading it.
#[derive(Debug, Default)]
pub struct Directory(Vec<u8>);

impl Directory {
    /// Adds a name, which is followed by those that come from `next` on, or says that `size` is too small for it.
    pub fn add(
        &mut self,
        size: usize,
        node: NodeId,
        kind: Kind,
        name: &OsStr,
        next: u64,
    ) -> Result<(), ()> {
        let name = name.as_bytes();
        if self.0.len() + (24 + name.len()).next_multiple_of(8) > size {
            return Err(());
        }
        let mut out = Fields(std::mem::take(&mut self.0));
        let length = u32::try_from(name.len()).map_err(|_| ())?;
        out.u64(node).u64(next).u32(length).u32(kind.bits() >> 12);
        out.0.extend_from_slice(name);
        out.0.resize(out.0.len().next_multiple_of(8), 0);
        self.0 = out.0;
        Ok(())
    }

    pub fn into_reply(self) -> Reply {
        Reply::Data(self.0)
    }
}

impl Kind {
    fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Folder => 0o040_000,
        }
    }
}

struct Fields(Vec<u8>);

impl Fields {
    fn u16(&mut self, number: u16) -> &mut Self {
        self.0.extend_from_slice(&number.to_ne_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend_from_slice(&number.to_ne_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_ne_bytes());
        self
    }

    /// `struct fuse_entry_out`, good for no time at all.
    fn entry(&mut self, attributes: &Attributes) {
        self.u64(attributes.node).u64(0).u64(0).u64(0).u32(0).u32(0);
        self.attributes(attributes);
    }

    /// `struct fuse_attr`.
    fn attributes(&mut self, attributes: &Attributes) {
        let (seconds, nanoseconds) = (
            attributes.modified.as_secs(),
            attributes.modified.subsec_nanos(),
        );
        self.u64(attributes.node).u64(attributes.size);
        self.u64(attributes.size.div_ceil(512));
        self.u64(seconds).u64(seconds).u64(seconds);
        self.u32(nanoseconds).u32(nanoseconds).u32(nanoseconds);
        self.u32(attributes.kind.bits() | attributes.mode);
        self.u32(attributes.links);
        self.u32(attributes.user).u32(attributes.group);
        self.u32(0).u32(Space::BLOCK).u32(0);
    }

    /// `struct fuse_kstatfs`.
    fn space(&mut self, space: &Space) {
        self.u64(space.blocks)
            .u64(space.free_blocks)
            .u64(space.free_blocks);
        self.u64(space.files).u64(space.free_files);
        self.u32(Space::BLOCK).u32(255).u32(Space::BLOCK);
        self.0.resize(80, 0);
    }

    /// `struct fuse_init_out`.
    fn initialized(&mut self, minor: u32) {
        self.u32(7).u32(minor).u32(0);
        self.u32(PARALLEL_LOOKUPS | LARGE_WRITES | LARGE_REQUESTS);
        self.u16(64).u16(48);
        self.u32(MAX_WRITE).u32(1);
        let pages = u16::try_from(MAX_WRITE / Space::BLOCK).unwrap_or(u16::MAX);
        self.u16(pages);
        self.0.resize(64, 0);
    }
}
