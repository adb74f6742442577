//! The files that PowerMTA takes: envelope and message in one of its two forms.

mod bsmtp;
mod header_form;
mod merge;

pub(crate) use merge::Identifiers;
pub(crate) use merge::MergePacker;
#[cfg(feature = "idempotency")]
pub(crate) use merge::StoredIds;
pub use merge::{EnvelopeIds, RecipientReceipt, RecipientReceipts};

use crate::address::AddrSpec;
use crate::envelope::Envelope;
use crate::identity::Id;
use crate::message::Delivery;
use crate::text::put;
use std::sync::Arc;

/// PowerMTA's user's guide recommends at most this many recipients per file.
pub(crate) const MOST_RECIPIENTS: usize = 5_000;

/// A complete pickup file that is not in a directory yet.
///
/// The files of one submission share their message.
///
/// ```
/// use pmtaemail::Submission;
///
/// let json = br#"{"from": "shop@example.com", "to": "ann@example.org", "text": "Hello"}"#;
/// let submission = Submission::from_json(json)?;
/// let file = &submission.files()[0];
/// assert_eq!(file.name(), format!("{}.eml", submission.id()));
/// let [envelope, message] = file.chunks();
/// assert!(envelope.starts_with(b"x-sender: shop@example.com\r\nx-receiver: ann@example.org\r\n"));
/// assert!(message.ends_with(b"\r\n\r\nHello\r\n"));
/// assert_eq!(file.size(), (envelope.len() + message.len()) as u64);
/// # Ok::<(), pmtaemail::Problems>(())
/// ```
#[derive(Debug, Clone)]
pub struct PickupFile {
    name: String,
    envelope: Vec<u8>,
    message: Arc<Vec<u8>>,
}

impl PickupFile {
    /// Its name in the pickup directory: `ID.eml`, or `ID-1.eml`, `ID-2.eml` and so on if the submission has several
    /// files.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn new(name: String, envelope: Vec<u8>, message: Vec<u8>) -> Self {
        Self {
            name,
            envelope,
            message: Arc::new(message),
        }
    }

    /// Its bytes: what comes before the message, and the message.
    pub fn chunks(&self) -> [&[u8]; 2] {
        [&self.envelope, &self.message]
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        (self.envelope.len() + self.message.len()) as u64
    }
}

/// Puts a message into as many pickup files as its recipients need.
pub(crate) fn pickup_files(
    id: Id,
    envelope: &Envelope<'_>,
    delivery: &Delivery<'_>,
    message: Vec<u8>,
) -> impl Iterator<Item = PickupFile> {
    let message = Arc::new(write_message(envelope, delivery, message));
    let groups = envelope.forward_paths.chunks(MOST_RECIPIENTS);
    let is_single = groups.len() == 1;
    (1..)
        .zip(groups)
        .map(move |(number, recipients)| PickupFile {
            name: if is_single {
                format!("{id}.eml")
            } else {
                format!("{id}-{number}.eml")
            },
            envelope: write_envelope(envelope, recipients, delivery, &id),
            message: Arc::clone(&message),
        })
}

/// A message for a few recipients in one file.
fn single_file(
    name: String,
    envelope: &Envelope<'_>,
    delivery: &Delivery<'_>,
    id: &Id,
    message: Vec<u8>,
) -> PickupFile {
    let before = write_envelope(envelope, &envelope.forward_paths, delivery, id);
    PickupFile::new(name, before, write_message(envelope, delivery, message))
}

/// What comes before the message.
fn write_envelope(
    envelope: &Envelope<'_>,
    recipients: &[&AddrSpec<'_>],
    delivery: &Delivery<'_>,
    id: &Id,
) -> Vec<u8> {
    let envid = delivery.envelope_id(id);
    match header_form::sender(envelope, delivery) {
        Some(sender) => header_form::envelope(sender, recipients, delivery, envid),
        None => bsmtp::envelope(envelope, recipients, delivery, envid),
    }
}

/// The message as it follows that.
fn write_message(envelope: &Envelope<'_>, delivery: &Delivery<'_>, message: Vec<u8>) -> Vec<u8> {
    match header_form::sender(envelope, delivery) {
        Some(_) => message,
        None => bsmtp::data(&message),
    }
}

/// Header lines that PowerMTA takes out of the message, in both forms.
fn option_lines(out: &mut Vec<u8>, delivery: &Delivery<'_>) {
    for (name, value) in [
        ("x-job", delivery.job.as_deref()),
        ("x-virtual-mta", delivery.vmta.as_deref()),
        ("x-dkim-options", delivery.dkim.as_deref()),
        ("x-schedule", delivery.schedule.as_deref()),
    ] {
        if let Some(value) = value {
            line(out, name, value);
        }
    }
}

fn line(out: &mut Vec<u8>, name: &str, value: &str) {
    put(out, &[name, ": ", value, "\r\n"]);
}
