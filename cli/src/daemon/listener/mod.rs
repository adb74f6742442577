//! Where connections come from.
//!
//! `accept` and `connection` know neither addresses nor sockets: a [`Listener`] gives them a stream
//! of bytes and the client's address.
//!
//! ```text
//! sockets       everything that the daemon listens on, as one listener
//!   inherited   sockets that systemd passes
//!   tcp         TCP
//!   unix        Unix sockets, with their file; the client has no address
//! stream        a connection of any of them
//!   tls         TLS on TCP. The handshake is made when the stream is first read, not in `accept`: there it
//!               would hold up all other clients, and the time limit for the first bytes of a connection would
//!               not apply to it
//!   no_tls      in its place, where the program is built without
//! ```
//!
//! HTTP/1.1 or HTTP/2 is not the listener's choice: `connection` tells them apart by the first bytes,
//! which are the same with ALPN or without.

#[cfg(feature = "tls")]
mod certificate;
mod inherited;
mod sockets;
mod stream;
mod tcp;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
mod tls;
mod unix;

#[cfg(feature = "fleet")]
pub use tcp::bind;

pub use sockets::Sockets;
pub use tls::Tls;

use super::client::Peer;
use std::future::Future;
use std::io;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

/// Accepts connections of one kind.
pub trait Listener: Send {
    /// A connection, which only has to be read and written.
    ///
    /// Data that the client does not read must make the stream fail after a while: hyper has no time limit for that in
    /// HTTP/1.1.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next connection, with its socket options set. Must be cancel safe.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}

/// A client speaks HTTP where TLS is expected. From then on its stream reads and writes without TLS, so that it can be
/// given an answer.
#[derive(Debug, Error)]
#[error("HTTP without TLS")]
pub struct PlainHttp;

impl PlainHttp {
    /// Whether a read failed for this reason.
    pub fn is(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Self>)
    }
}
