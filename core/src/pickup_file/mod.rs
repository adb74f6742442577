//! The files that PowerMTA takes: envelope and message in one of its two forms.

mod bsmtp;
mod header_form;
mod merge;

pub use merge::EnvelopeIds;
pub(crate) use merge::Packer;

use crate::envelope::Envelope;
use crate::message::Delivery;
use crate::stamp::Id;
use std::sync::Arc;

/// PowerMTA's user's guide recommends at most so many recipients in a file.
pub(crate) const MOST_RECIPIENTS: usize = 5_000;

/// A whole pickup file, not yet in a directory.
///
/// The files of one submission share their message.
#[derive(Debug, Clone)]
pub struct PickupFile {
    name: String,
    envelope: Vec<u8>,
    message: Arc<Vec<u8>>,
}

impl PickupFile {
    /// Its name in the pickup directory: `ID.eml`, or `ID-1.eml`, `ID-2.eml` and so on when a
    /// submission has several.
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

    /// Its bytes: what stands before the message, and the message.
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
    named_files(envelope, delivery, message, move |number| match number {
        None => format!("{id}.eml"),
        Some(number) => format!("{id}-{number}.eml"),
    })
}

/// The same with names of one's own: `name` gets the number of a file, from 1, where there are
/// several.
fn named_files(
    envelope: &Envelope<'_>,
    delivery: &Delivery<'_>,
    message: Vec<u8>,
    name: impl Fn(Option<usize>) -> String,
) -> impl Iterator<Item = PickupFile> {
    let as_headers = header_form::can_say(envelope, delivery);
    let message = Arc::new(if as_headers {
        message
    } else {
        bsmtp::data(&message)
    });
    let groups = envelope.forward_paths.chunks(MOST_RECIPIENTS);
    let single = groups.len() == 1;
    groups
        .enumerate()
        .map(move |(index, recipients)| PickupFile {
            name: name((!single).then_some(index + 1)),
            envelope: match envelope.reverse_path {
                Some(sender) if as_headers => header_form::envelope(sender, recipients, delivery),
                _ => bsmtp::envelope(envelope, recipients, delivery),
            },
            message: Arc::clone(&message),
        })
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
    for piece in [name, ": ", value, "\r\n"] {
        out.extend_from_slice(piece.as_bytes());
    }
}
