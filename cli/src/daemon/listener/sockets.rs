//! Everything that the daemon listens on, as one listener.

use super::super::bound::{Bound, Bounds};
use super::super::client::Peer;
use super::inherited::{self, Inherited};
use super::stream::Stream;
use super::tls::Tls;
use super::unix::{self, Access, SocketFile, UnixConnection};
use super::{Listener, tcp};
use crate::args::{ListenAddress, ListenArgs, Scheme};
use crate::exit::Failure;
use pmtaemail::FileMode;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

/// All sockets that the daemon listens on. There is at least one.
pub struct Sockets {
    all: Vec<Socket>,
    /// The one whose turn it is.
    turn: usize,
    write_timeout: Duration,
}

enum Socket {
    Tcp {
        socket: TcpListener,
        tls: Option<Tls>,
    },
    Unix {
        socket: UnixListener,
        /// Of one that was not inherited.
        file: Option<SocketFile>,
    },
}

impl Sockets {
    /// Takes the sockets that systemd passes, and opens those that `args` name. Those on TCP speak `tls`, if there is
    /// any, unless they are named otherwise.
    pub async fn open(
        args: &ListenArgs,
        tls: Option<&Tls>,
        write_timeout: Duration,
    ) -> Result<Self, Failure> {
        let inherited = inherited::take().map_err(inherited_failed)?;
        let named = Named::resolve(args).await?;
        let mut sockets = Vec::new();
        for one in inherited {
            sockets.push(named.inherit(one, tls).map_err(inherited_failed)?);
        }
        let bound = |sockets: &[Socket]| -> io::Result<Vec<Bound>> {
            sockets.iter().map(Socket::bound).collect()
        };
        let inherited = bound(&sockets).map_err(inherited_failed)?;
        let access = || {
            let group = args.socket_group.as_ref().map(pmtaemail::FileGroup::id);
            Ok::<_, io::Error>(Access {
                mode: args
                    .socket_mode
                    .map_or(Access::DEFAULT_MODE, FileMode::bits),
                group: group.transpose()?,
            })
        };
        for (address, resolved) in &named.0 {
            // The sockets that systemd passes listen already.
            if inherited
                .iter()
                .any(|bound| is_at(bound, address, resolved))
            {
                continue;
            }
            let opened = match address {
                ListenAddress::Tcp(tcp) => {
                    let socket = tcp::bind(resolved);
                    let tls = tls.filter(|_| tcp.scheme != Some(Scheme::Http));
                    socket.map(|socket| Socket::Tcp {
                        socket,
                        tls: tls.cloned(),
                    })
                }
                ListenAddress::Unix(path) => match access() {
                    Ok(access) => unix::bind(path, access).await.map(|(socket, file)| {
                        let file = Some(file);
                        Socket::Unix { socket, file }
                    }),
                    Err(error) => Err(error),
                },
            };
            sockets.push(opened.map_err(|source| listen_failed(address, source))?);
        }
        Ok(Self {
            all: sockets,
            turn: 0,
            write_timeout,
        })
    }

    /// The addresses, with the real ports.
    pub fn bounds(&self) -> io::Result<Bounds> {
        let bounds: io::Result<_> = self.all.iter().map(Socket::bound).collect();
        bounds.map(Bounds)
    }

    /// The sockets take turns, so that none keeps the others waiting.
    fn poll_accept(&mut self, context: &mut Context<'_>) -> Poll<io::Result<(Stream, Peer)>> {
        let (before, after) = self.all.split_at(self.turn);
        for (index, socket) in after.iter().chain(before).enumerate() {
            if let Poll::Ready(accepted) = socket.poll_accept(context, self.write_timeout) {
                self.turn = (self.turn + index + 1) % self.all.len();
                return Poll::Ready(accepted);
            }
        }
        Poll::Pending
    }
}

impl Listener for Sockets {
    type Stream = Stream;

