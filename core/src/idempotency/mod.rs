//! Submissions under a key: however often one is sent, it is submitted once.
//!
//! The keys of 24 hours are in an embedded store, a file that one process at a time has open. A record says what was
//! submitted under a key (its [`Fingerprint`]) and what was answered (the receipt). At the same time it is the decision
//! to publish the files of the submission, in place of the record in the staging folder that decides about several
//! files without a key (see `pickup_directory::decision`). So there is no instant in which files are published and
//! their key is unknown, or the other way round:
//!
//! ```text
//! step                          keyed folder       store     pickup directory   after a crash here
//! claim the key                 -                  -         -                  none; the key is free
//! link the files, sync them     0.K.a 0.K.b        -         -                  none: they are removed
//! sync the folder               0.K.a 0.K.b        -         -                  none
//! commit the record             0.K.a 0.K.b        K?        -                  none, or all: nobody saw any yet
//!   returns                     0.K.a 0.K.b        K         -                  all: moved by the next process
//! rename each                         0.K.b        K         a                  all: it moves b
//! sync directory and folder                        K         a b                all
//! answer                                           K         a b                all
//! the same key again                               K         -                  the first answer, from the record
//! ```
//!
//! At each instant a file is in exactly one of the two places, and rolling forward only renames. So under one key a
//! submission is published exactly once, whether it was acknowledged or not, however often its process is killed. A
//! power failure has one exception: PowerMTA takes and removes a file between the rename and the sync of the directory,
//! and then the power fails. The disk may still have the file in the keyed folder, from which it is rolled forward, and
//! PowerMTA gets it a second time. Nobody had been told about it yet.
//!
//! - The files wait in a separate folder, whose name contains that of the store: whoever does not have that store open
//!   leaves it alone, because only the record tells what is decided. In their names `K` is the hash of the key and a
//!   random number, which the record contains too, so that a failed attempt is never mistaken for a later one.
//! - A group of submissions is one transaction of the store: see `pickup_directory::group_commit`.
//! - A submission that fails before its record is committed leaves the key free: the message may be corrected and sent
//!   under it. If it fails later, the record is removed again together with the files, unless PowerMTA has taken any of
//!   them; in that case it stands, all files follow, and a retry gets the first answer.
//! - If the store itself fails while it commits, the record may or may not exist. The store is then reopened, and its
//!   content decides.
//! - Time is the wall clock when the store is opened, but no earlier than its newest record, and from then on follows
//!   the monotonic clock. So a clock that is set back or forward while the daemon runs makes no key expire early, nor
//!   does one that is set back while it does not run.
//! - A full store forgets nothing: it takes no new keys.
//!
//! ```text
//! store                     keys that are remembered, and those in progress
//!   database                the tables: keys, receipts, ages
//!     record    token       what is remembered; what tells attempts apart
//!     clock     draft       the time; a new file
//!     file                  the file itself
//!     failed                what can go wrong
//! key                       the caller's name for a submission, and the hash that tells whether it is the same
//! ```

mod clock;
mod database;
mod draft;
mod failed;
mod file;
mod key;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod token;

pub(crate) use database::{StorePlace, StoreSettings};
pub use key::{Fingerprint, Fingerprinter, IdempotencyKey, InvalidIdempotencyKey};
pub(crate) use record::NewRecord;
pub use store::Claim;
pub(crate) use store::{ClaimRefused, CommitFailed, Found, KeyStore};
#[cfg(feature = "queue")]
pub(crate) use store::{found_elsewhere, receipt_elsewhere, same_elsewhere};
pub(crate) use token::Token;

/// How long a key is remembered: 24 hours.
const LIFETIME: std::time::Duration = std::time::Duration::from_hours(24);
