//! How a message of a local program gets into the pickup directory, whether it came on standard input or in an SMTP
//! dialogue.

use super::arguments::Arguments;
use super::login::Login;
use crate::args::{PickupArgs, environment_warnings};
use crate::exit::Failure;
use crate::output;
use pmtaemail::{
    AddrSpec, HeaderAddresses, Id, Message, PickupDirectory, Problems, SenderDefaults, Submission,
    add_missing_fields,
};
use std::sync::Arc;

/// Completes messages and submits them.
pub struct Submitter<'a> {
    arguments: &'a Arguments,
    login: Login,
    args: PickupArgs,
    /// Opened with the first message.
    pickup: Option<Arc<PickupDirectory>>,
}

impl<'a> Submitter<'a> {
    /// Takes the pickup directory from the environment.
    pub fn new(arguments: &'a Arguments) -> Result<Self, Failure> {
        let (args, warnings) = PickupArgs::from_environment().map_err(Failure::Environment)?;
        output::print_warnings(warnings);
        output::print_warnings(environment_warnings());
        Ok(Self {
            arguments,
            login: Login::find(),
            args,
            pickup: None,
        })
    }

    /// Submits to a directory in memory, for a caller who is always the same.
    #[cfg(fuzzing)]
    pub fn in_memory(arguments: &'a Arguments, pickup: Arc<PickupDirectory>) -> Self {
        let (args, _) =
            PickupArgs::from_environment().unwrap_or_else(|_| unreachable!("nothing is set"));
        Self {
            arguments,
            login: Login::named("ann", "host.example"),
            args,
            pickup: Some(pickup),
        }
    }

    /// The domain of addresses that have none.
    pub fn domain(&self) -> &str {
        &self.login.domain
    }

    /// The envelope sender: a mailbox that was given, else the caller. `<>` is the null reverse-path.
    pub fn sender(&self, given: Option<&str>) -> String {
        match given {
            Some(text) => self.defaults("<>").reverse_path(text),
            None => self.login.address.to_string(),
        }
    }

    /// The defaults for a message of this sender.
    pub fn defaults<'d>(&'d self, sender: &'d str) -> SenderDefaults<'d> {
        SenderDefaults {
            name: self.arguments.name.as_deref(),
            // The null reverse-path receives no bounces, and From cannot express it.
            address: if sender == "<>" {
                self.login.address.as_str()
            } else {
                sender
            },
            domain: &self.login.domain,
        }
    }

    /// A message completed with the fields that it lacks.
    pub fn complete(&self, mail: Vec<u8>, sender: &str) -> Result<Vec<u8>, Problems> {
        add_missing_fields(&without_doubled_cr(mail), &self.defaults(sender))
    }

    /// Submits a message that is complete.
    pub fn submit(
        &mut self,
        mail: &[u8],
        sender: &str,
        recipients: &[AddrSpec<'_>],
    ) -> Result<Id, Failure> {
        let envelope = self.arguments.envelope(sender, recipients);
        let message = Message::from_rfc822_with(mail, &envelope, HeaderAddresses::Ignore);
        let submission = Submission::new(&message.map_err(Failure::Problems)?);
        let pickup = match self.pickup.take() {
            Some(pickup) => pickup,
            None => Arc::new(self.args.open(Arc::new(output::Unfinished))?),
        };
        let receipt = self.pickup.insert(pickup).submit(&submission)?;
        Ok(receipt.id)
    }
}

/// Mail all of whose lines end with CR CR LF comes from a program that wrote CRLF where each LF becomes CRLF anyway. It
/// is read as intended; a CR elsewhere in a header is refused.
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
}
