//! TLS on TCP, version 1.2 or later.

use super::super::client::Peer;
use super::super::log;
use super::PlainHttp;
use super::certificate::Certificate;
use crate::args::TlsFiles;
use crate::exit::Failure;
use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

/// The protocols over TLS (RFC 7301), preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The first byte of a TLS connection: a record of the handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// Speaks TLS with a certificate that can be read again.
#[derive(Debug, Clone)]
pub struct Tls {
    certificate: Arc<Certificate>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads the certificate and its key.
    pub fn open(files: TlsFiles) -> Result<Self, Failure> {
        let provider = Arc::new(ring::default_provider());
        let certificate = Certificate::open(files, Arc::clone(&provider));
        let certificate = Arc::new(certificate.map_err(Failure::Certificate)?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has cipher suites of both versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&certificate) as _);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self {
            certificate,
            config: Arc::new(config),
        })
    }

    /// Reads the certificate and its key again. If they are damaged, the previous ones stay.
    pub fn reload(&self) {
        self.certificate.reload();
    }

    /// A connection on which the client is expected to begin with a handshake.
    pub fn connection(&self, stream: TcpStream, peer: Peer) -> TlsConnection {
        TlsConnection {
            state: State::Silent(stream, Arc::clone(&self.config)),
            peer,
        }
    }
}

/// A connection that makes its handshake when it is first read.
pub struct TlsConnection {
    state: State,
    peer: Peer,
}

impl std::fmt::Debug for TlsConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (f.debug_struct("TlsConnection"))
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

enum State {
    /// Nothing has come yet.
    Silent(TcpStream, Arc<ServerConfig>),
    Handshake(Accept<TcpStream>),
    Open(TlsStream<TcpStream>),
    /// The client speaks HTTP without TLS.
    Plain(TcpStream),
    /// The handshake failed.
    Failed,
}

impl TlsConnection {
    /// Continues the handshake. Ready when data may be read.
    fn poll_handshake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.state {
                State::Silent(stream, _) => {
                    let mut first = [0];
                    let mut buffer = ReadBuf::new(&mut first);
                    let count = ready!(stream.poll_peek(context, &mut buffer))?;
                    let [first] = first;
                    let State::Silent(stream, config) =
                        std::mem::replace(&mut self.state, State::Failed)
                    else {
                        unreachable!("it was matched");
                    };
                    match (count, first) {
                        (1.., HANDSHAKE) => {
                            let accept = TlsAcceptor::from(config).accept(stream);
                            self.state = State::Handshake(accept);
                        }
                        (1.., b'A'..=b'Z') => {
                            self.state = State::Plain(stream);
                            let error = io::Error::new(io::ErrorKind::InvalidData, PlainHttp);
                            return Poll::Ready(Err(error));
                        }
                        _ => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                    }
                }
                State::Handshake(accept) => match ready!(Pin::new(accept).poll(context)) {
                    Ok(stream) => self.state = State::Open(stream),
                    Err(error) => {
                        self.state = State::Failed;
                        // A client that just disconnects needs no line.
                        if error.kind() == io::ErrorKind::InvalidData {
                            log::tls_handshake_failed(self.peer, &error);
                        }
                        return Poll::Ready(Err(error));
                    }
                },
                State::Open(_) | State::Plain(_) => return Poll::Ready(Ok(())),
                State::Failed => return Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            }
        }
    }
}

impl AsyncRead for TlsConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_handshake(context))?;
        match &mut self.state {
            State::Open(stream) => Pin::new(stream).poll_read(context, buffer),
            State::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

macro_rules! written {
    ($connection:ident, $method:ident, $($argument:expr),*) => {
        match &mut $connection.state {
            State::Open(stream) => Pin::new(stream).$method($($argument),*),
            State::Plain(stream) => Pin::new(stream).$method($($argument),*),
            // Nothing is written to a client that has sent nothing.
            _ => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    };
}

impl AsyncWrite for TlsConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        written!(self, poll_write, context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        written!(self, poll_write_vectored, context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        written!(self, poll_flush, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        written!(self, poll_shutdown, context)
    }
}
