//! The client, as far as its connection identifies it.

use axum::http::Request;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The client at the other end of a connection. Each request carries it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// `None` if the client has no network address, as on a unix socket.
    pub address: Option<SocketAddr>,
}

impl Peer {
    /// The client that sent a request.
    pub fn of<B>(request: &Request<B>) -> Self {
        let peer = request.extensions().get();
        *peer.expect("each request has the client that sent it")
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("local"),
        }
    }
}

/// What counts as one client when limits are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Client {
    V4(Ipv4Addr),
    /// The first 64 bits of the address: whoever has one address of such a network has all of them (RFC 6177).
    V6Network(u64),
    /// A client without an address, on this host.
    Local,
}

impl Client {
    /// Whether it is on this host: then it may be a proxy for many clients.
    pub fn is_of_this_host(self) -> bool {
        match self {
            Self::V4(address) => address.is_loopback(),
            // Of this network only ::1 exists.
            Self::V6Network(network) => network == 0,
            Self::Local => true,
        }
    }
}

impl From<Peer> for Client {
    fn from(peer: Peer) -> Self {
        // An IPv6 socket shows IPv4 addresses within IPv6 ones.
        match peer.address.map(|address| address.ip().to_canonical()) {
            None => Self::Local,
            Some(IpAddr::V4(address)) => Self::V4(address),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6Network(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        let address = (!address.is_empty()).then(|| address.parse().unwrap());
        Peer { address }.into()
    }

    #[test]
    fn loopback_addresses_are_of_this_host() {
        for (address, is_of_this_host) in [
            ("", true),
            ("127.0.0.2:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("10.0.0.1:1", false),
            ("[2001:db8::1]:1", false),
        ] {
            assert_eq!(client(address).is_of_this_host(), is_of_this_host);
        }
    }

    #[test]
    fn a_client_is_an_address_or_a_network_of_ipv6() {
        for (one, other, are_one) in [
            ("192.0.2.1:1", "192.0.2.1:2", true),
            ("192.0.2.1:1", "[::ffff:192.0.2.1]:1", true),
            ("192.0.2.1:1", "192.0.2.2:1", false),
            ("[2001:db8:1:2::1]:1", "[2001:db8:1:2:3::]:1", true),
            ("[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false),
            ("[::1]:1", "127.0.0.1:1", false),
            ("", "", true),
            ("", "0.0.0.0:1", false),
        ] {
            assert_eq!(client(one) == client(other), are_one, "{one} {other}");
        }
    }
}
