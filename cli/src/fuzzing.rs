//! The parts of the program that the fuzz targets in `fuzz/` use in their own process; built only with `--cfg fuzzing`.

pub use crate::daemon::{Answer, DaemonInMemory};
pub use crate::sendmail::{SendmailOutcome, sendmail_in_memory};
