//! Connections over TCP.

use super::super::log;
use crate::args::TcpAddress;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};

/// This many connections may wait to be accepted, or fewer if the system limits them (`net.core.somaxconn`). Beyond
/// that a client hears nothing, and tries again after a second: with the 128 of the standard library, a flood did that
/// to other clients.
pub const BACKLOG: u32 = 4096;

/// Listens on the first available one of the addresses that an address resolves to.
pub fn bind(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    let mut failed = None;
    for address in addresses {
        match listen(*address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Connections of a daemon that has ended do not block the port for the next one.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Prepares a connection. Its client may leave data that was sent to it unacknowledged for `write_timeout`.
pub fn set_options(stream: &TcpStream, write_timeout: Duration) {
    // Responses are small: none should wait for the acknowledgement of the one before it.
    let nodelay = stream.set_nodelay(true);
    if let Err(error) = nodelay.and_then(|()| set_write_timeout(stream, write_timeout)) {
        // The connection works anyway, or its client is gone and it ends soon.
        log::socket_options_failed(&error);
    }
}

/// hyper has no time limit for a response: a client that never reads would hold it for ever.
#[cfg(target_os = "linux")]
fn set_write_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
    // More than 49 days count as for ever.
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    Ok(rustix::net::sockopt::set_tcp_user_timeout(
        stream,
        milliseconds,
    )?)
}

/// Other systems have no such option (RFC 5482); there the system's own limits apply.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "as on Linux, where it can fail")]
fn set_write_timeout(_stream: &TcpStream, _timeout: Duration) -> io::Result<()> {
    Ok(())
}

/// The addresses to try, in order.
pub async fn resolve(address: &TcpAddress) -> io::Result<Vec<SocketAddr>> {
    let TcpAddress { host, port, .. } = address;
    if host.is_empty() {
        // An IPv6 socket takes IPv4 as well; the second is for hosts without IPv6.
        return Ok(vec![
            (Ipv6Addr::UNSPECIFIED, *port).into(),
            (Ipv4Addr::UNSPECIFIED, *port).into(),
        ]);
    }
    let mut addresses: Vec<_> = lookup_host((host.as_str(), *port)).await?.collect();
    // `localhost` has always meant 127.0.0.1 here.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    Ok(addresses)
}
