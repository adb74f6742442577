//! The certificate of the daemon.

use super::super::log;
use crate::args::TlsFiles;
use std::path::Path;
use std::sync::{Arc, RwLock};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// A certificate and its key, from the last time when their files were valid.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads them, or reports what is wrong.
    pub fn open(files: TlsFiles, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let current = RwLock::new(read(&files, &provider)?);
        Ok(Self {
            files,
            provider,
            current,
        })
    }

    /// Reads them again. If something is wrong, nothing changes.
    pub fn reload(&self) {
        match read(&self.files, &self.provider) {
            Ok(read) => {
                *self.current.write().expect("nothing panics with the lock") = read;
                log::certificate_reloaded(&self.files.certificate);
            }
            Err(sentence) => log::certificate_kept(&sentence),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().expect("nothing panics with the lock");
        Some(Arc::clone(&current))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, String> {
    let TlsFiles { certificate, key } = files;
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unreadable("certificate", certificate, &error))?;
    if chain.is_empty() {
        return Err(unreadable(
            "certificate",
            certificate,
            &pem::Error::NoItemsFound,
        ));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| unreadable("private key", key, &error))?;
    CertifiedKey::from_der(chain, secret, provider)
        .map(Arc::new)
        .map_err(|error| unusable(files, &error))
}

/// Reveals nothing of the content of the file.
fn unreadable(what: &str, path: &Path, error: &pem::Error) -> String {
    let path = path.display();
    match error {
        pem::Error::Io(error) => format!("cannot read the {what} {path}: {error}"),
        pem::Error::NoItemsFound => format!("there is no {what} in PEM in {path}"),
        _ => format!("the {what} {path} is damaged: it is not PEM"),
    }
}

fn unusable(files: &TlsFiles, error: &Error) -> String {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            format!("the private key {key} does not belong to the certificate {certificate}")
        }
        Error::InvalidCertificate(_) => format!("the certificate {certificate} is damaged"),
        _ => format!(
            "the private key {key} has an unsupported type; use ECDSA (P-256, P-384), Ed25519 or RSA"
        ),
    }
}
