//! Reads pickup files written by this library, and the mail in them.
//!
//! ```text
//! bytes of a pickup file → OutboxFile ── envelope(n)   what PowerMTA is told about recipient n
//!                                     └─ mail(n) ──→ bytes of a message → Mail (decoded header, tree of parts)
//! ```
//!
//! A merge file (PowerMTA's user's guide section 7.2) is one template for many; `mail(n)` does what PowerMTA does when
//! it delivers: it takes the parts that `*parts` names and puts the recipient's values in place of `[name]`.
//!
//! ```text
//! XDFN e="Ann" *parts="1,3"      XPRT 1    Subject: Hello [e]        Subject: Hello Ann
//! RCPT TO:<ann@example.org>      XPRT 2    Subject: [d]           →
//!                                XPRT 3 …  Dear [e]                  Dear Ann
//! ```
//!
//! This is for looking at mail: in a preview, or in the tests of an application. It reads what this library writes, in
//! all three forms, and refuses everything that PowerMTA's guide does not explain. Nothing that submits mail depends on
//! it.
//!
//! ```
//! use pmtaemail::outbox::{Mail, OutboxFile};
//! use std::time::SystemTime;
//!
//! let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "subject": "Hello", "text": "Hi!"}"#;
//! let bytes = pmtaemail::Submission::from_json(json)?.files()[0].chunks().concat();
//! let file = OutboxFile::read(&bytes)?;
//! let mail = file.mail(0, SystemTime::now())?;
//! assert_eq!(Mail::read(&mail).unwrap().text().as_deref(), Some("Hi!"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each file imports only from those below it:
//!
//! ```text
//! capture               keeps what a process submits in memory
//! sent                  what a pickup directory in memory got, message by message
//! file                  a pickup file, and what each of its recipients gets
//! header_form  batched  the two forms
//! merge                 the template, and how it is filled in
//! recipient  envelope   for whom
//! lines                 commands, fields and data, line by line
//! unreadable            why not
//! mail   mailbox  part  a message, decoded
//! text                  a field's body, decoded
//! ```

mod batched;
mod capture;
mod envelope;
mod file;
mod header_form;
mod lines;
mod mail;
mod mailbox;
mod merge;
mod part;
mod recipient;
mod sent;
#[cfg(test)]
mod tests;
mod text;
mod unreadable;

pub use capture::{Capture, Pickup};
pub use envelope::OutboxEnvelope;
pub use file::OutboxFile;
pub use mail::{Mail, MailField};
pub use mailbox::MailMailbox;
pub use part::Part;
pub use sent::SentMessage;
pub use unreadable::UnreadableFile;
