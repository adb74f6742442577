//! The pickup files of a message, made one after the other.

use super::action::{Action, MergeAction};
use crate::identity::{Id, Identity};
use crate::message::{Merge, Recipient, SingleMessage};
use crate::pickup_file::{EnvelopeIds, MergePacker, PickupFile, pickup_files};
use std::convert::Infallible;

/// Takes the files of one message.
pub(super) trait FileSink {
    type Output;
    type Error;

    /// Takes the next file. After an error there are no further calls.
    fn put(&mut self, file: PickupFile) -> Result<(), Self::Error>;

    /// All files were taken.
    fn finish(self, summary: Summary) -> Self::Output;
}

/// What is known of a message beside its files.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub id: Id,
    pub message_id: Option<String>,
    pub recipients: usize,
    pub envelope_ids: Option<EnvelopeIds>,
}

/// Makes the pickup files of a message.
pub(super) struct MakeFiles<S> {
    pub identity: Identity,
    pub sink: S,
}

impl<S: FileSink> Action for MakeFiles<S> {
    type Output = S::Output;
    type Error = S::Error;
    type Merge<'m> = MakeMergeFiles<'m, S>;

    fn single(mut self, message: &SingleMessage<'_>) -> Result<S::Output, S::Error> {
        let id = self.identity.id;
        let envelope = message.envelope();
        let rendered = message.render(&self.identity).into_vec();
        for file in pickup_files(id, &envelope, &message.delivery, rendered) {
            self.sink.put(file)?;
        }
        Ok(self.sink.finish(Summary {
            id,
            message_id: message.message_id(&self.identity),
            recipients: envelope.forward_paths.len(),
            envelope_ids: None,
        }))
    }

    fn merge<'m>(self, merge: &'m Merge<'m>) -> MakeMergeFiles<'m, S> {
        MakeMergeFiles {
            packer: MergePacker::new(merge, self.identity),
            sink: self.sink,
        }
    }
}

pub(super) struct MakeMergeFiles<'m, S> {
    packer: MergePacker<'m>,
    sink: S,
}

impl<S: FileSink> MergeAction for MakeMergeFiles<'_, S> {
    type Output = S::Output;
    type Error = S::Error;

    fn recipient(&mut self, recipient: &Recipient<'_>) -> Result<(), S::Error> {
        self.packer.add(recipient, |file| self.sink.put(file))
    }

    fn finish(mut self) -> Result<S::Output, S::Error> {
        let packed = self.packer.finish(|file| self.sink.put(file))?;
        Ok(self.sink.finish(Summary {
            id: packed.id,
            // Each message of a merge has its own.
            message_id: None,
            recipients: packed.recipients,
            envelope_ids: Some(packed.envelope_ids),
        }))
    }
}

/// Keeps one file of all, and how many there are.
pub(super) struct OneFile {
    number: usize,
    count: usize,
    file: Option<PickupFile>,
}

impl OneFile {
    /// The file of this number, counted from 1.
    pub fn new(number: usize) -> Self {
        Self {
            number,
            count: 0,
            file: None,
        }
    }
}

impl FileSink for OneFile {
    type Output = (Option<PickupFile>, usize);
    type Error = Infallible;

    fn put(&mut self, file: PickupFile) -> Result<(), Infallible> {
        self.count += 1;
        if self.count == self.number {
            self.file = Some(file);
        }
        Ok(())
    }

    fn finish(self, _: Summary) -> Self::Output {
        (self.file, self.count)
    }
}
