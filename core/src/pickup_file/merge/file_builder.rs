//! A pickup file to which recipients are added.

use super::definitions::Definitions;
use super::forms::{Form, Forms, Parts, fit_parts};
use super::insertions::Insertions;
use super::plan::{FieldKind, Key, Plan};
use super::recipient::RecipientWriter;
use super::template::Template;
use super::usage::{Late, Usage};
use super::value::ValueEncoder;
use crate::identity::Identity;
use crate::pickup_file::bsmtp;
use crate::pickup_file::{MOST_RECIPIENTS, PickupFile};
use std::sync::Arc;

/// A file that is being built.
#[derive(Debug)]
pub(super) struct FileBuilder<'m> {
    plan: Arc<Plan<'m>>,
    key: Key,
    /// `XDFN` and `RCPT` lines.
    commands: Vec<u8>,
    recipients: Vec<RecipientLines>,
    /// For each recipient, the form of each field.
    forms: Vec<Form>,
    /// For each recipient and each variable of the bodies, in how many pieces it is defined: none if the recipient has
    /// no value of its own.
    pieces: Vec<u8>,
    /// The forms of each field.
    known_forms: Vec<Forms>,
    usages: Vec<Usage>,
    /// The maximum width of each value in the header, by its number.
    header_widths: Vec<usize>,
    /// Whether some recipient has a name.
    has_names: bool,
    /// What recipients have to define for the sake of others.
    late: usize,
    /// When a recipient was last added, as a count.
    pub last_used: usize,
}

#[derive(Debug)]
struct RecipientLines {
    /// Where its `RCPT` line begins.
    rcpt: usize,
    has_name: bool,
}

/// A file that exceeds this size is written, however few recipients it has.
pub(super) const LARGE: usize = 16 << 20;

/// What recipients define for the sake of others, including the lines that are empty in their messages, may take as
/// much as what they define for themselves plus this many bytes. Without a bound, one value of many pieces would make
/// thousands of recipients define as many empty ones.
const MOST_LATE: usize = 64 << 10;

impl<'m> FileBuilder<'m> {
    pub fn new(plan: Arc<Plan<'m>>, key: Key) -> Self {
        Self {
            key,
            commands: Vec::new(),
            recipients: Vec::new(),
            forms: Vec::new(),
            pieces: Vec::new(),
            known_forms: vec![Forms::default(); plan.fields.len()],
            usages: vec![Usage::default(); plan.bodies.len()],
            header_widths: vec![0; plan.header_names.len()],
            has_names: false,
            late: 0,
            last_used: 0,
            plan,
        }
    }

    /// How many bytes are held for it, or will be when it is written.
    pub fn size(&self) -> usize {
        self.commands.len() + self.late + self.pieces.len() + 2 * self.forms.len()
    }

    /// Whether it should be written before another recipient is added.
    pub fn is_full(&self) -> bool {
        self.recipients.len() >= MOST_RECIPIENTS || self.size() >= LARGE
    }

    /// Whether a recipient fits in this file, together with those that are there: what recipients then have to define
    /// for the sake of others, in bytes.
    pub fn takes(&self, plan: &Arc<Plan<'m>>, recipient: &RecipientWriter) -> Option<usize> {
        if !Arc::ptr_eq(&self.plan, plan)
            || self.key != recipient.key
            || !self.takes_forms(recipient)
        {
            return None;
        }
        let most = self.commands.len() + recipient.commands.len() + MOST_LATE;
        self.late_with(plan, recipient).filter(|late| *late <= most)
    }

    fn takes_forms(&self, recipient: &RecipientWriter) -> bool {
        let fields = self.known_forms.iter().zip(&recipient.forms);
        fields
            .clone()
            .all(|(known, form)| known.with(*form) == *known)
            || fit_parts(fields.map(|(known, form)| known.with(*form)))
    }

    fn late_with(&self, plan: &Plan<'_>, recipient: &RecipientWriter) -> Option<usize> {
        let recipients = self.recipients.len() + 1;
        let usages = self.usages.iter().zip(&recipient.own);
        let late = plan
            .bodies
            .iter()
            .zip(usages)
            .map(|(variable, (usage, own))| {
                let late = usage.with(*own).late(variable, recipients);
                late.map(|late| late.cost)
            });
        late.sum()
    }

