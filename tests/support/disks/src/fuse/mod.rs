//! What the disks need of the protocol between Linux and a file system in user space (linux/fuse.h): requests are read from
//! `/dev/fuse`, answers written there.
//!
//! Locks are the kernel's own affair. It keeps nothing
//! that it was told, neither names nor attributes nor data: after a power cut all is different.

mod reply;
mod request;
mod session;

pub use reply::{Attributes, Directory, Kind, Reply, Space};
pub use request::{Changes, Operation, Request, When};
pub use session::{FileSystem, Mount};

/// The number by which the kernel knows a file, its inode number too.
pub type NodeId = u64;

/// The folder that is mounted.
pub const ROOT: NodeId = 1;
