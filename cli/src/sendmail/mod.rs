//! `sendmail`: what programs such as cron, PHP and git call to send a finished message.

mod arguments;
mod login;

use crate::args::PickupArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use arguments::{Arguments, USAGE};
use login::Login;
use pmtaemail::{
    HeaderAddresses, Message, SenderDefaults, Submission, add_missing_fields, header_recipients,
};
use std::ffi::OsString;
use std::io::{self, BufRead};

/// Submits the message on standard input. Prints nothing on success, as sendmail does.
pub fn run(line: Vec<OsString>) -> Result<Exit, Failure> {
    let arguments = Arguments::parse(line).map_err(Failure::Usage)?;
    if arguments.help {
        output::print(USAGE.as_bytes()).map_err(Failure::Write)?;
        return Ok(Exit::Ok);
    }
    submit(&arguments)
}

fn submit(arguments: &Arguments) -> Result<Exit, Failure> {
    let pickup = PickupArgs::from_environment().map_err(Failure::Environment)?;
    let login = Login::find();
    let mail = read(io::stdin().lock(), arguments.dot_ends).map_err(|source| Failure::Read {
        name: "standard input".to_owned(),
        source,
    })?;
    let mail = without_doubled_cr(mail);

    let bare = SenderDefaults {
        name: arguments.name.as_deref(),
        address: login.address.as_str(),
        domain: &login.domain,
    };
    let sender = match &arguments.sender {
        Some(text) => bare.reverse_path(text),
        None => login.address.to_string(),
    };
    let defaults = SenderDefaults {
        // Bounces go nowhere from the null reverse-path, and From cannot say it.
        address: if sender == "<>" {
            bare.address
        } else {
            &sender
        },
        ..bare
    };
    let mail = add_missing_fields(&mail, &defaults).map_err(Failure::Problems)?;
    let mut recipients = arguments.recipients(&defaults);
    if arguments.takes_header_recipients {
        recipients.append(header_recipients(&mail));
    }
    output::print_invalid_recipients(&recipients.invalid);
    if recipients.addresses.is_empty() && !recipients.invalid.is_empty() {
        return Ok(Exit::Data);
    }
    let envelope = arguments.envelope(&sender, &recipients.addresses);
    let message = Message::from_rfc822_with(&mail, &envelope, HeaderAddresses::Ignore);
    let submission = Submission::new(&message.map_err(Failure::Problems)?);
    pickup.open()?.submit(&submission)?;
    Ok(if recipients.invalid.is_empty() {
        Exit::Ok
    } else {
        Exit::Data
    })
}

/// Reads a message to its end, or to a line with a lone dot where that is one.
fn read(mut from: impl BufRead, dot_ends: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if !dot_ends {
        from.read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    loop {
        let start = bytes.len();
        let length = from.read_until(b'\n', &mut bytes)?;
        let (_, line) = bytes.split_at(start);
        if line == b".\n" || line == b".\r\n" || line == b"." {
            bytes.truncate(start);
            return Ok(bytes);
        }
        if length == 0 {
            return Ok(bytes);
        }
    }
}

/// Mail all of whose lines end with CR CR LF comes from a program that wrote CRLF where each LF becomes
/// CRLF anyway. It is read as it was meant; a CR elsewhere in a header is refused.
fn without_doubled_cr(mail: Vec<u8>) -> Vec<u8> {
    let mut whole_lines = mail.split_inclusive(|byte| *byte == b'\n');
    let ends_well = |line: &[u8]| line.ends_with(b"\r\r\n") || !line.ends_with(b"\n");
    if !whole_lines.all(ends_well) {
        return mail;
    }
    let mut lines = Vec::with_capacity(mail.len());
    for line in mail.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\r\n") {
            Some(text) => {
                lines.extend_from_slice(text);
                lines.extend_from_slice(b"\r\n");
            }
            None => lines.extend_from_slice(line),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_dot_ends_the_message_where_it_may() {
        for (bytes, ended) in [
            (&b"a\n.\nb\n"[..], &b"a\n"[..]),
            (b"a\r\n.\r\nb", b"a\r\n"),
            (b".\n", b""),
            (b"a\n.", b"a\n"),
            (b"a\n..\n.b\nc.\n", b"a\n..\n.b\nc.\n"),
        ] {
            assert_eq!(read(bytes, true).unwrap(), ended);
            assert_eq!(read(bytes, false).unwrap(), bytes);
        }
    }

    #[test]
    fn doubled_crs_are_one_where_all_are() {
        for (mail, read) in [
            (
                &b"A: b\r\r\n\r\r\nc\rd\r\r\ne"[..],
                &b"A: b\r\n\r\nc\rd\r\ne"[..],
            ),
            (b"A: b\r\r\n\r\n", b"A: b\r\r\n\r\n"),
            (b"\n", b"\n"),
            (b"a\r\r", b"a\r\r"),
            (b"", b""),
        ] {
            assert_eq!(without_doubled_cr(mail.to_vec()), read);
        }
    }

    #[test]
    fn senders_are_read() {
        let defaults = SenderDefaults {
            name: None,
            address: "a@h.example",
            domain: "h.example",
        };
        for (text, expected) in [
            ("", "<>"),
            ("<>", "<>"),
            ("root", "root@h.example"),
            ("<b@c.example>", "b@c.example"),
            ("Bo <b@c.example>", "b@c.example"),
            (" Bo <b> ", "b@h.example"),
            ("\"a<b\" <b@c.example>", "b@c.example"),
            ("<\"a<b\"@c.example>", "\"a<b\"@c.example"),
            // What is no single mailbox stays as it is, and is refused as an address.
            ("< b@c.example >", " b@c.example "),
            ("a, Bo <b@c.example>", "a@h.example, Bo <b@c.example>"),
            ("Bo <b@c.example> x>", "Bo <b@c.example> x>"),
            ("Bo <b@c.example", "Bo <b@c.example"),
            ("<<b@c.example>>", "<<b@c.example>>"),
        ] {
            assert_eq!(defaults.reverse_path(text), expected);
        }
    }
}
