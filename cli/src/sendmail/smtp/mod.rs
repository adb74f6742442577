//! `sendmail -bs`: SMTP (RFC 5321) on standard input and standard output, as Symfony Mailer and Alpine
//! speak it with a program that they start.
//!
//! ```text
//! 220 host.example ESMTP
//!                              EHLO localhost
//! 250-host.example …
//!                              MAIL FROM:<ann@example.com>
//! 250 2.1.0 ok
//!                              RCPT TO:<bo@example.org>
//! 250 2.1.5 ok
//!                              DATA
//! 354 end with a lone dot
//!                              Subject: …
//!                              .
//! 250 2.0.0 submitted as 01…
//! ```
//! Delivery status notifications (RFC 3461) are not offered: requesting them per recipient would need a pickup file for
//! each.

mod command;
mod input;
mod reply;

use super::cannot_read;
use super::submitter::Submitter;
use crate::exit::Failure;
use command::{Command, Path, Unreadable};
use input::{Line, LineEnds, Mail, read_line, read_mail};
use pmtaemail::AddrSpec;
use reply::Reply;
use std::io::{BufRead, ErrorKind, Write};

/// RFC 5321 section 4.5.3.1.4 requires 512, plus parameters.
const LONGEST_LINE: usize = 2_048;
const LARGEST_MAIL: usize = 64 << 20;
/// RFC 5321 section 4.5.3.1.8 requires 100. A client sends to the others afterwards.
const MOST_RECIPIENTS: usize = 10_000;

