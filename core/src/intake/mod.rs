//! Messages that come piece by piece, with more recipients than memory should hold.
//!
//! While octets arrive they are told apart: the message itself is kept in memory, its recipients go
//! into a spool, which is a file without a name once it is large. When all is there the message is
//! read, and then one recipient after the other. Nothing is handed over before all were read.

mod records;
mod splitter;
mod spool;
mod work;

use crate::json::{self, Reading, RecipientReading, Unreadable};
use crate::message::{
    Merge, MergeReading, Message, MessageKind, NOBODY, Recipient, StreamedRecipients,
};
use crate::pickup_directory::{PickupDirectory, PickupError};
use crate::pickup_file::PickupFile;
use crate::problem::{Code, Problems};
use crate::submission::{Receipt, Submission};
use records::{Record, Records};
use splitter::Splitter;
use spool::Spool;
use std::io;
use work::Work;

/// How a submission that comes piece by piece is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntakeFormat {
    /// One JSON object, its recipients in `recipients`.
    Json,
    /// The message in the first line, then one recipient a line. Blank lines do not count.
    Ndjson,
}

/// Takes the octets of one submission as they come.
///
/// ```
/// use pmtaemail::{Intake, IntakeFormat, PickupDirectory, PickupOptions};
/// # let temporary = tempfile::tempdir().unwrap();
/// # let path = temporary.path();
/// let directory = PickupDirectory::open(path, PickupOptions::default()).unwrap();
/// let mut intake = Intake::new(IntakeFormat::Ndjson);
/// for octets in [
///     br#"{"from": "a@example.com", "template": "merge", "text": "Hello {{ name }}"}"#.as_slice(),
///     b"\n{\"address\": \"b@example.org\", \"variables\": {\"name\": \"Bo\"}}\n",
/// ] {
///     intake.feed(octets, Some(&directory))?;
/// }
/// let receipt = intake.finish().submit(&directory)?;
/// assert_eq!(receipt.recipients, 1);
/// # Ok::<(), pmtaemail::IntakeError>(())
/// ```
#[derive(Debug)]
pub struct Intake {
    format: IntakeFormat,
    head: Vec<u8>,
    splitter: Splitter,
    spool: Spool,
}

