//! For builds without TLS (the cargo feature `tls`): there are no certificates and no TLS connections.

use super::super::client::Peer;
use crate::args::TlsFiles;
use crate::exit::Failure;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// There is none.
#[derive(Debug, Clone)]
pub struct Tls(Infallible);

impl Tls {
    pub fn open(_: TlsFiles) -> Result<Self, Failure> {
        Err(Failure::Usage(
            "this program was built without TLS (the cargo feature `tls`)".to_owned(),
        ))
    }

    pub fn reload(&self) {
        match self.0 {}
    }

    pub fn connection(&self, _: TcpStream, _: Peer) -> TlsConnection {
        match self.0 {}
    }
}

/// There is none.
#[derive(Debug)]
pub struct TlsConnection(Infallible);

impl AsyncRead for TlsConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

impl AsyncWrite for TlsConnection {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}
