//! The form of header fields: `x-sender`, `x-receiver`, options, message.

use super::envelope::OutboxEnvelope;
use super::lines::Lines;
use super::recipient::Recipient;
use super::unreadable::UnreadableFile;

/// The recipients, and what applies to all of them. What is left of `lines` is the message.
pub(super) fn read<'a>(
    lines: &mut Lines<'a>,
    sender: &'a str,
) -> Result<(OutboxEnvelope<'a>, Vec<Recipient<'a>>), UnreadableFile> {
    let mut recipients = Vec::new();
    while let Some(address) = lines.take_if("x-receiver:")? {
        recipients.push(Recipient {
            address: address.trim(),
            ..Recipient::default()
        });
    }
    if recipients.is_empty() {
        return Err(lines.error_ahead("x-receiver is missing"));
    }
    let mut envelope = OutboxEnvelope {
        from: sender.trim().into(),
        ..OutboxEnvelope::default()
    };
    options(lines, &mut envelope)?;
    Ok((envelope, recipients))
}

/// The header fields at the start of a message that PowerMTA removes.
pub(super) fn options<'a>(
    lines: &mut Lines<'a>,
    envelope: &mut OutboxEnvelope<'a>,
) -> Result<(), UnreadableFile> {
    loop {
        if let Some(envid) = lines.take_if("x-envid:")? {
            envelope.envid = Some(envid.trim().into());
        } else if let Some(job) = lines.take_if("x-job:")? {
            envelope.job = Some(job.trim().into());
        } else if let Some(vmta) = lines.take_if("x-virtual-mta:")? {
            envelope.vmta = Some(vmta.trim().into());
        } else if let Some(dkim) = lines.take_if("x-dkim-options:")? {
            envelope.dkim = Some(dkim.trim().into());
        } else if let Some(schedule) = lines.take_if("x-schedule:")? {
            envelope.schedule = Some(schedule.trim().into());
        } else {
            return Ok(());
        }
    }
}
