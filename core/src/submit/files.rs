//! The pickup files of a message, made one after the other.

use super::action::{Action, MergeAction};
use super::receipt::Receipt;
use crate::identity::Identity;
use crate::message::{Merge, Recipient, RejectedRecipients, SingleMessage};
use crate::pickup_file::{MergePacker, PickupFile, pickup_files};

/// Makes the pickup files of a message, and gives each to `put` as soon as it is made. So they need
/// never all be in memory.
pub(super) struct MakeFiles<P> {
    identity: Identity,
    put: P,
    names: Vec<String>,
    size: u64,
}

impl<E, P: FnMut(PickupFile) -> Result<(), E>> MakeFiles<P> {
    /// `put` takes the next file. After an error there are no further calls.
    pub fn new(identity: Identity, put: P) -> Self {
        Self {
            identity,
            put,
            names: Vec::new(),
            size: 0,
        }
    }

    fn put(&mut self, file: PickupFile) -> Result<(), E> {
        self.names.push(file.name().to_owned());
        self.size += file.size();
        (self.put)(file)
    }
}

impl<E, P: FnMut(PickupFile) -> Result<(), E>> Action for MakeFiles<P> {
    type Output = Receipt;
    type Error = E;
    type Merge<'m> = MakeMergeFiles<'m, P>;

    fn single(mut self, message: &SingleMessage<'_>) -> Result<Receipt, E> {
        let id = self.identity.id;
        let envelope = message.envelope();
        let rendered = message.render(&self.identity).into_vec();
        for file in pickup_files(id, &envelope, &message.delivery, rendered) {
            self.put(file)?;
        }
        Ok(Receipt {
            id,
            message_id: Some(message.message_id(&self.identity)),
            files: self.names,
            recipients: envelope.forward_paths.len(),
            size: self.size,
            job: message.delivery.job.as_deref().map(str::to_owned),
            vmta: message.delivery.vmta.as_deref().map(str::to_owned),
            envelope_ids: None,
            rejected: None,
        })
    }

    fn merge<'m>(self, merge: &'m Merge<'m>) -> MakeMergeFiles<'m, P> {
        MakeMergeFiles {
            packer: MergePacker::new(merge, self.identity),
            files: self,
            has_begun: false,
            job: merge.delivery.job.as_deref().map(str::to_owned),
            vmta: merge.delivery.vmta.as_deref().map(str::to_owned),
        }
    }
}

pub(super) struct MakeMergeFiles<'m, P> {
    packer: MergePacker<'m>,
    files: MakeFiles<P>,
    job: Option<String>,
    vmta: Option<String>,
    /// Whether there was a recipient.
    has_begun: bool,
}

impl<E, P> MergeAction<MakeFiles<P>> for MakeMergeFiles<'_, P>
where
    P: FnMut(PickupFile) -> Result<(), E>,
{
    fn recipient(&mut self, recipient: &Recipient<'_>) -> Result<(), E> {
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some(file) = self.packer.seeds(recipient)
        {
            self.files.put(file)?;
        }
        self.packer.add(recipient, |file| self.files.put(file))
    }

    fn finish(mut self, rejected: Option<RejectedRecipients>) -> Result<Receipt, E> {
        let packed = self.packer.finish(|file| self.files.put(file))?;
        Ok(Receipt {
            id: packed.id,
            // Each message of a merge has its own.
            message_id: None,
            files: self.files.names,
            recipients: packed.recipients,
            size: self.files.size,
            job: self.job,
            vmta: self.vmta,
            envelope_ids: Some(packed.envelope_ids),
            rejected,
        })
    }
}
