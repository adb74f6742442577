//! Submissions under a key: however often one is sent, it is submitted once.
//!
//! The keys of 24 hours are in an embedded store, one file that one process has open. A record says what was
//! submitted under a key (its [`Fingerprint`]) and what was answered (the receipt). At the same time it is what
//! decides that the files of the submission are published; it does so in the place of the record in the
//! staging folder that decides about several files without a key (see `pickup_directory::decision`). So there is
//! no instant in which files are published and their key is not known, or the other way round:
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
//! A file is in one of the two places at each instant, and rolling forward only renames. So under one key a
//! submission is submitted exactly once, whether it was acknowledged or not, however often its process is
//! killed. Over a power failure there is one exception: PowerMTA takes and removes a file between the renaming and
//! the sync of the directory, and the power fails then. The disk may still have the file in the keyed folder,
//! where it is rolled forward, and PowerMTA gets it a second time. Nobody had been told of it yet.
//!
//! - The files wait in a folder of their own, whose name tells the store's: who has not that store open leaves
//!   it alone, for only the record tells what is decided. In their names `K` is the hash of the key and a random
//!   number, which the record has too, so that an attempt that failed is never taken for a later one.
//! - A group of submissions is one transaction of the store: see `pickup_directory::group_commit`.
//! - A submission that fails before its record is committed leaves the key free: the message may be mended
//!   and sent under it. Where it fails later the record is taken away again with the files, if none was taken
//!   by PowerMTA; otherwise it stands, all files follow, and who tries again gets the first answer.
//! - Where the store itself fails while it commits, the record may or may not be there. The store is opened
//!   anew then, and what it has decides.
//! - Time is the wall clock's when the store is opened, but not before that of its newest record, and from then
//!   on goes as the monotonic clock does. So a clock that is set back or forward while the daemon runs
//!   forgets no key early, nor does one that is set back while it does not.
//! - A store that is full forgets nothing: it takes no new key.
//!
//! ```text
//! store                     keys that are remembered, and those at work
//!   database                the tables: keys, receipts, ages
//!     record    token       what is remembered; what tells attempts apart
//!     clock     draft       the time; a new file
//!     file                  the file itself
//!     failed                what can go wrong
//! key                       what the caller names a submission by, and what tells whether it is the same
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
