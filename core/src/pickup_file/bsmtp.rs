//! Batched SMTP: the form for what headers cannot say.

use crate::address::AddrSpec;

/// The commands before the message. `XACK OFF` lets PowerMTA bounce a recipient that it does not
/// take instead of refusing the whole file.
pub(super) fn envelope(
    reverse_path: Option<&AddrSpec<'_>>,
    recipients: &[&AddrSpec<'_>],
    smtputf8: bool,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + recipients.len() * 48);
    out.extend_from_slice(b"XACK OFF\r\nMAIL FROM:<");
    out.extend_from_slice(reverse_path.map_or("", AddrSpec::as_str).as_bytes());
    out.extend_from_slice(if smtputf8 {
        b"> SMTPUTF8\r\n"
    } else {
        b">\r\n"
    });
    for recipient in recipients {
        out.extend_from_slice(b"RCPT TO:<");
        out.extend_from_slice(recipient.as_str().as_bytes());
        out.extend_from_slice(b">\r\n");
    }
    out.extend_from_slice(b"DATA\r\n");
    out
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
