//! From a posted message to a view of it: it is read like a submitted one, and its pickup files are created in memory.

use super::super::error::ApiError;
use super::super::request::{BufferedBody, ReceivedBody};
use super::places::{PlacedWarning, placed};
use super::shown::header_of;
use super::values::Values;
use super::views::{MailPlace, Mails, View};
use crate::access::now;
use bytes::Bytes;
use pmtaemail::outbox::OutboxFile;
use pmtaemail::{
    Identity, PickupFile, Receipt, RejectedRecipients, Selection, StreamedMessage, Submission,
    Submitter,
};
use std::collections::HashMap;
use std::num::NonZeroUsize;

/// A message that has arrived, and the recipient to show.
pub struct Posted {
    pub body: ReceivedBody,
    pub identity: Identity,
    pub submitter: Submitter,
    /// Its JSON, if all of it is in memory.
    pub text: Option<Bytes>,
    /// The requested recipient, from 0.
    pub recipient: usize,
    /// How many bytes its files may have.
    pub room: usize,
}

/// The JSON of a message, where all of it is in memory as it was written.
pub fn text_of(body: &ReceivedBody) -> Option<Bytes> {
    match body {
        ReceivedBody::Buffered(BufferedBody::Json(json)) => Some(json.clone()),
        ReceivedBody::Streamed(message) if message.is_whole() => {
            Some(Bytes::copy_from_slice(message.json()))
        }
        _ => None,
    }
}

impl Posted {
    /// The view of it.
    pub fn view(self) -> Result<View, ApiError> {
        let name = View::new_name()?;
        let (made, warnings, values) = match self.body {
            ReceivedBody::Buffered(ref body) => self.buffered(body)?,
            ReceivedBody::Streamed(message) => {
                let message = message.with_identity(self.identity);
                let message = message.with_submitter(self.submitter);
                streamed(message, self.text.as_ref(), self.recipient, self.room)?
            }
        };
        Ok(View {
            name,
            file: None,
            files: made.files,
            mails: made.mails,
            received: now().into(),
            values,
            warnings,
            rejected: made.rejected,
        })
    }

    fn buffered(
        &self,
        body: &BufferedBody,
    ) -> Result<(Made, Vec<PlacedWarning>, Values), ApiError> {
        let within = |selection| {
            body.read(selection, self.submitter.senders(), |message| {
                Submission::within(message, self.identity, self.room as u64)
            })
        };
        let made = match within(Selection::All)? {
            Ok(submission) => Made::of_all(&submission)?,
            Err(receipt) => {
                let only = only(&receipt, self.recipient, self.room)?;
                let submission = within(only)?.map_err(|_| too_large(self.room))?;
                Made::of_one(&submission, self.recipient, receipt.recipients)?
            }
        };
        let values = match body {
            BufferedBody::Json(json) => Values::of_message(json),
            BufferedBody::Form(form) => Values::of_message(form.message()),
            BufferedBody::Rfc822 { .. } => Values::default(),
        };
        let warnings = placed(self.text.as_ref(), body.warnings());
        Ok((made, warnings, values))
    }
}

fn streamed(
    message: StreamedMessage,
    text: Option<&Bytes>,
    recipient: usize,
    room: usize,
) -> Result<(Made, Vec<PlacedWarning>, Values), ApiError> {
    let warnings = placed(text, message.warnings()?);
    let mut values = Values::of_message(message.json());
    let made = match message.submission_within(room as u64)? {
        Ok(submission) => {
            message.try_for_each_recipient(|_, json| {
                values.add_recipient(json);
                Ok(())
            })?;
            Made::of_all(&submission)?
        }
        Err(receipt) => {
            let message = message.with_selection(only(&receipt, recipient, room)?);
            let submission = message.submission_within(room as u64)?;
            let submission = submission.map_err(|_| too_large(room))?;
            Made::of_one(&submission, recipient, receipt.recipients)?
        }
    };
    Ok((made, warnings, values))
}

