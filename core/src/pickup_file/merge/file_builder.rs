//! A pickup file to which recipients are added.

use super::blocks::{Block, Counts};
use super::choice::{ABSENT, Choice, INLINE};
use super::definitions::{Definitions, is_definable};
use super::header::{DoesNotFit, HeaderWriter};
use super::parts;
use super::plan::{FieldKind, Key, Plan};
use super::template::Template;
use super::value::ValueEncoder;
use super::widths::Widths;
use crate::address::ReversePath;
use crate::identity::{Id, Identity};
use crate::message::{Recipient, RecipientPriority};
use crate::pickup_file::bsmtp::{self, rcpt_to};
use crate::pickup_file::{MOST_RECIPIENTS, PickupFile};

/// A file in the making.
#[derive(Debug)]
pub(super) struct FileBuilder {
    pub key: Key,
    /// `XDFN` and `RCPT` lines.
    commands: Vec<u8>,
    recipients: Vec<RecipientLines>,
    /// For each recipient and each marker of the template, how it is written.
    choices: Vec<Choice>,
    /// For each recipient and each variable of the bodies, whether its value is its own.
    own: Vec<bool>,
    counts: Counts,
    widths: Widths,
    /// Whether some recipient was given their envelope id.
    has_given_ids: bool,
    header: HeaderWriter,
    encoder: ValueEncoder,
    /// Which values of the present recipient stand in the header as they are.
    inline: Vec<bool>,
}

/// Where a recipient's lines are.
#[derive(Debug)]
struct RecipientLines {
    id: Id,
    /// Where its `RCPT` line begins, and where it ends.
    rcpt: usize,
    end: usize,
}

/// What became of a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    Yes,
    /// It is too different from those that are there: it belongs into the next file.
    NextFile,
}

/// A file that grew larger than this is written, however few recipients it has.
const LARGE: usize = 4 << 20;

