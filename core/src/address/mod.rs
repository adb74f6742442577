//! Mailboxes and addresses (RFC 5321 section 4.1.2, RFC 5322 section 3.4), parsed once.
//!
//! ```text
//! conversions     FromStr, Display, serde and the like for types written as a string
//! mailbox         a display name and an address, as callers write them
//!    └── strict   the outline of such a string
//! lenient         the outline of an address list in a finished message
//! sender_domains  the domains that somebody may send from
//! reverse_path    where bounces go
//!    └── addr_spec   local-part@domain
//!           └── domain   a host name in A-labels, or an address literal
//! ```
//!
//! Only `message::mailboxes` knows how mailboxes are written in JSON.

mod addr_spec;
mod conversions;
mod domain;
mod lenient;
mod mailbox;
mod reverse_path;
mod sender_domains;
mod strict;

pub use addr_spec::{AddrSpec, InvalidAddress};
pub(crate) use lenient::{addresses, entries, listed};
pub use mailbox::Mailbox;
pub(crate) use reverse_path::ReversePath;
pub use sender_domains::{InvalidSenderDomain, SenderDomain, SenderDomains};
pub(crate) use strict::name_and_angle;
