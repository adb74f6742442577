//! Where connections come from.
//!
//! `accept` and `connection` know neither addresses nor sockets: a [`Listener`] gives them a stream
//! of bytes and the client's address. Each kind of listener is a file in this folder:
//!
//! ```text
//! tcp.rs        TCP; a socket inherited from systemd is one more constructor of it
//! unix.rs       to come: unix sockets; the client has no address
//! tls.rs        to come: wraps any listener. Its stream makes the TLS handshake when it is first read,
//!               not in `accept`: there it would hold up all other clients, and the time limit for the
//!               first bytes of a connection would not apply to it.
//! ```
//!
//! HTTP/1.1 or HTTP/2 is not the listener's choice: `connection` tells them apart by the first bytes,
//! which are the same with ALPN or without.

pub mod tcp;

use super::client::Peer;
use std::future::Future;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};

/// Accepts connections of one kind.
pub trait Listener: Send {
    /// A connection. Reading and writing are all that is asked of it.
    ///
    /// Data that was written and that the client does not take must fail the stream after a while:
    /// hyper has no time limit for it in HTTP/1.1.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection, with its socket options set. Must be cancel safe.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}
