//! Access keys: who may use the daemon, and for what.
//!
//! ```text
//! edit        the commands that add, list and remove keys
//! file        the file of keys
//!   rate      a number of messages per period
//! clock       the time of day
//! secret      a key itself, and the hash that identifies it
//! ```

mod clock;
mod edit;
mod file;
mod rate;
mod secret;

pub use clock::now;
pub use edit::{EditError, NewKey, add, list, remove};
pub use file::{AccessKey, KeyFile, KeyFileProblems};
pub use rate::Rate;
pub use secret::KeyHash;
