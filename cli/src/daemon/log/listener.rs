//! Lines about what the daemon listens on.

use super::super::bound::Bound;
#[cfg(feature = "tls")]
use super::super::client::Peer;
use std::io;
use std::path::Path;
use tracing::warn;
#[cfg(feature = "tls")]
use tracing::{error, info};

/// Anybody who can reach this address may send mail.
pub fn listens_without_keys(address: &Bound) {
    warn!(event = "listens_without_keys", %address);
}

/// The file of a socket could not be removed.
pub fn socket_not_removed(path: &Path, error: &io::Error) {
    let path = path.display();
    warn!(event = "socket_not_removed", %path, %error);
}

/// The TLS handshake failed; for example, the client does not trust the certificate.
#[cfg(feature = "tls")]
pub fn tls_handshake_failed(client: Peer, error: &io::Error) {
    info!(event = "tls_handshake_failed", %client, %error);
}

#[cfg(feature = "tls")]
pub fn certificate_reloaded(path: &Path) {
    let path = path.display();
    info!(event = "certificate_reloaded", %path);
}

/// The files are damaged, so the previous certificate stays in use.
#[cfg(feature = "tls")]
pub fn certificate_kept(sentence: &str) {
    error!(event = "certificate_kept", error = sentence);
}
