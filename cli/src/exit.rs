//! How the program ends: exit codes, and the failures that lead to them.

use crate::access::EditError;
use pmtaemail::{OverQuota, PickupError, PickupErrorKind, Problems, SubmitError};
use std::io;
use std::process::ExitCode;
use thiserror::Error;

/// Exit codes; those for failures are from BSD's `sysexits.h`, as mail programs use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok,
    /// The arguments make no sense (`EX_USAGE`).
    Usage,
    /// The message has problems (`EX_DATAERR`).
    Data,
    /// The message cannot be opened (`EX_NOINPUT`).
    NoInput,
    /// The operating system refuses something, such as the listening address (`EX_OSERR`).
    Os,
    /// The pickup directory, or the file for receipts, cannot be written to (`EX_CANTCREAT`).
    CannotCreate,
    /// Reading the message or writing the answer failed, or a disk did, so that it is unknown whether the
    /// message was submitted (`EX_IOERR`).
    InputOutput,
    /// It may succeed another time (`EX_TEMPFAIL`).
    Temporary,
    /// The configuration file, or the certificate, has problems (`EX_CONFIG`).
    Configuration,
    /// Ended by this signal before its work was done, as shells count it.
    Signal(u8),
}

impl Exit {
    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Usage => 64,
            Self::Data => 65,
            Self::NoInput => 66,
            Self::Os => 71,
            Self::CannotCreate => 73,
            Self::InputOutput => 74,
            Self::Temporary => 75,
            Self::Configuration => 78,
            Self::Signal(number) => 128 + number,
        }
    }
}

/// The exit code of a command that submits several messages.
///
/// It is that of the first failure. But if messages were submitted, or may have been, nothing should suggest retrying
/// all of them: a temporary failure ([`Exit::Temporary`]) becomes [`Exit::InputOutput`], which also takes precedence
/// over all others.
#[derive(Debug, Default)]
pub struct Exits {
    first: Option<Exit>,
    any_handed_over: bool,
}

impl Exits {
    /// A message was submitted.
    pub fn handed_over(&mut self) {
        self.any_handed_over = true;
    }

    /// A message was not submitted, or nobody knows.
    pub fn failed(&mut self, exit: Exit) {
        if exit == Exit::InputOutput {
            self.first = Some(exit);
        }
        self.first.get_or_insert(exit);
    }

    /// Whether nothing has failed so far.
    pub fn are_ok(&self) -> bool {
        self.first.is_none()
    }

    /// What to end with.
    pub fn exit(&self) -> Exit {
        match self.first {
            None => Exit::Ok,
            Some(Exit::Temporary) if self.any_handed_over => Exit::InputOutput,
            Some(exit) => exit,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// The message breaks rules.
    #[error("the message has problems")]
    Problems(Problems),
    /// The message cannot be opened.
    #[error("cannot open {name}: {source}")]
    Open { name: String, source: io::Error },
    /// The message cannot be read to its end.
    #[error("cannot read {name}: {source}")]
    Read { name: String, source: io::Error },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Write(io::Error),
    /// The message is in the pickup directory, but its receipt could not be printed.
    #[error("the message was handed over as {id}, but its receipt cannot be printed: {source}")]
    Receipt { id: String, source: io::Error },
    /// Messages may be in the pickup directory whose results could not be printed.
    #[error("cannot print results: {0}; messages after the last one may have been handed over")]
    Results(io::Error),
    /// The message is in the pickup directory, but the identifiers of its recipients could not be written.
    #[error(
        "the message was handed over as {id}, but its receipt cannot be written to {name}: {source}; what could be \
         written is in {part}"
    )]
    ReceiptFile {
        id: String,
        name: String,
        part: String,
        source: io::Error,
    },
    /// All receipts are written, but not in their place.
    #[error(
        "the messages were handed over, but their receipts cannot be put into {name}: {source}; they are in {part}"
    )]
    FinishReceipts {
        name: String,
        part: String,
        source: io::Error,
    },
    /// Receipts cannot be written there.
    #[error("receipts cannot be written to {name}: {source}; nothing was handed over")]
    OpenReceipts { name: String, source: io::Error },
    /// Receipts can no longer be written.
    #[error("not handed over, since receipts cannot be written to {0}")]
    NoReceipts(String),
    /// The arguments, not read by clap, make no sense.
    #[error("{0}")]
    Usage(String),
    /// The environment, used where the arguments say nothing, makes no sense.
    #[error(transparent)]
    Environment(clap::Error),
    /// The submission has other files than the one asked for.
    #[error("the submission has {0} pickup files: choose one with --file 1 to --file {0}")]
    ChooseFile(usize),
    /// Recipients cannot wait on a file system.
    #[error("cannot buffer recipients on the file system: {0}")]
    Spool(io::Error),
    /// The submitter exceeds a limit.
    #[error(transparent)]
    OverQuota(OverQuota),
    /// The pickup directory does not take the message.
    #[error(transparent)]
    Pickup(#[from] PickupError),
    /// The file of access keys has problems.
    #[error(transparent)]
    Keys(#[from] EditError),
    /// The queue of the fleet cannot be used.
    #[cfg(feature = "fleet")]
    #[error(transparent)]
    Fleet(#[from] pmtaemail_fleet::FleetError),
    /// Nobody can connect.
    #[error("cannot listen on {address}: {source}")]
    Listen { address: String, source: io::Error },
    /// TLS needs a certificate and its key.
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "nothing asks for them")
    )]
    #[error("{0}")]
    Certificate(String),
    /// The daemon's threads or signals cannot be set up.
    #[error("cannot start: {0}")]
    Start(io::Error),
}

