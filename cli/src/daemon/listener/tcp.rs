//! Connections over TCP.

use super::super::client::Peer;
use super::super::log;
use super::Listener;
use crate::args::ListenAddress;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, lookup_host};

/// Accepts TCP connections.
pub struct Tcp {
    socket: TcpListener,
    write_timeout: Duration,
}

impl Tcp {
    /// Listens on an address. A client may leave data that was sent to it unacknowledged for
    /// `write_timeout`.
    pub async fn bind(address: &ListenAddress, write_timeout: Duration) -> io::Result<Self> {
        let socket = TcpListener::bind(resolve(address).await?.as_slice()).await?;
        Ok(Self {
            socket,
            write_timeout,
        })
    }

    /// The address that is listened on, with its real port.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn set_options(&self, stream: &TcpStream) -> io::Result<()> {
        // Responses are small: none should wait for the acknowledgement of the one before it.
        stream.set_nodelay(true)?;
        set_write_timeout(stream, self.write_timeout)
    }
}

impl Listener for Tcp {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = self.socket.accept().await?;
        if let Err(error) = self.set_options(&stream) {
            // The connection works all the same, or its client is gone and it ends soon.
            log::socket_options_failed(&error);
        }
        let address = Some(address);
        Ok((stream, Peer { address }))
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
async fn resolve(address: &ListenAddress) -> io::Result<Vec<SocketAddr>> {
    let ListenAddress { host, port } = address;
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