/// Why a submission that came piece by piece is not done.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The message breaks rules.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// The pickup directory does not take it.
    #[error(transparent)]
    Pickup(#[from] PickupError),
    /// The recipients could not be kept on the pickup directory's file system until all were there.
    #[error("recipients could not wait on the file system of the pickup directory")]
    Spool(#[from] io::Error),
}

impl Intake {
    /// Begins a submission.
    pub fn new(format: IntakeFormat) -> Self {
        Self {
            format,
            head: Vec::new(),
            splitter: Splitter::new(format),
            spool: Spool::default(),
        }
    }

    /// Takes the next octets. Recipients may wait on the file system of `directory` where they are
    /// many; without it they are all kept in memory.
    pub fn feed(
        &mut self,
        octets: &[u8],
        directory: Option<&PickupDirectory>,
    ) -> Result<(), IntakeError> {
        self.splitter.feed(octets, &mut self.head, &mut self.spool);
        self.spool.flush(directory)
    }

    /// How many octets are kept in memory.
    pub fn held(&self) -> usize {
        self.head.len() + self.spool.held()
    }

    /// How many octets the message itself has so far, its recipients not counted.
    pub fn message_octets(&self) -> usize {
        self.head.len()
    }

    /// Everything is there.
    pub fn finish(self) -> Received {
        let recipients = match self.format {
            IntakeFormat::Ndjson => Some(StreamedRecipients::Lines),
            IntakeFormat::Json => {
                (self.splitter.has_recipients()).then_some(StreamedRecipients::Array)
            }
        };
        Received {
            recipients,
            separator: self.splitter.separator(),
            is_broken: self.splitter.is_broken(),
            head: self.head,
            spool: self.spool,
        }
    }
}

/// A submission that is all there, and not yet read.
#[derive(Debug)]
pub struct Received {
    /// `None`: they are in the message.
    recipients: Option<StreamedRecipients>,
    separator: u8,
    is_broken: bool,
    head: Vec<u8>,
    spool: Spool,
}

impl Received {
    /// Tells all that is wrong with it.
    pub fn check(self) -> Result<(), IntakeError> {
        match self.recipients {
            None => Ok(Message::from_json(&self.head).map(drop)?),
            Some(recipients) => self.read(recipients, &Aim::Check).map(drop),
        }
    }

    /// The octets of the message of recipient `number`, from 1. `None` if there are fewer. A message
    /// that is no mail merge is the same for all.
    pub fn render(self, number: usize) -> Result<Option<Vec<u8>>, IntakeError> {
        let Some(recipients) = self.recipients else {
            let message = Message::from_json(&self.head)?;
            return Ok(message.render_recipient(number.saturating_sub(1)));
        };
        match self.read(recipients, &Aim::Render(number))? {
            Made::Octets(octets) => Ok(octets),
            _ => Ok(None),
        }
    }

    /// Its pickup file of this number, from 1, if there are so many; and how many there are.
    pub fn pickup_file(self, number: usize) -> Result<(Option<PickupFile>, usize), IntakeError> {
        if let Some(recipients) = self.recipients
            && let Made::File(file, count) = self.read(recipients, &Aim::File(number))?
        {
            return Ok((file, count));
        }
        let submission = Submission::from_json(&self.head)?;
        let files = submission.files();
        let file = number.checked_sub(1).and_then(|index| files.get(index));
        Ok((file.cloned(), files.len()))
    }

    /// Hands it over: all of its files, or none. See [`PickupDirectory::submit`].
    pub fn submit(self, directory: &PickupDirectory) -> Result<Receipt, IntakeError> {
        if let Some(recipients) = self.recipients
            && let Made::Receipt(receipt) = self.read(recipients, &Aim::Submit(directory))?
        {
            return Ok(receipt);
        }
        let submission = Submission::from_json(&self.head)?;
        Ok(directory.submit(&submission)?)
    }

    fn read(&self, recipients: StreamedRecipients, aim: &Aim<'_>) -> Result<Made, IntakeError> {
        if self.is_broken {
            return Err(json::broken_recipients().into());
        }
        match json::read(&self.head) {
            Ok(head) => self.read_with(head, recipients, aim),
            Err(Unreadable::NotJson(problems)) => Err(problems.into()),
            Err(Unreadable::LoneSurrogates(marked)) => {
                self.read_with(marked.read()?, recipients, aim)
            }
        }
    }

    fn read_with(
        &self,
        head: Reading<'_>,
        recipients: StreamedRecipients,
        aim: &Aim<'_>,
    ) -> Result<Made, IntakeError> {
        let MergeReading {
            merge,
            mut report,
            location,
            name,
        } = Message::read_merge(head, recipients);
        let merge = merge.as_deref();
        let mut work = merge.map(|merge| Work::new(merge, aim));
        let mut records = Records::new(self.spool.reader(), self.separator);
        let mut index = 0;
        let mut count = 0;
        while !report.is_full()
            && let Some(Record { octets, is_only }) = records.next()?
        {
            let may_be_blank = is_only || self.separator == splitter::LINE;
            if may_be_blank && octets.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let read = read_recipient(octets, &name, index, merge, |recipient| {
                match (&mut work, report.len()) {
                    (Some(work), 0) => Ok(work.add(recipient)?),
                    _ => Ok(()),
                }
            });
            index += 1;
            // `null` is as absent.
            count += usize::from(!matches!(read, Ok(false)));
            match read {
                Ok(_) => {}
                Err(IntakeError::Problems(problems)) if problems.is_not_json() => {
                    return Err(problems.into());
                }
                Err(IntakeError::Problems(problems)) => report.adopt(location, problems),
                Err(error) => return Err(error),
            }
        }
        if merge.is_some() && count == 0 {
            report.problem(location, Code::NoRecipients, NOBODY);
        }
        let work = report.finish(work)?;
        Ok(work.finish()?)
    }
}

impl PickupDirectory {
    /// Hands a message over as [`submit`](Self::submit) does, but writes each file of a mail merge as
    /// soon as it is made: they are never all in memory.
    pub fn submit_message(&self, message: &Message<'_>) -> Result<Receipt, PickupError> {
        if let MessageKind::Merge(merge, recipients) = message.kind() {
            let mut work = Work::new(merge, &Aim::Submit(self));
            for recipient in recipients.as_slice() {
                work.add(recipient)?;
            }
            if let Made::Receipt(receipt) = work.finish()? {
                return Ok(receipt);
            }
        }
        self.submit(&Submission::new(message))
    }
}

/// Reads one recipient and hands it on if all its rules hold; false if there is none.
fn read_recipient(
    record: &[u8],
    name: &str,
    index: usize,
    merge: Option<&Merge<'_>>,
    then: impl FnOnce(&Recipient<'_>) -> Result<(), IntakeError>,
) -> Result<bool, IntakeError> {
    let understood = |reading: RecipientReading<'_>| {
        let RecipientReading {
            recipient,
            mut report,
        } = reading;
        // Where the message is not understood, only what the JSON says can be judged.
        let Some(merge) = merge else {
            let is_there = recipient.is_some();
            return Ok(report.finish(Some(is_there))?);
        };
        let recipient = recipient.map(|recipient| merge.read_recipient(recipient, &mut report));
        match recipient {
            None if report.len() == 0 => Ok(false),
            recipient => then(&report.finish(recipient.flatten())?).map(|()| true),
        }
    };
    match json::read_recipient(record, name, index) {
        Ok(reading) => understood(reading),
        Err(Unreadable::NotJson(problems)) => Err(problems.into()),
        Err(Unreadable::LoneSurrogates(marked)) => understood(marked.read_recipient(name, index)?),
    }
}

/// What a submission is read for.
enum Aim<'d> {
    Check,
    Render(usize),
    /// The pickup file of this number, from 1.
    File(usize),
    Submit(&'d PickupDirectory),
}

/// What became of it.
enum Made {
    Nothing,
    Octets(Option<Vec<u8>>),
    /// The file that was asked for, and how many there are.
    File(Option<PickupFile>, usize),
    Receipt(Receipt),
}
