//! The address of a socket.

use crate::args::{Scheme, write_unix};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The address of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    Tcp {
        address: SocketAddr,
        is_tls: bool,
    },
    /// `None` if it has no path, which is possible only for an inherited one.
    Unix(Option<PathBuf>),
}

impl Bound {
    /// Whether programs on other hosts may reach it.
    pub fn is_public(&self) -> bool {
        match self {
            Self::Tcp { address, .. } => !address.ip().to_canonical().is_loopback(),
            Self::Unix(_) => false,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, is_tls } => {
                f.write_str(if *is_tls { Scheme::Https.prefix() } else { "" })?;
                address.fmt(f)
            }
            Self::Unix(Some(path)) => write_unix(f, path),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}

/// Everything that the daemon listens on.
#[derive(Debug, Clone)]
pub struct Bounds(pub Vec<Bound>);

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, bound) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            bound.fmt(f)?;
        }
        Ok(())
    }
}
