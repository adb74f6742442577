//! Requests of the kernel.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::NodeId;

/// What the kernel asks, and of which node.
#[derive(Debug)]
pub struct Request<'a> {
    pub unique: u64,
    pub node: NodeId,
    pub user: u32,
    pub group: u32,
    pub operation: Operation<'a>,
}

/// Where there is a name, the node of the request is the folder that has it.
#[derive(Debug)]
pub enum Operation<'a> {
    Initialize {
        minor: u32,
    },
    Lookup(&'a OsStr),
    /// The kernel no longer knows nodes, each so many times.
    Forget(Vec<(NodeId, u64)>),
    GetAttributes,
    SetAttributes(Changes),
    MakeFile {
        name: &'a OsStr,
        mode: u32,
    },
    MakeFolder {
        name: &'a OsStr,
        mode: u32,
    },
    /// Makes a file and opens it.
    Create {
        name: &'a OsStr,
        mode: u32,
    },
    /// Makes a file without a name and opens it.
    CreateUnnamed {
        mode: u32,
    },
    Unlink(&'a OsStr),
    RemoveFolder(&'a OsStr),
    Rename {
        name: &'a OsStr,
        to: NodeId,
        to_name: &'a OsStr,
        flags: u32,
    },
    /// Gives a node one more name.
    Link {
        target: NodeId,
        name: &'a OsStr,
    },
    Open,
    Read {
        offset: u64,
        size: u32,
    },
    Write {
        offset: u64,
        data: &'a [u8],
    },
    /// The last descriptor of what was opened by this handle is closed.
    Release {
        handle: u64,
    },
    Sync {
        handle: u64,
    },
    OpenFolder,
    ReadFolder {
        handle: u64,
        offset: u64,
        size: u32,
    },
    ReleaseFolder {
        handle: u64,
    },
    SyncFolder {
        handle: u64,
    },
    GetSpace,
    Allocate {
        offset: u64,
        length: u64,
        mode: u32,
    },
    Interrupt,
    /// One that is not known, which the kernel does without.
    Other,
}

/// What `SetAttributes` changes.
#[derive(Debug, Default)]
pub struct Changes {
    pub mode: Option<u32>,
    pub user: Option<u32>,
    pub group: Option<u32>,
    pub size: Option<u64>,
    pub modified: Option<When>,
}

#[derive(Debug, Clone, Copy)]
pub enum When {
    Now,
    /// Since 1970.
    At(Duration),
}

impl<'a> Request<'a> {
    /// Parses a request. `None`: it is shorter than the kernel makes it.
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let mut fields = Fields(octets);
        let _length = fields.u32()?;
        let code = fields.u32()?;
        let unique = fields.u64()?;
        let node = fields.u64()?;
        let (user, group) = (fields.u32()?, fields.u32()?);
        fields.skip(8)?;
        Some(Self {
            unique,
            node,
            user,
            group,
            operation: operation(code, node, &mut fields)?,
        })
    }
}

/// The names are those of `enum fuse_opcode`.
fn operation<'a>(code: u32, node: NodeId, fields: &mut Fields<'a>) -> Option<Operation<'a>> {
    Some(match code {
        1 => Operation::Lookup(fields.name()?),
        2 => Operation::Forget(vec![(node, fields.u64()?)]),
        42 => Operation::Forget(forgotten(fields)?),
        3 => Operation::GetAttributes,
        4 => Operation::SetAttributes(changes(fields)?),
        8 => {
            let mode = fields.u32()?;
            fields.skip(12)?;
            let name = fields.name()?;
            Operation::MakeFile { name, mode }
        }
        9 => {
            let mode = fields.u32()?;
            fields.skip(4)?;
            let name = fields.name()?;
            Operation::MakeFolder { name, mode }
        }
        10 => Operation::Unlink(fields.name()?),
        11 => Operation::RemoveFolder(fields.name()?),
        12 => rename(fields.u64()?, 0, fields)?,
        45 => {
            let (to, flags) = (fields.u64()?, fields.u32()?);
            fields.skip(4)?;
            rename(to, flags, fields)?
        }
        13 => Operation::Link {
            target: fields.u64()?,
            name: fields.name()?,
        },
        14 => Operation::Open,
        15 => {
            fields.skip(8)?;
            let (offset, size) = (fields.u64()?, fields.u32()?);
            Operation::Read { offset, size }
        }
        16 => {
            fields.skip(8)?;
            let (offset, size) = (fields.u64()?, fields.u32()?);
            fields.skip(20)?;
            let data = fields.take(size as usize)?;
            Operation::Write { offset, data }
        }
        17 => Operation::GetSpace,
        18 => Operation::Release {
            handle: fields.u64()?,
        },
        20 => Operation::Sync {
            handle: fields.u64()?,
        },
        26 => {
            let _major = fields.u32()?;
            let minor = fields.u32()?;
            Operation::Initialize { minor }
        }
        27 => Operation::OpenFolder,
        28 => Operation::ReadFolder {
            handle: fields.u64()?,
            offset: fields.u64()?,
            size: fields.u32()?,
        },
        29 => Operation::ReleaseFolder {
            handle: fields.u64()?,
        },
        30 => Operation::SyncFolder {
            handle: fields.u64()?,
        },
        35 | 51 => {
            fields.skip(4)?;
            let mode = fields.u32()?;
            fields.skip(8)?;
            if code == 51 {
                return Some(Operation::CreateUnnamed { mode });
            }
            let name = fields.name()?;
            Operation::Create { name, mode }
        }
        36 => Operation::Interrupt,
        43 => {
            fields.skip(8)?;
            Operation::Allocate {
                offset: fields.u64()?,
                length: fields.u64()?,
                mode: fields.u32()?,
            }
        }
        _ => Operation::Other,
    })
}

