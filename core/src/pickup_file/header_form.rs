//! The form in which the envelope stands in header lines before the message.

use crate::address::AddrSpec;

/// `x-sender` and one `x-receiver` for each recipient, addresses bare.
pub(super) fn envelope(sender: &AddrSpec<'_>, recipients: &[&AddrSpec<'_>]) -> Vec<u8> {
    let addresses: usize = recipients.iter().map(|path| path.as_str().len() + 14).sum();
    let mut out = Vec::with_capacity(addresses + sender.as_str().len() + 12);
    line(&mut out, "x-sender: ", sender);
    for recipient in recipients {
        line(&mut out, "x-receiver: ", recipient);
    }
    out
}

fn line(out: &mut Vec<u8>, name: &str, address: &AddrSpec<'_>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(address.as_str().as_bytes());
    out.extend_from_slice(b"\r\n");
}
