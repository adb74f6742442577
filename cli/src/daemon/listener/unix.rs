//! Connections over Unix sockets.

use super::super::log;
use super::tcp::BACKLOG;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, File, Permissions};
use std::future::Future;
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixSocket, UnixStream};
use tokio::time::{Sleep, sleep};

/// Who may connect: whoever may write to the file of a socket.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub mode: u32,
    pub group: Option<u32>,
}

impl Access {
    pub const DEFAULT_MODE: u32 = 0o660;
}

/// The file of a socket, which is removed with it.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: Identity,
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // A file that is no longer ours is left alone.
        if identity(&self.path).is_ok_and(|now| now == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::socket_not_removed(&self.path, &error);
        }
    }
}

/// Device and inode, and the creation time if the file system has it: inodes are reused.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(path: &Path) -> io::Result<Identity> {
    let metadata = fs::symlink_metadata(path)?;
    let made = metadata.created().ok();
    Ok((metadata.dev(), metadata.ino(), made))
}

/// Listens on a path. The socket of a dead daemon is replaced; one that answers is left alone.
pub async fn bind(path: &Path, access: Access) -> io::Result<(UnixListener, SocketFile)> {
    // If two daemons found the same dead socket, one would remove the other's new one.
    let _locked = lock_folder_of(path)?;
    let socket = UnixSocket::new_stream()?;
    match socket.bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_dead(path).await?;
            socket.bind(path)?;
        }
        bound => bound?,
    }
    let file = SocketFile::new(path)?;
    // Nobody can connect before `listen`.
    if access.group.is_some() {
        lchown(path, None, access.group)?;
    }
    fs::set_permissions(path, Permissions::from_mode(access.mode))?;
    Ok((socket.listen(BACKLOG)?, file))
}

/// Keeps other daemons from replacing a socket in the same folder meanwhile.
fn lock_folder_of(path: &Path) -> io::Result<Option<File>> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let folder = match File::open(folder) {
        // Whoever may not list a folder may still write to it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        folder => folder?,
    };
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(folder)),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let sentence = "another program holds a lock on the folder of the socket";
            Err(io::Error::new(io::ErrorKind::ResourceBusy, sentence))
        }
        Err(error) => Err(error.into()),
    }
}

async fn remove_dead(path: &Path) -> io::Result<()> {
    let in_use = |sentence| Err(io::Error::new(io::ErrorKind::AddrInUse, sentence));
    if !fs::symlink_metadata(path)?.file_type().is_socket() {
        return in_use("there is a file of this name that is no socket");
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        // A socket whose queue is full is alive as well.
        Ok(_) => in_use("another program is listening there"),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            in_use("another program is listening there")
        }
        Err(error) => Err(error),
    }
}

/// A connection that fails when its client does not read for too long. The kernel has no time limit for that, unlike
/// for TCP.
#[derive(Debug)]
pub struct UnixConnection {
    stream: UnixStream,
    limit: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl UnixConnection {
    pub fn new(stream: UnixStream, limit: Duration) -> Self {
        Self {
            stream,
            limit,
            waiting: None,
        }
    }

    fn within_limit<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let limit = self.limit;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for UnixConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for UnixConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.within_limit(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.within_limit(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn writing_fails_if_the_client_never_reads() {
        let bytes = vec![0; 10 << 20];
        let (stream, client) = UnixStream::pair().unwrap();
        let mut connection = UnixConnection::new(stream, Duration::from_millis(50));
        let error = connection.write_all(&bytes).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(client);
        // Data that is read may take its time.
        let (stream, mut client) = UnixStream::pair().unwrap();
        let mut connection = UnixConnection::new(stream, Duration::from_mins(1));
        let mut taken = vec![1; bytes.len()];
        let (written, read) =
            tokio::join!(connection.write_all(&bytes), client.read_exact(&mut taken));
        written.unwrap();
        read.unwrap();
        assert_eq!(taken, bytes);
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let access = Access {
            mode: 0o620,
            group: None,
        };
        let (listener, file) = bind(&path, access).await.unwrap();
        let mode = fs::metadata(&path).unwrap().mode();
        assert_eq!(mode & 0o777, 0o620);
        let error = bind(&path, access).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        // It is still there, as after kill -9.
        let (_listener, replaced) = bind(&path, access).await.unwrap();
        // A file that now belongs to another daemon stays.
        drop(file);
        assert!(path.exists());
        drop(replaced);
        assert!(!path.exists());
        fs::write(&path, "mine").unwrap();
        let error = bind(&path, access).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
