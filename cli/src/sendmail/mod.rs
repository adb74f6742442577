//! `sendmail`: what programs such as cron, PHP and git call to send a finished message.

mod arguments;
#[cfg(fuzzing)]
mod fuzzing;
mod login;
mod smtp;
mod submitter;

#[cfg(fuzzing)]
pub use fuzzing::{SendmailOutcome, sendmail_in_memory};

use crate::exit::{Exit, Failure};
use crate::output;
use arguments::{Arguments, Mode, USAGE};
use pmtaemail::{InvalidRecipient, header_recipients};
use std::ffi::OsString;
use std::io::{self, BufRead};
use submitter::Submitter;

/// Submits the message on standard input. Prints nothing on success, as sendmail does.
pub fn run(line: Vec<OsString>) -> Result<Exit, Failure> {
    let arguments = Arguments::parse(line).map_err(Failure::Usage)?;
    match arguments.mode {
        Mode::Help => output::print(USAGE.as_bytes()).map_err(Failure::Write)?,
        Mode::Smtp => {
            let submitter = Submitter::new(&arguments)?;
            smtp::serve(io::stdin().lock(), io::stdout().lock(), submitter)?;
        }
        Mode::Message => {
            let mut submitter = Submitter::new(&arguments)?;
            let tell = output::print_invalid_recipients;
            return submit(&arguments, &mut submitter, io::stdin().lock(), tell);
        }
    }
    Ok(Exit::Ok)
}

/// Submits the message that is read. `tell` is called for whatever is not a recipient.
fn submit(
    arguments: &Arguments,
    submitter: &mut Submitter<'_>,
    input: impl BufRead,
    tell: impl FnOnce(&[InvalidRecipient]),
) -> Result<Exit, Failure> {
    let mail = read(input, arguments.dot_ends).map_err(cannot_read)?;
    let sender = submitter.sender(arguments.sender.as_deref());
    let mail = submitter
        .complete(mail, &sender)
        .map_err(Failure::Problems)?;
    let mut recipients = arguments.recipients(&submitter.defaults(&sender));
    if arguments.takes_header_recipients {
        recipients.append(header_recipients(&mail));
    }
    tell(&recipients.invalid);
    if recipients.addresses.is_empty() && !recipients.invalid.is_empty() {
        return Ok(Exit::Data);
    }
    submitter.submit(&mail, &sender, &recipients.addresses)?;
    Ok(if recipients.invalid.is_empty() {
        Exit::Ok
    } else {
        Exit::Data
    })
}

fn cannot_read(source: io::Error) -> Failure {
    Failure::Read {
        name: "standard input".to_owned(),
        source,
    }
}

/// Reads a message to its end, or to a line with a lone dot if that ends it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use pmtaemail::SenderDefaults;

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
            // Anything but a single mailbox is left as it is, and refused as an address.
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