fn too_large(limit: usize) -> ApiError {
    ApiError::TooLargeToPreview { limit }
}

/// The only recipient whose mail is shown, if a mail merge has more files than there is room for.
fn only(receipt: &Receipt, recipient: usize, room: usize) -> Result<Selection, ApiError> {
    if receipt.message_id.is_some() {
        return Err(too_large(room));
    }
    if recipient >= receipt.recipients {
        return Err(ApiError::NotFound);
    }
    let number = NonZeroUsize::MIN.saturating_add(recipient);
    Ok(Selection::Only(number))
}

/// The files of a message, and which mails they hold.
struct Made {
    files: Vec<Bytes>,
    mails: Mails,
    rejected: Option<RejectedRecipients>,
}

impl Made {
    fn of_all(submission: &Submission) -> Result<Self, ApiError> {
        let of_file = |file: &PickupFile| Bytes::from(file.chunks().concat());
        let files: Vec<_> = submission.files().iter().map(of_file).collect();
        let receipt = submission.receipt();
        let mails = mails(&files, &receipt)?;
        Ok(Self {
            files,
            mails,
            rejected: receipt.rejected,
        })
    }

    /// The same of one recipient, of so many.
    fn of_one(submission: &Submission, recipient: usize, of: usize) -> Result<Self, ApiError> {
        let Self {
            files,
            mails,
            rejected,
        } = Self::of_all(submission)?;
        // Others are those of seeds.
        let own = match &mails {
            Mails::Each(places) => places.first().map(|place| place.file as usize),
            _ => None,
        };
        let own = files.into_iter().nth(own.unwrap_or(0));
        Ok(Self {
            files: own.into_iter().collect(),
            mails: Mails::Only { recipient, of },
            rejected,
        })
    }
}

/// Which mails the files of a submission contain. Recipients of a mail merge are in the order of the message, which is
/// not that of the files: a recipient that does not fit into one is in another. They are found by their envelope IDs,
/// and by their Message-IDs if several have the same one.
fn mails(files: &[Bytes], receipt: &Receipt) -> Result<Mails, ApiError> {
    let Some(receipts) = receipt.recipient_receipts() else {
        return Ok(Mails::One);
    };
    let read: Result<Vec<_>, _> = files.iter().map(|file| OutboxFile::read(file)).collect();
    // The reason is reported when it is shown.
    let Ok(read) = read else {
        return Ok(Mails::OfFile);
    };
    let mut found: HashMap<String, Vec<(usize, usize)>> = HashMap::new();
    for (file, content) in read.iter().enumerate() {
        for recipient in 0..content.recipients() {
            let envelope = content.envelope(recipient);
            let envid = envelope.and_then(|envelope| envelope.envid);
            let key = envid.unwrap_or_default().into_owned();
            found.entry(key).or_default().push((file, recipient));
        }
    }
    let several = found.values().filter(|places| places.len() > 1).flatten();
    let by_message_id: HashMap<String, (usize, usize)> = several
        .filter_map(|place| Some((message_id(&read[place.0], place.1)?, *place)))
        .collect();
    let mut places = Vec::with_capacity(receipt.recipients);
    for receipt in receipts {
        let receipt = receipt.map_err(ApiError::Spool)?;
        let place = match found.get(receipt.envid.as_str()).map(Vec::as_slice) {
            Some([place]) => Some(place),
            _ => by_message_id.get(&receipt.message_id),
        };
        let Some((file, recipient)) = place.copied() else {
            return Ok(Mails::OfFile);
        };
        places.push(MailPlace {
            file: small(file),
            recipient: small(recipient),
            index: small(receipt.index),
        });
    }
    Ok(Mails::Each(places))
}

fn message_id(file: &OutboxFile<'_>, recipient: usize) -> Option<String> {
    let source = file.mail(recipient, now().into()).ok()?;
    Some(header_of(&source)?.message_id()?.to_owned())
}

/// None is larger: there is no memory for that many.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
