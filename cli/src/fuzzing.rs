//! What the fuzz targets of `fuzz/` reach of the program, without its process: built with `--cfg fuzzing` alone.

pub use crate::daemon::{Answer, DaemonInMemory};
pub use crate::sendmail::{SendmailOutcome, sendmail_in_memory};
