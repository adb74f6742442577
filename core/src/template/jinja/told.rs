//! How our filters and tests report what they refuse.

use minijinja::{Error, ErrorKind};
use std::borrow::Cow;
use std::fmt;

/// A sentence of ours within an error of minijinja. It contains no values.
#[derive(Debug)]
pub(super) struct Told(Cow<'static, str>);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Told {}

/// An error with a reason that may be reported.
pub(super) fn told(kind: ErrorKind, why: impl Into<Cow<'static, str>>) -> Error {
    Error::from(kind).with_source(Told(why.into()))
}
