//! What can go wrong with a fleet.

use std::io;

/// Something in a fleet failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The brokers cannot be reached, or do not answer.
    #[error(
        "cannot {what}: {source}; check that the brokers are running and that this host can reach them"
    )]
    Brokers {
        /// What was tried.
        what: &'static str,
        /// What the client says.
        source: async_nats::Error,
    },
    /// A stream exists with settings that can lose or duplicate mail.
    #[error("{stream}: {setting} is {found} but must be {wanted}; {advice}")]
    Settings {
        /// The stream.
        stream: String,
        /// The setting.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The required value.
        wanted: String,
        /// What to do.
        advice: &'static str,
    },
    /// A file of credentials cannot be read, or the journal cannot be kept.
    #[error("cannot {what}: {source}")]
    File {
        /// What was tried.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
}

impl FleetError {
    /// For use with `map_err`.
    pub(crate) fn of<E: Into<async_nats::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::Brokers {
            what,
            source: source.into(),
        }
    }

    /// For use with `map_err`.
    pub(crate) fn of_file(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File { what, source }
    }
}
