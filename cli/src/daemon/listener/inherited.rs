//! Sockets that systemd passes (`sd_listen_fds`(3)). They stay open when the daemon ends: nobody is refused while it
//! restarts.

use crate::args::Scheme;
use listenfd::ListenFd;
use rustix::net::getpeername;
use std::io;
use std::os::fd::AsFd;
use tokio::net::{TcpListener, UnixListener};

/// A socket that systemd passes.
pub enum Inherited {
    /// With what its name (`FileDescriptorName=`) says about TLS: `http` or `https`.
    Tcp(TcpListener, Option<Scheme>),
    Unix(UnixListener),
}

/// Takes all of them. A second call gets none.
pub fn take() -> io::Result<Vec<Inherited>> {
    let names: Vec<_> = (sd_notify::listen_fds_with_names()?)
        .map(|(_, name)| name)
        .collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut sockets = ListenFd::from_env();
    let mut take = |(index, name): (usize, &String)| {
        let scheme = match name.as_str() {
            "http" => Some(Scheme::Http),
            "https" => Some(Scheme::Https),
            _ => None,
        };
        if let Ok(Some(socket)) = sockets.take_tcp_listener(index) {
            must_listen(&socket)?;
            socket.set_nonblocking(true)?;
            return Ok(Inherited::Tcp(TcpListener::from_std(socket)?, scheme));
        }
        let socket = sockets.take_unix_listener(index).ok().flatten();
        let socket = socket.ok_or_else(|| io::Error::other(NO_STREAM))?;
        must_listen(&socket)?;
        socket.set_nonblocking(true)?;
        UnixListener::from_std(socket).map(Inherited::Unix)
    };
    names.iter().enumerate().map(&mut take).collect()
}

const NO_STREAM: &str = "one of them is neither TCP nor a Unix stream socket: use ListenStream=";

fn must_listen(socket: impl AsFd) -> io::Result<()> {
    // A listening socket has no peer.
    if getpeername(socket).is_err() {
        Ok(())
    } else {
        Err(io::Error::other(
            "one of them is a connection: the socket unit must not have Accept=yes",
        ))
    }
}
