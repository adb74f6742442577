//! Batched SMTP: the form for what headers cannot say.

use super::option_lines;
use crate::address::AddrSpec;
use crate::envelope::Envelope;
use crate::message::{Delivery, Dsn};

/// RFC 5321 section 4.5.3.1.4, less the line end.
const LONGEST_COMMAND: usize = 510;

/// The commands before the message, and PowerMTA's header lines at its start. `XACK OFF` lets
/// PowerMTA bounce a recipient that it does not take instead of refusing the whole file.
pub(super) fn envelope(
    envelope: &Envelope<'_>,
    recipients: &[&AddrSpec<'_>],
    delivery: &Delivery<'_>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(128 + recipients.len() * 48);
    out.extend_from_slice(b"XACK OFF\r\n");
    command(&mut out, &mail_from(envelope, delivery));
    for recipient in recipients {
        command(&mut out, &rcpt_to(recipient, delivery.dsn.as_ref()));
    }
    command(&mut out, "DATA");
    option_lines(&mut out, delivery);
    out
}

fn mail_from(envelope: &Envelope<'_>, delivery: &Delivery<'_>) -> String {
    let reverse_path = envelope.reverse_path.map_or("", AddrSpec::as_str);
    let mut mail = format!("MAIL FROM:<{reverse_path}>");
    if envelope.is_internationalized {
        mail.push_str(" SMTPUTF8");
    }
    if delivery.verp {
        mail.push_str(" VERP");
    }
    if let Some(ret) = delivery.dsn.as_ref().and_then(|dsn| dsn.ret) {
        mail.push_str(" RET=");
        mail.push_str(ret);
    }
    if let Some(envid) = &delivery.envid {
        mail.push_str(" ENVID=");
        push_xtext(&mut mail, envid);
    }
    mail
}

fn rcpt_to(recipient: &AddrSpec<'_>, dsn: Option<&Dsn>) -> String {
    let mut rcpt = format!("RCPT TO:<{recipient}>");
    if let Some(notify) = dsn.and_then(|dsn| dsn.notify.as_ref()) {
        rcpt.push_str(" NOTIFY=");
        rcpt.push_str(notify);
        // The original recipient helps only where it can be said.
        let mut original = String::from(" ORCPT=rfc822;");
        push_xtext(&mut original, recipient.as_str());
        if !recipient.is_internationalized() && rcpt.len() + original.len() <= LONGEST_COMMAND {
            rcpt.push_str(&original);
        }
    }
    rcpt
}

/// Printable ASCII as xtext (RFC 3461 section 4).
fn push_xtext(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '+' => out.push_str("+2B"),
            '=' => out.push_str("+3D"),
            ' ' => out.push_str("+20"),
            c => out.push(c),
        }
    }
}

fn command(out: &mut Vec<u8>, command: &str) {
    out.extend_from_slice(command.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The message as the data of batched SMTP: a dot before each line that begins with one, and a lone
/// dot at the end (RFC 5321 section 4.5.2).
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
