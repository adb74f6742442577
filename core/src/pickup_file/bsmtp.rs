//! Batched SMTP: the form for envelopes that header lines cannot express.
//!
//! ```text
//! XACK OFF
//! MAIL FROM:<> SMTPUTF8 RET=HDRS ENVID=1ng7…
//! RCPT TO:<ann@example.org> NOTIFY=FAILURE ORCPT=rfc822;ann@example.org
//! DATA
//! x-job: orders                          PowerMTA's options, which it takes out of the message
//! Subject: Hello
//!
//! ..hidden                               the message, with a dot before each line that starts with one
//! .
//! ```

use super::option_lines;
use crate::address::AddrSpec;
use crate::envelope::Envelope;
use crate::message::{Delivery, Dsn};
use crate::text::put;
use encodify::hex::XTEXT;

/// RFC 5321 section 4.5.3.1.4, less the line end.
pub(super) const LONGEST_COMMAND: usize = 510;

/// The commands before the message, and PowerMTA's header lines at its start.
pub(super) fn envelope(
    envelope: &Envelope<'_>,
    recipients: &[&AddrSpec<'_>],
    delivery: &Delivery<'_>,
    envid: &str,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + recipients.len() * 48);
    from_command(
        &mut out,
        "MAIL",
        envelope.reverse_path,
        envelope.is_internationalized,
        delivery,
        Some(envid),
    );
    for recipient in recipients {
        rcpt_to(&mut out, recipient, delivery.dsn.as_ref());
    }
    out.extend_from_slice(b"DATA\r\n");
    option_lines(&mut out, delivery);
    out
}

/// `MAIL FROM` or `XMRG FROM`. `XACK OFF` before it makes PowerMTA bounce a recipient that it does not accept instead
/// of refusing the whole file. A merge has no `ENVID` here: each recipient has its own.
pub(super) fn from_command(
    out: &mut Vec<u8>,
    command: &str,
    reverse_path: Option<&AddrSpec<'_>>,
    internationalized: bool,
    delivery: &Delivery<'_>,
    envid: Option<&str>,
) {
    let reverse_path = reverse_path.map_or("", AddrSpec::as_str);
    let ret = delivery.dsn.as_ref().and_then(|dsn| dsn.ret);
    put(
        out,
        &["XACK OFF\r\n", command, " FROM:<", reverse_path, ">"],
    );
    if internationalized {
        put(out, &[" SMTPUTF8"]);
    }
    if delivery.verp {
        put(out, &[" VERP"]);
    }
    if let Some(ret) = ret {
        put(out, &[" RET=", ret]);
    }
    if let Some(envid) = envid {
        put(out, &[" ENVID="]);
        XTEXT.encode_append(envid, out);
    }
    put(out, &["\r\n"]);
}

/// `RCPT TO`. Parameters are xtext (RFC 3461 section 4).
pub(super) fn rcpt_to(out: &mut Vec<u8>, recipient: &AddrSpec<'_>, dsn: Option<&Dsn>) {
    const ORCPT: &str = " ORCPT=rfc822;";

    let start = out.len();
    put(out, &["RCPT TO:<", recipient.as_str(), ">"]);
    if let Some(notify) = dsn.and_then(|dsn| dsn.notify.as_ref()) {
        put(out, &[" NOTIFY=", notify]);
        // The original recipient helps only where it can be said.
        let original = recipient.as_str();
        let length = out.len() - start + ORCPT.len() + XTEXT.encoded_len(original);
        if !recipient.is_internationalized() && length <= LONGEST_COMMAND {
            put(out, &[ORCPT]);
            XTEXT.encode_append(original, out);
        }
    }
    put(out, &["\r\n"]);
}

/// The message as the data of batched SMTP: a dot before each line that starts with one, and a line with only a dot at
/// the end (RFC 5321 section 4.5.2).
pub(super) fn data(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 64 + 8);
    if message.starts_with(b".") {
        out.push(b'.');
    }
    let mut rest = message;
    while let Some(at) = memchr::memmem::find(rest, b"\n.") {
        let (line, next) = rest.split_at(at + 1);
        out.extend_from_slice(line);
        out.push(b'.');
        rest = next;
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_at_line_starts_alone() {
        assert_eq!(data(b".a\r\nb.\r\n..\r\n"), b"..a\r\nb.\r\n...\r\n.\r\n");
        assert_eq!(data(b"a\r\n"), b"a\r\n.\r\n");
    }
}
