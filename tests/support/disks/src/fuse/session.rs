//! A mounted file system and the threads that answer the kernel.

use std::fs::File;
use std::io::{self, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustix::io::Errno;

use super::reply::MAX_WRITE;
use super::{Operation, Reply, Request};

/// How many requests are worked at: some may wait for a sync, and the others shall not wait for these.
const THREADS: usize = 8;

/// The newest version of the protocol that is known here: the one that has files without a name.
const MINOR: u32 = 38;

/// What answers the kernel's requests.
pub trait FileSystem: Send + Sync + 'static {
    /// The answer to a request. `NOSYS` lets the kernel do without the operation from then on.
    fn answer(&self, request: &Request<'_>) -> Result<Reply, Errno>;
}

/// A mounted file system. It is unmounted when this is dropped; after a kill it stays until somebody unmounts it.
#[derive(Debug)]
pub struct Mount {
    mountpoint: PathBuf,
}

impl Mount {
    /// Mounts a file system, which needs the right to.
    pub fn new(mountpoint: &Path, name: &str, system: &Arc<impl FileSystem>) -> io::Result<Self> {
        let device = File::options().read(true).write(true).open("/dev/fuse")?;
        // The kernel takes the device by its descriptor: the standard input of `mount`.
        let status = Command::new("mount")
            .args(["-i", "-t", &format!("fuse.{name}"), "-o"])
            .arg("fd=0,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions,nosuid,nodev")
            .arg(name)
            .arg(mountpoint)
            .stdin(Stdio::from(device.try_clone()?))
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other("nothing may be mounted here"));
        }
        let mount = Self {
            mountpoint: mountpoint.to_owned(),
        };
        let device = Arc::new(device);
        for _ in 0..THREADS {
            let (device, system) = (Arc::clone(&device), Arc::clone(system));
            thread::Builder::new().spawn(move || answer_all(&device, &*system))?;
        }
        Ok(mount)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A test may have unmounted it, and whoever has files open there keeps them until the process ends.
        let _ = Command::new("umount")
            .arg("-l")
            .arg(&self.mountpoint)
            .stderr(Stdio::null())
            .status();
    }
}

/// Answers requests until the file system is unmounted.
fn answer_all(device: &File, system: &impl FileSystem) {
    let mut buffer = vec![0; MAX_WRITE as usize + 4096];
    loop {
        let read = (&mut &*device).read(&mut buffer);
        let length = match read.map_err(|error| error.raw_os_error().map(Errno::from_raw_os_error))
        {
            Ok(length) => length,
            // The request was taken back before it was read.
            Err(Some(Errno::NOENT | Errno::INTR | Errno::AGAIN)) => continue,
            Err(_) => return,
        };
        let Some(request) = Request::parse(&buffer[..length]) else {
            refuse(device, &buffer[..length]);
            continue;
        };
        let reply = match request.operation {
            Operation::Initialize { minor } => Ok(Reply::Initialized(minor.min(MINOR))),
            Operation::Interrupt => Ok(Reply::None),
            _ => system.answer(&request),
        };
        let (error, body) = match reply.map(Reply::encode) {
            Ok(Some(body)) => (0, body),
            Ok(None) => continue,
            Err(errno) => (-errno.raw_os_error(), Vec::new()),
        };
        send(device, request.unique, error, &body);
    }
}

/// Answers what cannot be understood, so that nobody waits for ever.
fn refuse(device: &File, request: &[u8]) {
    if let Some(unique) = request.get(8..16).and_then(|octets| octets.try_into().ok()) {
        send(
            device,
            u64::from_ne_bytes(unique),
            -Errno::IO.raw_os_error(),
            &[],
        );
    }
}

fn send(mut device: &File, unique: u64, error: i32, body: &[u8]) {
    let length = u32::try_from(16 + body.len()).unwrap_or(u32::MAX);
    let mut head = Vec::with_capacity(16);
    head.extend_from_slice(&length.to_ne_bytes());
    head.extend_from_slice(&error.to_ne_bytes());
    head.extend_from_slice(&unique.to_ne_bytes());
    // Who asked may be gone by now, or the file system; then nobody misses the answer.
    let _ = device.write_vectored(&[IoSlice::new(&head), IoSlice::new(body)]);
}