impl Failure {
    /// The exit code for it.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Problems(_) => Exit::Data,
            Self::Open { .. } => Exit::NoInput,
            Self::Read { .. }
            | Self::Write(_)
            | Self::Receipt { .. }
            | Self::Results(_)
            | Self::ReceiptFile { .. }
            | Self::FinishReceipts { .. }
            | Self::NoReceipts(_) => Exit::InputOutput,
            Self::OpenReceipts { .. } | Self::Keys(EditError::Write { .. }) => Exit::CannotCreate,
            Self::Keys(EditError::Problems(_)) | Self::Certificate(_) => Exit::Configuration,
            Self::Keys(EditError::Usage(_))
            | Self::Usage(_)
            | Self::Environment(_)
            | Self::ChooseFile(_) => Exit::Usage,
            Self::Spool(_) | Self::OverQuota(_) => Exit::Temporary,
            #[cfg(feature = "fleet")]
            Self::Fleet(pmtaemail_fleet::FleetError::Brokers { .. }) => Exit::Temporary,
            #[cfg(feature = "fleet")]
            Self::Fleet(_) => Exit::Configuration,
            // A temporary failure would ask for another attempt, and perhaps for a second delivery.
            Self::Pickup(error) if error.may_be_delivered() => Exit::InputOutput,
            Self::Pickup(error) => pickup_exit(error.kind()),
            Self::Listen { .. } | Self::Start(_) | Self::Keys(EditError::Random(_)) => Exit::Os,
        }
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Problems(problems) => Self::Problems(problems),
            SubmitError::Pickup(error) => Self::Pickup(error),
            SubmitError::Spool(error) => Self::Spool(error),
            SubmitError::OverQuota(over) => Self::OverQuota(over),
        }
    }
}

/// Errors that somebody has to fix first are `CannotCreate`; those that may go away by themselves are temporary.
fn pickup_exit(kind: PickupErrorKind) -> Exit {
    match kind {
        PickupErrorKind::NotFound
        | PickupErrorKind::NotADirectory
        | PickupErrorKind::PermissionDenied
        | PickupErrorKind::ReadOnlyFilesystem
        | PickupErrorKind::Unsupported
        | PickupErrorKind::AlreadyExists => Exit::CannotCreate,
        _ => Exit::Temporary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_of_the_message_are_data_errors() {
        let problems = pmtaemail::check(b"{").unwrap_err();
        assert_eq!(Failure::Problems(problems).exit().code(), 65);
    }

    #[test]
    fn pickup_errors_are_lasting_or_temporary() {
        assert_eq!(pickup_exit(PickupErrorKind::NotFound).code(), 73);
        assert_eq!(pickup_exit(PickupErrorKind::PermissionDenied).code(), 73);
        assert_eq!(pickup_exit(PickupErrorKind::StorageFull).code(), 75);
        assert_eq!(pickup_exit(PickupErrorKind::Other).code(), 75);
    }

    #[test]
    fn nothing_suggests_a_retry_of_what_was_submitted() {
        let ends = |handed_over: bool, failures: &[Exit]| {
            let mut exits = Exits::default();
            if handed_over {
                exits.handed_over();
            }
            for exit in failures {
                exits.failed(*exit);
            }
            exits.exit()
        };
        assert_eq!(ends(true, &[]), Exit::Ok);
        assert_eq!(ends(false, &[Exit::Temporary, Exit::Data]), Exit::Temporary);
        assert_eq!(
            ends(true, &[Exit::Temporary, Exit::Data]),
            Exit::InputOutput
        );
        assert_eq!(ends(true, &[Exit::Data, Exit::Temporary]), Exit::Data);
        let unknown = [Exit::Temporary, Exit::InputOutput, Exit::Data];
        assert_eq!(ends(false, &unknown), Exit::InputOutput);
    }

    #[test]
    fn signals_count_from_128() {
        assert_eq!(Exit::Signal(15).code(), 143);
    }
}
