//! The lines of one recipient: the definitions, and the address.

use super::definitions::{Definitions, is_definable};
use super::forms::{Form, INLINE};
use super::header::{DoesNotFit, HeaderWriter};
use super::plan::{FieldKind, Key, Plan};
use super::syntax::has_bracket;
use super::value::{Extent, ValueEncoder};
use crate::address::ReversePath;
use crate::identity::Id;
use crate::message::{Recipient, RecipientPriority};
use crate::pickup_file::bsmtp::rcpt_to;

/// Writes the lines of one recipient after the other. It holds those of the last one.
#[derive(Debug, Default)]
pub(super) struct RecipientWriter {
    pub key: Key,
    /// `XDFN` lines, then the `RCPT` line.
    pub commands: Vec<u8>,
    /// Where the `RCPT` line begins.
    pub rcpt: usize,
    /// The form of each field of the header that differs.
    pub forms: Vec<Form>,
    /// The width of each value that is in the header as it is, by its number.
    pub header_widths: Vec<usize>,
    /// For each variable of the bodies, how much room the value takes, if the recipient has its own.
    pub own: Vec<Option<Extent>>,
    pub has_name: bool,
    header: HeaderWriter,
    encoder: ValueEncoder,
    /// The values that are in the header as they are.
    inline: Vec<bool>,
}

impl RecipientWriter {
    /// Writes the lines of a recipient, whose identifier is `id`.
    pub fn write(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        id: &Id,
    ) -> Result<(), DoesNotFit> {
        // PowerMTA puts the address into To, where its brackets could mean a variable.
        if has_bracket(recipient.mailbox.address.as_str().as_bytes()) {
            return Err(DoesNotFit);
        }
        self.key = plan.key(recipient);
        self.has_name = recipient.mailbox.name.is_some();
        let mut commands = std::mem::take(&mut self.commands);
        commands.clear();
        let mut out = Definitions::new(&mut commands);
        let written = self
            .write_fields(plan, recipient, id, &mut out)
            .and_then(|()| self.write_bodies(plan, recipient, &mut out))
            .and_then(|()| define_own(plan, recipient, id, &mut out));
        out.end();
        self.rcpt = commands.len();
        let dsn = plan.delivery().dsn.as_ref();
        rcpt_to(&mut commands, &recipient.mailbox.address, dsn);
        self.commands = commands;
        written
    }

    fn write_fields(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        id: &Id,
        out: &mut Definitions<'_>,
    ) -> Result<(), DoesNotFit> {
        self.header.begin(plan, recipient);
        self.forms.clear();
        self.inline.clear();
        self.inline.resize(plan.header_names.len(), false);
        for field in &plan.fields {
            let form = self.header.write(plan, field, recipient, id, out)?;
            self.forms.push(form);
            if let FieldKind::Text(text) = field.kind
                && form.variant == INLINE
            {
                for slot in text.slots() {
                    self.inline[slot.value] = true;
                }
            }
        }
        // Defined once, however many fields have them.
        let language = &plan.templates().language;
        self.header_widths.clear();
        self.header_widths.resize(plan.header_names.len(), 0);
        let names = plan.header_names.iter().zip(&mut self.header_widths);
        for (number, (name, width)) in names.enumerate() {
            if let (Some(name), true) = (name, self.inline[number]) {
                let value = language.value(&recipient.values, number).as_bytes();
                out.define(name.first(), value);
                *width = value.len();
            }
        }
        Ok(())
    }

    fn write_bodies(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<(), DoesNotFit> {
        let language = &plan.templates().language;
        let value = |number| language.value(&recipient.values, number);
        if plan
            .only_values
            .is_some_and(|text| text.filled_length(value) == 0)
        {
            return Err(DoesNotFit);
        }
        self.own.clear();
        for variable in &plan.bodies {
            let own = match recipient.values.own(variable.value) {
                None => None,
                Some(value) => {
                    let encoded = self.encoder.encode(value, variable.escaped);
                    let encoded = encoded.ok_or(DoesNotFit)?;
                    encoded.define(&variable.name, out);
                    Some(encoded.extent(&variable.name))
                }
            };
            self.own.push(own);
        }
        Ok(())
    }
}

/// PowerMTA's own variables.
fn define_own(
    plan: &Plan<'_>,
    recipient: &Recipient<'_>,
    id: &Id,
    out: &mut Definitions<'_>,
) -> Result<(), DoesNotFit> {
    let delivery = plan.delivery();
    let envid = recipient.envid.as_ref().or(delivery.envid.as_ref());
    out.define(
        b"*envid",
        envid.map_or(id.as_str(), AsRef::as_ref).as_bytes(),
    );
    for (name, own, common) in [
        (b"*jobid".as_slice(), &recipient.job, &delivery.job),
        (b"*vmta", &recipient.vmta, &delivery.vmta),
        (b"*schedule", &None, &delivery.schedule),
        (
            b"*subaccountid",
            &recipient.subaccount_id,
            &delivery.subaccount_id,
        ),
        (
            b"*custommessageid",
            &recipient.custom_message_id,
            &delivery.custom_message_id,
        ),
    ] {
        if let Some(value) = own.as_ref().or(common.as_ref()) {
            out.define(name, value.as_bytes());
        }
    }
    if let Some(RecipientPriority::Queue(priority)) = recipient.priority {
        out.define(b"*priority", priority.to_string().as_bytes());
    }
    if let Some(ReversePath::Address(sender)) = &recipient.sender {
        let sender = sender.as_str().as_bytes();
        if !is_definable(sender) {
            return Err(DoesNotFit);
        }
        out.define(b"*from", sender);
    }
    Ok(())
}
