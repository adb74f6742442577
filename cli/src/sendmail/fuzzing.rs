//! `sendmail` with a given standard input and a pickup directory in memory.

use super::arguments::{Arguments, Mode};
use super::submitter::Submitter;
use super::{smtp, submit};
use crate::exit::Failure;
use pmtaemail::{PickupDirectory, SubmittedFile};
use std::ffi::OsString;
use std::sync::Arc;

/// The outcome of a call.
#[derive(Debug, Default)]
pub struct SendmailOutcome {
    /// The pickup files that it left.
    pub files: Vec<Arc<SubmittedFile>>,
    /// What it reported as no recipient.
    pub invalid: Vec<String>,
    /// What the client of an SMTP dialogue reads; `None` if there was none.
    pub replies: Option<Vec<u8>>,
    /// Why it failed, as printed on standard error.
    pub failure: Option<String>,
}

/// Runs `sendmail` with these arguments after its name, and this on standard input.
pub fn sendmail_in_memory(line: Vec<OsString>, input: &[u8]) -> SendmailOutcome {
    let pickup = Arc::new(PickupDirectory::in_memory());
    let mut outcome = SendmailOutcome::default();
    let arguments = match Arguments::parse(line) {
        Ok(arguments) => arguments,
        Err(sentence) => {
            outcome.failure = Some(sentence);
            return outcome;
        }
    };
    let mut submitter = Submitter::in_memory(&arguments, Arc::clone(&pickup));
    let result = match arguments.mode {
        Mode::Help => Ok(()),
        Mode::Smtp => {
            let mut replies = Vec::new();
            let result = smtp::serve(input, &mut replies, submitter);
            outcome.replies = Some(replies);
            result
        }
        Mode::Message => {
            let invalid = &mut outcome.invalid;
            submit(&arguments, &mut submitter, input, |told| {
                invalid.extend(told.iter().map(|recipient| recipient.text.clone()));
            })
            .map(drop)
        }
    };
    outcome.failure = result.err().map(|failure| match failure {
        Failure::Problems(problems) => problems.to_string(),
        other => other.to_string(),
    });
    outcome.files = pickup.submitted_files();
    outcome
}
