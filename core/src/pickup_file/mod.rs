//! The files that PowerMTA takes: envelope and message in one of its two forms.

mod bsmtp;
mod header_form;

use crate::envelope::Envelope;
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

    /// Its octets: what stands before the message, and the message.
    pub fn chunks(&self) -> [&[u8]; 2] {
        [&self.envelope, &self.message]
    }

    /// Its size in octets.
    pub fn octets(&self) -> u64 {
        (self.envelope.len() + self.message.len()) as u64
    }
}

/// Puts a message into as many pickup files as its recipients need.
pub(crate) fn pickup_files(id: &Id, envelope: &Envelope<'_>, message: Vec<u8>) -> Vec<PickupFile> {
    // Headers can say neither an empty reverse-path nor SMTPUTF8.
    let as_headers = envelope.reverse_path.is_some() && !envelope.is_internationalized();
    let message = Arc::new(if as_headers {
        message
    } else {
        bsmtp::data(&message)
    });
    let groups = envelope.forward_paths.chunks(MOST_RECIPIENTS);
    let single = groups.len() == 1;
    groups
        .enumerate()
        .map(|(index, recipients)| PickupFile {
            name: if single {
                format!("{id}.eml")
            } else {
                format!("{id}-{}.eml", index + 1)
            },
            envelope: match envelope.reverse_path {
                Some(sender) if as_headers => header_form::envelope(sender, recipients),
                sender => bsmtp::envelope(sender, recipients, envelope.is_internationalized()),
            },
            message: Arc::clone(&message),
        })
        .collect()
}