    async fn accept(&mut self) -> io::Result<(Stream, Peer)> {
        poll_fn(|context| self.poll_accept(context)).await
    }
}

impl Socket {
    fn bound(&self) -> io::Result<Bound> {
        Ok(match self {
            Self::Tcp { socket, tls } => Bound::Tcp {
                address: socket.local_addr()?,
                is_tls: tls.is_some(),
            },
            Self::Unix {
                file: Some(file), ..
            } => Bound::Unix(Some(file.path().to_owned())),
            Self::Unix { socket, file: None } => {
                let address = socket.local_addr()?;
                Bound::Unix(address.as_pathname().map(ToOwned::to_owned))
            }
        })
    }

    fn poll_accept(
        &self,
        context: &mut Context<'_>,
        write_timeout: Duration,
    ) -> Poll<io::Result<(Stream, Peer)>> {
        match self {
            Self::Tcp { socket, tls } => socket.poll_accept(context).map_ok(|(stream, address)| {
                tcp::set_options(&stream, write_timeout);
                let peer = Peer {
                    address: Some(address),
                };
                let stream = match tls {
                    Some(tls) => Stream::Tls(Box::new(tls.connection(stream, peer))),
                    None => Stream::Tcp(stream),
                };
                (stream, peer)
            }),
            Self::Unix { socket, .. } => socket.poll_accept(context).map_ok(|(stream, _)| {
                let connection = UnixConnection::new(stream, write_timeout);
                (Stream::Unix(connection), Peer { address: None })
            }),
        }
    }
}

/// The addresses that the options name, with what those of TCP stand for.
struct Named(Vec<(ListenAddress, Vec<SocketAddr>)>);

impl Named {
    async fn resolve(args: &ListenArgs) -> Result<Self, Failure> {
        let mut named = Vec::new();
        for address in &args.listen {
            let resolved = match address {
                ListenAddress::Tcp(tcp) => tcp::resolve(tcp).await,
                ListenAddress::Unix(_) => Ok(Vec::new()),
            };
            let resolved = resolved.map_err(|source| listen_failed(address, source))?;
            named.push((address.clone(), resolved));
        }
        Ok(Self(named))
    }

    /// Makes a socket of one that systemd passes. The name that it gave to it says whether it speaks TLS, or the
    /// address, where it is named as well.
    fn inherit(&self, inherited: Inherited, tls: Option<&Tls>) -> io::Result<Socket> {
        let (socket, scheme) = match inherited {
            Inherited::Unix(socket) => return Ok(Socket::Unix { socket, file: None }),
            Inherited::Tcp(socket, scheme) => (socket, scheme),
        };
        let bound = socket.local_addr()?;
        let named = || {
            self.0.iter().find_map(|(address, resolved)| match address {
                ListenAddress::Tcp(tcp) if resolved.contains(&bound) => tcp.scheme,
                _ => None,
            })
        };
        let tls = match scheme.or_else(named) {
            Some(Scheme::Http) => None,
            Some(Scheme::Https) if tls.is_none() => {
                return Err(io::Error::other(
                    "a socket named https needs tls-cert and tls-key",
                ));
            }
            _ => tls.cloned(),
        };
        Ok(Socket::Tcp { socket, tls })
    }
}

/// Whether an inherited socket is at an address that is named as well.
fn is_at(bound: &Bound, address: &ListenAddress, resolved: &[SocketAddr]) -> bool {
    match (bound, address) {
        (Bound::Tcp { address, .. }, ListenAddress::Tcp(_)) => resolved.contains(address),
        (Bound::Unix(Some(bound)), ListenAddress::Unix(path)) => bound == path,
        _ => false,
    }
}

fn listen_failed(address: &ListenAddress, source: io::Error) -> Failure {
    Failure::Listen {
        address: address.to_string(),
        source,
    }
}

fn inherited_failed(source: io::Error) -> Failure {
    Failure::Listen {
        address: "the sockets of systemd".to_owned(),
        source,
    }
}
