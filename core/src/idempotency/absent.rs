//! Nobody submits under a key: this is compiled without the feature `idempotency`.

use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// There is none.
#[derive(Debug)]
pub(crate) struct KeyStore(Infallible);

/// Nobody has one.
#[derive(Debug)]
pub(crate) struct Claim(Infallible);

/// Nothing is under one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(Infallible);

#[derive(Debug)]
pub(crate) struct CommitFailed {
    pub error: io::Error,
    pub is_in_doubt: bool,
}

impl KeyStore {
    pub fn path(&self) -> PathBuf {
        match self.0 {}
    }

    pub fn number(&self) -> Option<u64> {
        match self.0 {}
    }

    pub fn has_decided(&self, _: Token) -> io::Result<bool> {
        match self.0 {}
    }

    pub fn commit<'a>(
        &self,
        _: impl IntoIterator<Item = &'a mut Claim>,
    ) -> Result<(), CommitFailed> {
        match self.0 {}
    }

    pub fn revoke(&self, _: Token) -> io::Result<()> {
        match self.0 {}
    }
}

impl Claim {
    pub fn store(&self) -> &Arc<KeyStore> {
        match self.0 {}
    }

    pub fn token(&self) -> Token {
        match self.0 {}
    }
}

impl Token {
    pub fn as_text(self) -> String {
        match self.0 {}
    }

    /// No name of a file has one.
    pub fn parse(_: &str) -> Option<Self> {
        None
    }
}
