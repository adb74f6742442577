//! What was submitted to a pickup directory in memory, message by message.

use super::envelope::OutboxEnvelope;
use super::file::OutboxFile;
use super::mail::{Mail, MailSummary};
use super::unreadable::UnreadableFile;
use crate::identity::Id;
use crate::pickup_directory::SubmittedFile;
use crate::pickup_file::EnvelopeIds;
use serde::{Serialize, Serializer};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

/// A submitted message: one for all recipients, or, in a mail merge, one for each.
///
/// ```
/// use pmtaemail::{PickupDirectory, Submission, outbox::SentMessage};
///
/// let directory = PickupDirectory::in_memory();
/// let json = br#"{"from": "shop@example.com", "template": "merge", "text": "Hello {{ name }}",
///                 "recipients": [{"address": "ann@example.org", "variables": {"name": "Ann"}},
///                                {"address": "bo@example.org", "variables": {"name": "Bo"}}]}"#;
/// directory.submit(&Submission::from_json(json)?)?;
/// let sent = SentMessage::of(&directory.submitted_files())?;
/// assert_eq!(sent.len(), 2);
/// assert_eq!(sent[1].recipients, ["bo@example.org"]);
/// assert_eq!(sent[1].mail.text().as_deref(), Some("Hello Bo"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SentMessage {
    /// The submission; `None` if its file was written with [`Transaction::write`](crate::Transaction::write).
    pub id: Option<Id>,
    /// The forward-paths of the envelope, in order: everybody who gets it, including blind copies.
    pub recipients: Vec<String>,
    /// The envelope; if there are several recipients, that of the first.
    pub envelope: OutboxEnvelope<'static>,
    /// The message as it is sent (RFC 5322).
    pub bytes: Vec<u8>,
    /// The message, decoded.
    pub mail: Mail,
}

impl SentMessage {
    /// The messages in one pickup file. `received` is when PowerMTA took it; it becomes the Date of a merge that gives
    /// none.
    ///
    /// ```
    /// use pmtaemail::outbox::SentMessage;
    ///
    /// let file = b"x-sender: a@example.com\r\nx-receiver: b@example.org\r\nSubject: Hello\r\n\r\n";
    /// let sent = SentMessage::in_file(file, std::time::SystemTime::now())?;
    /// assert_eq!(sent[0].recipients, ["b@example.org"]);
    /// # Ok::<(), pmtaemail::outbox::UnreadableFile>(())
    /// ```
    ///
    /// # Errors
    /// The file differs from what this library writes.
    pub fn in_file(file: &[u8], received: SystemTime) -> Result<Vec<Self>, UnreadableFile> {
        let mut messages = Vec::new();
        read(
            file,
            Origin {
                id: None,
                received,
                is_personal: false,
            },
            0,
            &mut messages,
        )?;
        Ok(messages)
    }

    /// The messages in these files, in the order of submission; those of a mail merge in the order of its recipients,
    /// with seeds last.
    ///
    /// # Errors
    /// A file differs from what this library writes.
    pub fn of(files: &[Arc<SubmittedFile>]) -> Result<Vec<Self>, UnreadableFile> {
        let mut messages = Vec::new();
        for submission in files.chunk_by(|one, other| one.id.is_some() && one.id == other.id) {
            let begins = messages.len();
            for file in submission {
                let origin = Origin {
                    id: file.id,
                    received: file.id.map_or(SystemTime::UNIX_EPOCH, |id| id.time()),
                    is_personal: file.envelope_ids.is_some(),
                };
                read(&file.bytes, origin, begins, &mut messages)?;
            }
            if let Some(ids) = submission
                .first()
                .and_then(|file| file.envelope_ids.as_ref())
            {
                sort(&mut messages[begins..], ids)?;
            }
        }
        Ok(messages)
    }
}

/// `{id, recipients, envelope, headers, subject, from, to, cc, replyTo, messageId, text, html, amp, calendar,
/// attachments}`, where what is not there is null or empty.
impl Serialize for SentMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Json<'m> {
            id: Option<Id>,
            recipients: &'m [String],
            envelope: &'m OutboxEnvelope<'static>,
            #[serde(flatten)]
            mail: MailSummary<'m>,
        }
        let json = Json {
            id: self.id,
            recipients: &self.recipients,
            envelope: &self.envelope,
            mail: self.mail.summary(),
        };
        json.serialize(serializer)
    }
}

/// Where a file comes from.
#[derive(Clone, Copy)]
struct Origin {
    id: Option<Id>,
    received: SystemTime,
    /// It is one of a mail merge, whatever its form.
    is_personal: bool,
}

/// Appends the messages of a file; `begins` is where those of its submission do.
fn read(
    file: &[u8],
    origin: Origin,
    begins: usize,
    messages: &mut Vec<SentMessage>,
) -> Result<(), UnreadableFile> {
    let read = OutboxFile::read(file)?;
    let is_personal = origin.is_personal || read.is_merge();
    for recipient in 0..read.recipients() {
        let envelope = read.envelope(recipient);
        let envelope = envelope.ok_or(UnreadableFile::new(1, "it has no such recipient"))?;
        let address = envelope.to.clone().into_owned();
        // The others of a message that is the same for all, who may be in several files.
        if let Some(same) = messages[begins..].last_mut().filter(|_| !is_personal) {
            same.recipients.push(address);
            continue;
        }
        let bytes = read.mail(recipient, origin.received)?.into_owned();
        let mail = Mail::read(&bytes);
        messages.push(SentMessage {
            id: origin.id,
            recipients: vec![address],
            envelope: envelope.into_owned(),
            mail: mail.ok_or(UnreadableFile::new(1, "its message cannot be decoded"))?,
            bytes,
        });
    }
    Ok(())
}

/// Puts the messages of a mail merge into the order of its recipients. One that is none of theirs, a seed's, is last.
fn sort(messages: &mut [SentMessage], ids: &EnvelopeIds) -> Result<(), UnreadableFile> {
    let mut places: HashMap<(Option<String>, String), VecDeque<usize>> = HashMap::new();
    for (place, receipt) in ids.recipient_receipts().enumerate() {
        let unreadable = "the identifiers of its recipients cannot be read";
        let receipt = receipt.map_err(|_| UnreadableFile::new(1, unreadable))?;
        let key = (Some(receipt.envid), receipt.message_id);
        places.entry(key).or_default().push_back(place);
    }
    messages.sort_by_cached_key(|message| {
        let envid = message.envelope.envid.as_deref().map(str::to_owned);
        let key = (
            envid,
            message.mail.message_id().unwrap_or_default().to_owned(),
        );
        places
            .get_mut(&key)
            .and_then(VecDeque::pop_front)
            .unwrap_or(usize::MAX)
    });
    Ok(())
}
