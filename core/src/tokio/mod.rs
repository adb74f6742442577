//! The pickup directory for programs that run on tokio (feature `tokio`).
//!
//! As `tokio::fs` has the names of `std::fs`, [`PickupDirectory`] here has methods of the one that
//! [blocks](crate::PickupDirectory), as `async` functions: those with which most programs submit, and
//! `submit_json`, which reads the message in another thread. They take what they work on by value: it moves to another thread. What has no
//! method here is done in `tokio::task::spawn_blocking` with [`blocking`](PickupDirectory::blocking). Clones share one
//! directory.
//!
//! ```
//! use pmtaemail::tokio::PickupDirectory;
//! use pmtaemail::{Message, PickupOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let temporary = tempfile::tempdir()?;
//! # let path = temporary.path();
//! let pickup = PickupDirectory::open(path, PickupOptions::default()).await?;
//! let message = Message::builder()
//!     .from("shop@example.com")
//!     .to("ann@example.org")
//!     .subject("Your order")
//!     .text("Thank you.")
//!     .build()?;
//! let receipt = pickup.submit_message(message).await?;
//! assert!(path.join(&receipt.files[0]).exists());
//! # Ok(())
//! # }
//! ```
//!
//! # Which threads do what
//!
//! ```text
//! tokio's workers               await               …               receipt
//! tokio's blocking threads            ↘ read, render, write       ↗
//! two threads of the directory                       ↘ sync, name, sync
//! ```
//!
//! No worker waits for the disk, and a message that is written takes no thread either: all that wait share the syncs of
//! two threads. So many submissions at a time are quick, on a runtime of one thread too. A mail merge, and many messages
//! together, keep one of tokio's blocking threads until they are done.
//!
//! # Dropped futures
//!
//! A future that is dropped, by a timeout or by `select!`, leaves nothing half done: no file, no descriptor and no
//! idempotency key stays behind. What was not begun is not submitted. But once it is left to the threads that
//! commit, nobody can take it back: the mail **may still be sent**, whole, and its receipt is lost. To know, submit
//! under a key and ask again, or wait for [`settled`](PickupDirectory::settled) and look. Each method says from when on
//! that is so.
//!
//! The same holds where the runtime is shut down. Its shutdown waits for blocking threads, and the threads of the
//! directory finish what was left to them as long as the process lives.
//!
//! # Errors
//!
//! They are those of the methods that block. Where the system gives no thread, or the runtime was shut down before a
//! submission had begun, that is a [`PickupError`](crate::PickupError) too, and nothing is submitted.

mod directory;
mod many;
mod one;
mod room;
mod work;

pub use directory::PickupDirectory;