/// Answers a client until it ends the dialogue. Refusals are reported only in the dialogue.
pub fn serve(
    input: impl BufRead,
    output: impl Write,
    submitter: Submitter<'_>,
) -> Result<(), Failure> {
    let session = Session {
        input,
        output,
        submitter,
        transaction: None,
    };
    match session.run() {
        // A client that no longer reads has nothing more to send either.
        Err(Failure::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

struct Session<'a, R, W> {
    input: R,
    output: W,
    submitter: Submitter<'a>,
    transaction: Option<Transaction>,
}

/// The current mail transaction (RFC 5321 section 3.3).
struct Transaction {
    /// `<>` is the null reverse-path.
    sender: String,
    recipients: Vec<AddrSpec<'static>>,
    /// Its addresses may contain more than ASCII (RFC 6531).
    is_internationalized: bool,
}

impl<R: BufRead, W: Write> Session<'_, R, W> {
    fn run(mut self) -> Result<(), Failure> {
        let greeting = format!("{} ESMTP pmtaemail", self.submitter.domain());
        self.reply(&Reply::new(220, "", greeting))?;
        loop {
            let line = read_line(&mut self.input, LONGEST_LINE).map_err(cannot_read)?;
            let (line, ends) = match line {
                Line::End => return Ok(()),
                Line::TooLong => {
                    self.reply(&Reply::new(500, "5.5.2", "the line is too long"))?;
                    continue;
                }
                Line::Whole(line, ends) => (line, ends),
            };
            let command = std::str::from_utf8(&line).map_err(|_| Unreadable::Syntax("UTF-8"));
            match command.and_then(Command::read) {
                Ok(Command::Quit) => return self.reply(&Reply::new(221, "2.0.0", "bye")),
                Ok(Command::Data) => self.data(ends)?,
                Ok(command) => {
                    let (Ok(reply) | Err(reply)) = self.answer(&command);
                    self.reply(&reply)?;
                }
                Err(Unreadable::Unknown) => {
                    self.reply(&Reply::new(500, "5.5.2", "there is no such command"))?;
                }
                Err(Unreadable::Syntax(form)) => {
                    self.reply(&Reply::new(501, "5.5.4", format!("expected: {form}")))?;
                }
            }
        }
    }

    fn reply(&mut self, reply: &Reply) -> Result<(), Failure> {
        reply.write(&mut self.output).map_err(Failure::Write)
    }

    fn answer(&mut self, command: &Command<'_>) -> Result<Reply, Reply> {
        match command {
            Command::Ehlo => {
                self.transaction = None;
                Ok(Reply::of_lines(
                    250,
                    vec![
                        self.submitter.domain().to_owned().into(),
                        "PIPELINING".into(),
                        format!("SIZE {LARGEST_MAIL}").into(),
                        "8BITMIME".into(),
                        "SMTPUTF8".into(),
                        "ENHANCEDSTATUSCODES".into(),
                    ],
                ))
            }
            Command::Helo => {
                self.transaction = None;
                let domain = self.submitter.domain().to_owned();
                Ok(Reply::new(250, "", domain))
            }
            Command::Mail(path) => self.mail(path),
            Command::Rcpt(path) => self.rcpt(path),
            Command::Rset => {
                self.transaction = None;
                Ok(Reply::new(250, "2.0.0", "ok"))
            }
            Command::Noop => Ok(Reply::new(250, "2.0.0", "ok")),
            Command::Vrfy => {
                let text = "nobody is known here; send, and PowerMTA will try";
                Ok(Reply::new(252, "2.5.0", text))
            }
            Command::Data | Command::Quit | Command::NotImplemented => {
                Err(Reply::new(502, "5.5.1", "this command is not spoken here"))
            }
        }
    }

    fn mail(&mut self, path: &Path<'_>) -> Result<Reply, Reply> {
        if self.transaction.is_some() {
            return Err(Reply::new(
                503,
                "5.5.1",
                "a message is on its way; say RSET first",
            ));
        }
        let mut is_internationalized = false;
        for (name, value) in path.parameters() {
            match (name.to_ascii_uppercase().as_str(), value) {
                ("SIZE", Some(size)) => check_size(size)?,
                ("BODY", Some(body)) if is_body(body) => {}
                ("SMTPUTF8", None) => is_internationalized = true,
                _ => return Err(unknown_parameter()),
            }
        }
        let sender = self.submitter.sender(Some(&format!("<{}>", path.address)));
        if sender != "<>" {
            let refused = |error| Reply::new(553, "5.1.7", format!("the sender: {error}"));
            let address = AddrSpec::parse(sender.as_str()).map_err(refused)?;
            check_internationalized(&address, is_internationalized)?;
        }
        self.transaction = Some(Transaction {
            sender,
            recipients: Vec::new(),
            is_internationalized,
        });
        Ok(Reply::new(250, "2.1.0", "ok"))
    }

    fn rcpt(&mut self, path: &Path<'_>) -> Result<Reply, Reply> {
        let Some(transaction) = &mut self.transaction else {
            return Err(Reply::new(503, "5.5.1", "say MAIL first"));
        };
        if path.parameters().next().is_some() {
            return Err(unknown_parameter());
        }
        if transaction.recipients.len() >= MOST_RECIPIENTS {
            return Err(Reply::new(
                452,
                "4.5.3",
                "these are too many recipients for one message",
            ));
        }
        let defaults = self.submitter.defaults(&transaction.sender);
        let mut list = defaults.recipients(&format!("<{}>", path.address));
        if let Some(invalid) = list.invalid.first() {
            let text = format!("the recipient: {}", invalid.reason);
            return Err(Reply::new(553, "5.1.3", text));
        }
        for address in &list.addresses {
            check_internationalized(address, transaction.is_internationalized)?;
        }
        transaction.recipients.append(&mut list.addresses);
        Ok(Reply::new(250, "2.1.5", "ok"))
    }

    /// Whether it succeeds or not, the transaction is over then.
    fn data(&mut self, ends: LineEnds) -> Result<(), Failure> {
        let Some(transaction) = self.transaction.take() else {
            return self.reply(&Reply::new(503, "5.5.1", "say MAIL first"));
        };
        if transaction.recipients.is_empty() {
            self.transaction = Some(transaction);
            return self.reply(&Reply::new(554, "5.5.1", "there is no recipient"));
        }
        self.reply(&Reply::new(354, "", "end with a lone dot"))?;
        let mail = read_mail(&mut self.input, ends, LARGEST_MAIL).map_err(cannot_read)?;
        let reply = match mail {
            Mail::TooLarge => too_large(),
            Mail::Whole(mail) => match self.submit(mail, &transaction) {
                Ok(id) => Reply::new(250, "2.0.0", format!("submitted as {id}")),
                Err(failure) => Reply::of_failure(&failure),
            },
        };
        self.reply(&reply)
    }

    fn submit(
        &mut self,
        mail: Vec<u8>,
        transaction: &Transaction,
    ) -> Result<pmtaemail::Id, Failure> {
        let Transaction {
            sender, recipients, ..
        } = transaction;
        let mail = self.submitter.complete(mail, sender);
        self.submitter
            .submit(&mail.map_err(Failure::Problems)?, sender, recipients)
    }
}

fn check_size(size: &str) -> Result<(), Reply> {
    match size.parse::<usize>() {
        Ok(size) if size <= LARGEST_MAIL => Ok(()),
        Ok(_) => Err(too_large()),
        Err(_) => Err(Reply::new(501, "5.5.4", "SIZE is not a number of bytes")),
    }
}

fn too_large() -> Reply {
    Reply::new(
        552,
        "5.3.4",
        format!("a message may be at most {LARGEST_MAIL} bytes"),
    )
}

fn is_body(body: &str) -> bool {
    ["7BIT", "8BITMIME"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(body))
}

fn unknown_parameter() -> Reply {
    Reply::new(555, "5.5.4", "a parameter or its value is unknown")
}

fn check_internationalized(address: &AddrSpec<'_>, may_be: bool) -> Result<(), Reply> {
    if address.is_internationalized() && !may_be {
        let text = "a non-ASCII address needs SMTPUTF8 after MAIL FROM";
        return Err(Reply::new(553, "5.6.7", text));
    }
    Ok(())
}
