//! From a message, a stream or many messages to their receipts.
//!
//! What is done with a message is an [`Action`](action::Action). It gets the message and, for a mail merge, one
//! recipient after the other, wherever these come from:
//!
//! ```text
//! Message ─────────────┐           Check      ()
//! StreamedMessage ─────┼─ perform ─ Render     the bytes of one message
//! one message of a     │           MakeFiles  its pickup files, one after the other, then a Receipt
//! Batch ───────────────┘
//! ```
//!
//! The caller of `MakeFiles` decides where the files go: into a [`Transaction`] of the pickup directory at once, or
//! into memory first ([`Submission`], [`Batch`]). So a message gets to the disk in these steps:
//!
//! ```text
//! directory.submit_message(&message)
//!     directory.begin()              an empty transaction
//!     perform(MakeFiles, message)    renders the message, makes its pickup files, and for each of them
//!         transaction.write(…)       writes it where PowerMTA does not see it
//!     transaction.commit()           makes all of them durable and visible: see `pickup_directory`
//! ```
//!
//! A [`Batch`] does the same with many messages, and commits their transactions together. It is the only place where
//! messages wait for each other, and `limits` the only file that says how many. A [`BatchReader`] gives it the messages
//! of a batch in JSON; an [`AtomicBatch`] submits all of its messages, or none.
//!
//! Each file imports only from those below it:
//!
//! ```text
//! directory              the verbs of a pickup directory
//! atomic_batch           many messages: all, or none
//! batch  stream          many messages, and one whose recipients arrive piece by piece
//! once                   files that do not belong to a message, committed once
//! claimed                submissions under a key
//! whole_receipt          the stored receipt of a batch with one key
//! remember               what a transaction is told about a submission
//! stored_receipt         a receipt as it is stored under a key
//! submission             files in memory
//! batch_reader           a batch in JSON that arrives piece by piece
//! error                  why a submission failed
//! submitter              who submits
//! receipt                the result
//! files                  the pickup files of a message, made one after the other
//! action  limits  progress
//! ```
//!
//! [`Transaction`]: crate::Transaction

mod action;
mod atomic_batch;
mod batch;
mod batch_reader;
#[cfg(feature = "idempotency")]
mod claimed;
mod directory;
mod error;
mod files;
mod limits;
#[cfg(feature = "queue")]
mod once;
mod progress;
mod receipt;
mod remember;
#[cfg(feature = "idempotency")]
mod stored_receipt;
mod stream;
mod submission;
mod submitter;
#[cfg(feature = "idempotency")]
mod whole_receipt;

pub use atomic_batch::{AtomicBatch, BatchOutcome, BatchResults};
pub use batch::Batch;
pub use batch_reader::{BatchEntry, BatchError, BatchFormat, BatchReader, Position};
#[cfg(feature = "idempotency")]
pub use claimed::Claimed;
pub use error::SubmitError;
pub use limits::GroupLimits;
pub use progress::Progress;
pub use receipt::{Receipt, ReceiptSummary};
#[cfg(feature = "csv")]
pub use stream::TableStream;
pub use stream::{MessageStream, StreamFormat, StreamedMessage};
pub use submission::Submission;
pub use submitter::{OverQuota, Quota, Reservation, Submitter};