    /// Adds a recipient, which requires this much to be defined late.
    pub fn add(&mut self, recipient: &RecipientWriter, late: usize) {
        self.late = late;
        let start = self.commands.len();
        if start > LARGE / 16 && self.commands.capacity() < LARGE {
            // What grows by doubling would be there twice while it grows.
            self.commands.reserve_exact(LARGE + LARGE / 8 - start);
        }
        self.commands.extend_from_slice(&recipient.commands);
        self.recipients.push(RecipientLines {
            rcpt: start + recipient.rcpt,
            has_name: recipient.has_name,
        });
        self.has_names |= recipient.has_name;
        self.forms.extend_from_slice(&recipient.forms);
        for (known, form) in self.known_forms.iter_mut().zip(&recipient.forms) {
            *known = known.with(*form);
        }
        for (usage, own) in self.usages.iter_mut().zip(&recipient.own) {
            *usage = usage.with(*own);
            self.pieces.push(own.map_or(0, |own| own.pieces));
        }
        for (widest, width) in self.header_widths.iter_mut().zip(&recipient.header_widths) {
            *widest = (*widest).max(*width);
        }
    }

    /// Writes the file.
    pub fn finish(mut self, identity: &Identity, name: String) -> PickupFile {
        let plan = Arc::clone(&self.plan);
        let plan = plan.as_ref();
        let recipients = self.recipients.len();
        let late = plan
            .bodies
            .iter()
            .zip(&self.usages)
            .map(|(variable, usage)| {
                let late = usage.late(variable, recipients);
                late.expect("a recipient with whom that cannot be done is not taken")
            });
        let late: Vec<Late> = late.collect();
        let template = Template {
            plan,
            forms: &self.known_forms,
            header_widths: &self.header_widths,
            usages: &self.usages,
            late: &late,
            has_names: self.has_names,
        };
        let parts = template.parts(identity);
        let mut message = Vec::new();
        for (number, part) in (1..).zip(parts.iter()) {
            let last = if number == parts.iter().len() {
                " LAST"
            } else {
                ""
            };
            message.extend_from_slice(format!("XPRT {number}{last}\r\n").as_bytes());
            message.extend_from_slice(&bsmtp::data(part));
        }
        let mut more = Insertions::default();
        self.write_preface(plan, more.at(0));
        self.write_late(plan, &parts, &late, &mut more);
        drop(parts);
        more.insert_into(&mut self.commands);
        PickupFile::new(name, self.commands, message)
    }

    /// The commands before the recipients. `XACK OFF` makes PowerMTA bounce a recipient that it does not accept instead
    /// of refusing the whole file.
    fn write_preface(&self, plan: &Plan<'_>, out: &mut Vec<u8>) {
        let reverse_path = plan.merge.reverse_path().filter(|_| !self.key.null_sender);
        bsmtp::from_command(
            out,
            "XMRG",
            reverse_path,
            self.key.internationalized,
            plan.delivery(),
            None,
        );
    }

    /// Writes the recipients' definitions that are known only now, before their `RCPT` lines.
    fn write_late(&self, plan: &Plan<'_>, parts: &Parts<'_>, late: &[Late], more: &mut Insertions) {
        let lacks_names = self.has_names && self.recipients.iter().any(|lines| !lines.has_name);
        let has_parts = parts.iter().len() > 1;
        if !has_parts && !lacks_names && late.iter().all(|late| late.cost == 0) {
            return;
        }
        let mut fields = plan.fields.iter();
        let to = fields.find(|field| matches!(field.kind, FieldKind::To));
        let to = to.expect("each message has a recipient");
        let mut values = ValueEncoder::default();
        for (index, lines) in self.recipients.iter().enumerate() {
            let mut out = Definitions::new(more.at(lines.rcpt));
            let forms = &self.forms[index * plan.fields.len()..][..plan.fields.len()];
            if let Some(list) = parts.list(forms) {
                out.define(b"*parts", list.as_bytes());
            }
            if self.has_names && !lines.has_name {
                out.define(to.name.first(), b"");
            }
            let pieces = &self.pieces[index * plan.bodies.len()..][..plan.bodies.len()];
            self.define_late(plan, pieces, late, &mut values, &mut out);
            out.end();
        }
    }

    /// Defines what one recipient, whose values have this many `pieces`, has not defined yet.
    fn define_late(
        &self,
        plan: &Plan<'_>,
        pieces: &[u8],
        late: &[Late],
        values: &mut ValueEncoder,
        out: &mut Definitions<'_>,
    ) {
        let variables = plan.bodies.iter().zip(&self.usages);
        for ((variable, usage), (pieces, late)) in variables.zip(pieces.iter().zip(late)) {
            if !usage.is_variable() {
                continue;
            }
            let mut pieces = *pieces;
            if pieces == 0 {
                let value = plan.common_value(variable.value);
                let encoded = values.encode(value, variable.escaped);
                let encoded = encoded.expect("where it is too long, nobody is taken who lacks it");
                encoded.define(&variable.name, out);
                pieces = encoded.extent(&variable.name).pieces;
            }
            for number in usize::from(pieces) + 1..=usize::from(late.pieces) {
                out.define(&variable.name.numbered(number), b"");
            }
        }
    }
}