fn rename<'a>(to: NodeId, flags: u32, fields: &mut Fields<'a>) -> Option<Operation<'a>> {
    let (name, to_name) = (fields.name()?, fields.name()?);
    Some(Operation::Rename {
        name,
        to,
        to_name,
        flags,
    })
}

fn forgotten(fields: &mut Fields<'_>) -> Option<Vec<(NodeId, u64)>> {
    let count = fields.u32()?;
    fields.skip(4)?;
    (0..count)
        .map(|_| Some((fields.u64()?, fields.u64()?)))
        .collect()
}

/// `struct fuse_setattr_in`, whose first field tells which of the others count.
fn changes(fields: &mut Fields<'_>) -> Option<Changes> {
    const MODE: u32 = 1;
    const USER: u32 = 1 << 1;
    const GROUP: u32 = 1 << 2;
    const SIZE: u32 = 1 << 3;
    const MODIFIED: u32 = 1 << 5;
    const MODIFIED_NOW: u32 = 1 << 8;
    let valid = fields.u32()?;
    fields.skip(12)?;
    let size = fields.u64()?;
    fields.skip(16)?;
    let seconds = fields.u64()?;
    fields.skip(12)?;
    let nanoseconds = fields.u32()?;
    fields.skip(4)?;
    let mode = fields.u32()?;
    fields.skip(4)?;
    let (user, group) = (fields.u32()?, fields.u32()?);
    let at = Duration::new(seconds, nanoseconds);
    let modified = match valid & (MODIFIED | MODIFIED_NOW) {
        0 => None,
        MODIFIED => Some(When::At(at)),
        _ => Some(When::Now),
    };
    let given = |bit| valid & bit != 0;
    Some(Changes {
        mode: given(MODE).then_some(mode),
        user: given(USER).then_some(user),
        group: given(GROUP).then_some(group),
        size: given(SIZE).then_some(size),
        modified,
    })
}

/// What is left of a request: numbers in the byte order of the host, and names that end with a NUL.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_ne_bytes(*number))
    }

    fn u64(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_ne_bytes(*number))
    }

    fn name(&mut self) -> Option<&'a OsStr> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let name = self.take(end)?;
        self.skip(1)?;
        Some(OsStr::from_bytes(name))
    }
}