impl FileBuilder {
    pub fn new(key: Key, plan: &Plan<'_>) -> Self {
        Self {
            key,
            commands: Vec::new(),
            recipients: Vec::new(),
            choices: Vec::new(),
            own: Vec::new(),
            counts: Counts::new(plan),
            widths: Widths {
                header: vec![0; plan.header_names.len()],
                bodies: vec![0; plan.bodies.len()],
            },
            has_given_ids: false,
            header: HeaderWriter::default(),
            encoder: ValueEncoder::default(),
            inline: Vec::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.recipients.is_empty()
    }

    /// Whether it is to be written before another recipient comes.
    pub fn is_full(&self) -> bool {
        self.recipients.len() >= MOST_RECIPIENTS || self.commands.len() >= LARGE
    }

    /// Adds a recipient. If it is not added, nothing of it is there.
    pub fn add(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        id: Id,
    ) -> Result<Added, DoesNotFit> {
        let (commands, choices, owned) = (self.commands.len(), self.choices.len(), self.own.len());
        let added = self.write(plan, recipient, &id).map(|()| {
            let own = &self.choices[choices..];
            self.counts.add(own);
            if self.counts.are_too_many() && !self.recipients.is_empty() {
                self.counts.remove(own);
                return Added::NextFile;
            }
            Added::Yes
        });
        if added != Ok(Added::Yes) {
            self.commands.truncate(commands);
            self.choices.truncate(choices);
            self.own.truncate(owned);
            return added;
        }
        self.has_given_ids |= recipient.envid.is_some() || plan.delivery().envid.is_some();
        let rcpt = self.commands.len();
        rcpt_to(
            &mut self.commands,
            &recipient.mailbox.address,
            plan.delivery().dsn.as_ref(),
        );
        let end = self.commands.len();
        self.recipients.push(RecipientLines { id, rcpt, end });
        added
    }

    /// Writes a recipient's definitions. Where it fails half of them may be there.
    fn write(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        id: &Id,
    ) -> Result<(), DoesNotFit> {
        let mut commands = std::mem::take(&mut self.commands);
        let mut out = Definitions::new(&mut commands);
        let written = self
            .write_fields(plan, recipient, &mut out)
            .and_then(|()| self.write_bodies(plan, recipient, &mut out))
            .and_then(|()| define_own(plan, recipient, id, &mut out));
        out.end();
        self.commands = commands;
        written
    }

    fn write_fields(
        &mut self,
        plan: &Plan<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<(), DoesNotFit> {
        self.inline.clear();
        self.inline.resize(plan.header_names.len(), false);
        for field in &plan.fields {
            let choice = self.header.write(plan, field, recipient, out)?;
            self.choices.push(choice);
            if let FieldKind::Text(text) = field.kind
                && choice.variant == INLINE
            {
                for slot in text.slots() {
                    self.inline[slot.value] = true;
                }
            }
        }
        // Defined once, however many fields have them.
        let language = &plan.templates().language;
        let names = plan.header_names.iter().zip(&mut self.widths.header);
        for (number, (name, width)) in names.enumerate() {
            if let (Some(name), true) = (name, self.inline[number]) {
                let value = language.value(&recipient.values, number).as_bytes();
                out.define(name.first(), value);
                *width = (*width).max(value.len());
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
        let widths = self.widths.bodies.iter_mut();
        for (variable, width) in plan.bodies.iter().zip(widths) {
            let is_own = recipient.values.has(variable.value);
            self.own.push(is_own);
            let others = |number| language.value(&recipient.values, number);
            let value = others(variable.value);
            if value.is_empty() && variable.adjacency.is_lines() {
                let (variant, more) = (ABSENT, 0);
                self.choices.push(Choice { variant, more });
                continue;
            }
            if variable.adjacency.meet(value, others) {
                return Err(DoesNotFit);
            }
            let Some(encoded) = self.encoder.encode(value, variable.style) else {
                // In its file it is the same for everybody.
                if is_own {
                    return Err(DoesNotFit);
                }
                self.choices.push(Choice::default());
                continue;
            };
            *width = (*width).max(encoded.width());
            let more = encoded.more();
            self.choices.push(Choice { variant: 0, more });
            if is_own {
                encoded.define(&variable.name, out);
            }
        }
        Ok(())
    }

    /// Writes the file and empties the builder.
    pub fn finish(&mut self, plan: &Plan<'_>, identity: &Identity, name: String) -> PickupFile {
        let has_own = self.has_own(plan);
        let template = Template {
            plan,
            counts: &self.counts,
            widths: &self.widths,
            has_own: &has_own,
            id_is_envid: !self.has_given_ids,
        };
        let parts = template.blocks(identity);
        let mut envelope = self.preface(plan);
        self.write_recipients(plan, &parts, &has_own, &mut envelope);
        let mut message = Vec::new();
        parts::write(&parts, &mut message);
        *self = Self {
            header: std::mem::take(&mut self.header),
            encoder: std::mem::take(&mut self.encoder),
            ..Self::new(self.key, plan)
        };
        PickupFile::new(name, envelope, message)
    }

    /// The commands before the recipients. `XACK OFF` lets PowerMTA bounce a recipient that it does
    /// not take instead of refusing the whole file.
    fn preface(&self, plan: &Plan<'_>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.commands.len() + 256);
        let reverse_path = plan.merge.reverse_path().filter(|_| !self.key.null_sender);
        bsmtp::from_command(
            &mut out,
            "XMRG",
            reverse_path,
            self.key.internationalized,
            plan.delivery(),
            None,
        );
        out
    }

    /// Which variables of the bodies some recipient has a value of its own for. All others are no
    /// variables, but stand in the template.
    fn has_own(&self, plan: &Plan<'_>) -> Vec<bool> {
        let mut has_own = vec![false; plan.bodies.len()];
        for recipient in self.own.chunks(plan.bodies.len().max(1)) {
            for (has, own) in has_own.iter_mut().zip(recipient) {
                *has |= own;
            }
        }
        has_own
    }

    /// The recipients' lines, with what is known only now.
    fn write_recipients(
        &mut self,
        plan: &Plan<'_>,
        parts: &[Block],
        has_own: &[bool],
        out: &mut Vec<u8>,
    ) {
        let own_ids = self.has_given_ids && plan.templates().message_id.is_none();
        let lacks_some = self
            .own
            .chunks(plan.bodies.len().max(1))
            .any(|own| own != has_own);
        if parts.len() == 1 && !own_ids && !lacks_some {
            return out.extend_from_slice(&self.commands);
        }
        let markers = plan.fields.len() + plan.bodies.len();
        let mut start = 0;
        for (index, lines) in self.recipients.iter().enumerate() {
            out.extend_from_slice(&self.commands[start..lines.rcpt]);
            let mut more = Definitions::new(out);
            if parts.len() > 1 {
                let first = index * markers;
                let list = parts::list(parts, &self.choices[first..first + markers]);
                more.define(b"*parts", list.as_bytes());
            }
            let own = &self.own[index * plan.bodies.len()..];
            for ((variable, has), own) in plan.bodies.iter().zip(has_own).zip(own) {
                if *has && !own {
                    let value = plan.common_value(variable.value);
                    let encoded = self.encoder.encode(value, variable.style);
                    encoded
                        .expect("who overrides a value too long to be defined has another key")
                        .define(&variable.name, &mut more);
                }
            }
            if own_ids {
                more.define(plan.id_name.first(), lines.id.as_str().as_bytes());
            }
            more.end();
            out.extend_from_slice(&self.commands[lines.rcpt..lines.end]);
            start = lines.end;
        }
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
