//! The pickup files of a message, made one after the other.

use super::action::{Action, MergeAction};
use super::receipt::{Receipt, Uncompared};
use crate::identity::Identity;
use crate::message::{Merge, Recipient, RejectedRecipients, SingleMessage};
use crate::pickup_file::{Identifiers, MergePacker, PickupFile, pickup_files};
use crate::virtual_mtas::VirtualMtas;

/// Takes the pickup files of a message, one after the other. After an error there are no further calls. Functions that
/// take a file implement it.
pub(super) trait Sink {
    type Error;

    /// Takes the next file.
    fn put(&mut self, file: PickupFile) -> Result<(), Self::Error>;

    /// Moves the identifiers of recipients out of memory if there are many. The default keeps them in memory.
    fn spool(&mut self, _: &mut Identifiers) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl<E, P: FnMut(PickupFile) -> Result<(), E>> Sink for P {
    type Error = E;

    fn put(&mut self, file: PickupFile) -> Result<(), E> {
        self(file)
    }
}

/// Makes the pickup files of a message, and passes each to a [`Sink`] as soon as it is made, so that they need never
/// all be in memory.
pub(super) struct MakeFiles<S> {
    identity: Identity,
    sink: S,
    names: Vec<String>,
    size: u64,
}

impl<S: Sink> MakeFiles<S> {
    pub fn new(identity: Identity, sink: S) -> Self {
        Self {
            identity,
            sink,
            names: Vec::new(),
            size: 0,
        }
    }

    fn put(&mut self, file: PickupFile) -> Result<(), S::Error> {
        self.names.push(file.name().to_owned());
        self.size += file.size();
        self.sink.put(file)
    }
}

impl<S: Sink> Action for MakeFiles<S> {
    type Output = Receipt;
    type Error = S::Error;
    type Merge<'m> = MakeMergeFiles<'m, S>;

    fn single(mut self, message: &SingleMessage<'_>) -> Result<Receipt, S::Error> {
        let id = self.identity.id;
        let envelope = message.envelope();
        let rendered = message.render(&self.identity).into_vec();
        let mut virtual_mtas = VirtualMtas::default();
        virtual_mtas.add(message.delivery.vmta.as_deref());
        for file in pickup_files(id, &envelope, &message.delivery, rendered) {
            self.put(file)?;
        }
        Ok(Receipt {
            id,
            message_id: Some(message.message_id(&self.identity)),
            files: self.names,
            recipients: envelope.forward_paths.len(),
            seeds: None,
            size: self.size,
            job: message.delivery.job.as_deref().map(str::to_owned),
            vmta: message.delivery.vmta.as_deref().map(str::to_owned),
            replayed: false,
            envelope_ids: None,
            rejected: None,
            virtual_mtas: Uncompared(virtual_mtas),
            warnings: None,
        })
    }

    fn merge<'m>(self, merge: &'m Merge<'m>) -> MakeMergeFiles<'m, S> {
        MakeMergeFiles {
            packer: MergePacker::new(merge, self.identity),
            files: self,
            has_begun: false,
            job: merge.delivery.job.as_deref().map(str::to_owned),
            vmta: merge.delivery.vmta.as_deref().map(str::to_owned),
            virtual_mtas: VirtualMtas::default(),
        }
    }
}

pub(super) struct MakeMergeFiles<'m, S> {
    packer: MergePacker<'m>,
    files: MakeFiles<S>,
    job: Option<String>,
    vmta: Option<String>,
    virtual_mtas: VirtualMtas,
    /// Whether there was a recipient.
    has_begun: bool,
}

impl<S: Sink> MergeAction<MakeFiles<S>> for MakeMergeFiles<'_, S> {
    fn recipient(&mut self, index: usize, recipient: &Recipient<'_>) -> Result<(), S::Error> {
        if !std::mem::replace(&mut self.has_begun, true)
            && let Some(file) = self.packer.seeds(recipient)
        {
            self.virtual_mtas.add(self.vmta.as_deref());
            self.files.put(file)?;
        }
        let vmta = recipient.vmta.as_deref().or(self.vmta.as_deref());
        self.virtual_mtas.add(vmta);
        self.packer
            .add(index, recipient, |file| self.files.put(file))?;
        self.files.sink.spool(self.packer.identifiers_mut())
    }

    fn finish(mut self, rejected: Option<RejectedRecipients>) -> Result<Receipt, S::Error> {
        let packed = self.packer.finish(|file| self.files.put(file))?;
        Ok(Receipt {
            id: packed.id,
            // Each message of a merge has its own.
            message_id: None,
            files: self.files.names,
            recipients: packed.recipients,
            seeds: packed.seeds,
            size: self.files.size,
            job: self.job,
            vmta: self.vmta,
            replayed: false,
            envelope_ids: Some(packed.envelope_ids),
            rejected,
            virtual_mtas: Uncompared(self.virtual_mtas),
            warnings: None,
        })
    }
}
