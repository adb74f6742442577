//! The form in which the envelope is in header lines before the message.
//!
//! ```text
//! x-sender: shop@example.com
//! x-receiver: ann@example.org
//! x-receiver: bo@example.org
//! x-envid: 1ng7…
//! x-job: orders                          PowerMTA takes all of these out of the message
//! From: shop@example.com
//! Subject: Hello
//!
//! Hello!
//! ```

use super::{line, option_lines};
use crate::address::AddrSpec;
use crate::envelope::Envelope;
use crate::message::Delivery;

/// The sender, if this form can express the envelope: it has no null reverse-path, SMTPUTF8, VERP or DSN parameters.
pub(super) fn sender<'m>(
    envelope: &Envelope<'m>,
    delivery: &Delivery<'_>,
) -> Option<&'m AddrSpec<'m>> {
    let can_say = !envelope.is_internationalized && !delivery.verp && delivery.dsn.is_none();
    envelope.reverse_path.filter(|_| can_say)
}

/// `x-sender`, one `x-receiver` for each recipient, addresses bare, then PowerMTA's options.
pub(super) fn envelope(
    sender: &AddrSpec<'_>,
    recipients: &[&AddrSpec<'_>],
    delivery: &Delivery<'_>,
    envid: &str,
) -> Vec<u8> {
    let addresses: usize = recipients.iter().map(|path| path.as_str().len() + 14).sum();
    let mut out = Vec::with_capacity(addresses + sender.as_str().len() + envid.len() + 24);
    line(&mut out, "x-sender", sender.as_str());
    for recipient in recipients {
        line(&mut out, "x-receiver", recipient.as_str());
    }
    line(&mut out, "x-envid", envid);
    option_lines(&mut out, delivery);
    out
}
