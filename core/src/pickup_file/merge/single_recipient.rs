//! A file of the merge form for one recipient, whose message is all template: only this form can express PowerMTA's own
//! priority, subaccount ID and custom message ID.

use super::definitions::Definitions;
use crate::envelope::Envelope;
use crate::identity::Id;
use crate::message::Delivery;
use crate::pickup_file::PickupFile;
use crate::pickup_file::bsmtp::{self, rcpt_to};

/// `message` is complete and contains no bracket; nothing is filled in.
pub(super) fn file(
    name: String,
    envelope: &Envelope<'_>,
    delivery: &Delivery<'_>,
    id: &Id,
    priority: Option<u8>,
    message: &[u8],
) -> PickupFile {
    let mut commands = Vec::new();
    bsmtp::from_command(
        &mut commands,
        "XMRG",
        envelope.reverse_path,
        envelope.is_internationalized,
        delivery,
        None,
    );
    // Definitions are those of the recipient that follows.
    for recipient in &envelope.forward_paths {
        define(&mut commands, delivery, id, priority);
        rcpt_to(&mut commands, recipient, delivery.dsn.as_ref());
    }
    let mut part = b"XPRT 1 LAST\r\n".to_vec();
    part.extend(bsmtp::data(message));
    PickupFile::new(name, commands, part)
}

fn define(commands: &mut Vec<u8>, delivery: &Delivery<'_>, id: &Id, priority: Option<u8>) {
    let mut own = Definitions::new(commands);
    own.define(b"*envid", delivery.envelope_id(id).as_bytes());
    for (name, value) in [
        (b"*jobid".as_slice(), &delivery.job),
        (b"*vmta", &delivery.vmta),
        (b"*schedule", &delivery.schedule),
        (b"*subaccountid", &delivery.subaccount_id),
        (b"*custommessageid", &delivery.custom_message_id),
        (
            b"*priority",
            &priority.map(|priority| priority.to_string().into()),
        ),
    ] {
        if let Some(value) = value {
            own.define(name, value.as_bytes());
        }
    }
    own.end();
}
