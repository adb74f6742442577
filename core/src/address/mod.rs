//! Mailboxes and addresses (RFC 5321 section 4.1.2, RFC 5322 section 3.4), parsed once.

mod addr_spec;
mod domain;
mod field;
mod mailbox;
mod parse;

pub(crate) use addr_spec::ReversePath;
pub(crate) use addr_spec::is_atext;
pub use addr_spec::{AddrSpec, InvalidAddress};
pub(crate) use field::bare_addresses;
pub(crate) use mailbox::{Mailbox, read_mailbox, read_mailboxes};
