//! Connections over TCP.

use super::super::log;
use crate::args::TcpAddress;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, lookup_host};

/// Listens on the first of an address's addresses that may be had.
pub async fn bind(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    TcpListener::bind(addresses).await
}

/// Prepares a connection. Its client may leave data that was sent to it unacknowledged for `write_timeout`.
pub fn set_options(stream: &TcpStream, write_timeout: Duration) {
    // Responses are small: none should wait for the acknowledgement of the one before it.
    let nodelay = stream.set_nodelay(true);
    if let Err(error) = nodelay.and_then(|()| set_write_timeout(stream, write_timeout)) {
        // The connection works all the same, or its client is gone and it ends soon.
        log::socket_options_failed(&error);
    }
}

/// hyper has no limit on the time for a response: a client that never reads would keep it.
#[cfg(target_os = "linux")]
fn set_write_timeout(stream: &TcpStream, timeout: Duration) -> io::Result<()> {
    // More than 49 days are for ever.
    let milliseconds = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    Ok(rustix::net::sockopt::set_tcp_user_timeout(
        stream,
        milliseconds,
    )?)
}

/// Other systems have no such option (RFC 5482); there the system's own limits hold.
#[cfg(not(target_os = "linux"))]
fn set_write_timeout(_stream: &TcpStream, _timeout: Duration) -> io::Result<()> {
    Ok(())
}

/// The addresses to try, one after the other.
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
