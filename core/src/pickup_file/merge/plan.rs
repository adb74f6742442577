//! What is worked out once for all recipients: which variables there are, and where the template
//! differs from one recipient to the next.

use super::adjacency::Adjacency;
use super::names::{Name, Names};
use super::value::{Style, ValueEncoder};
use crate::address::{AddrSpec, Mailbox};
use crate::identity::Identity;
use crate::message::{
    Bodies, Composed, Delivery, ExtraBody, FilledHeader, HeaderField, Merge, Recipient, Templates,
};
use crate::template::{Piece, Slot, TemplateText};
use std::borrow::Cow;
use std::collections::HashMap;

/// The places at which recipients differ, and the names of their variables.
///
/// A place is known by its number, which is also its marker's in the template: first
/// the fields of the header, then the variables of the bodies.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    pub merge: &'m Merge<'m>,
    pub fields: Vec<VaryingField<'m>>,
    pub bodies: Vec<BodyVariable>,
    /// For each slot of the bodies, in order, the number of its variable.
    pub occurrences: Vec<usize>,
    /// The header for those who have no values of their own.
    common: FilledHeader,
    /// Of the bodies' variables, those whose common value is too long to be defined.
    pub large: Vec<usize>,
    /// The names of the values that stand in the header as they are, by the number of the value.
    pub header_names: Vec<Option<Name>>,
    /// The name of the variable for the identifier in Message-ID, where the envelope id cannot
    /// serve.
    pub id_name: Name,
}

/// A field of the header that differs.
#[derive(Debug)]
pub(super) struct VaryingField<'m> {
    pub field: HeaderField,
    pub kind: FieldKind<'m>,
    /// The variable for its first line; those for more have numbers behind it.
    pub name: Name,
}

/// In which way a field differs.
#[derive(Debug, Clone, Copy)]
pub(super) enum FieldKind<'m> {
    /// The time at which PowerMTA delivers.
    Date,
    /// Made from the envelope id.
    MessageId,
    /// With a name or without.
    To,
    /// Text in which values stand.
    Text(&'m TemplateText<'m>),
    /// There or not.
    OneClick,
    /// One of several or none.
    Priority,
    /// A body that is worked out for each recipient.
    Lines,
}

/// A value as it lands in bodies.
#[derive(Debug)]
pub(super) struct BodyVariable {
    pub value: usize,
    pub style: Style,
    pub name: Name,
    pub adjacency: Adjacency,
    /// How often it stands there.
    pub occurrences: usize,
}

/// What recipients must share to stand in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub internationalized: bool,
    /// The reverse-path is null for these recipients, though not for the message.
    pub null_sender: bool,
    /// Which of the values that are too long to be defined for everybody are a recipient's own.
    pub own_large: u64,
}

/// As many as [`Key::own_large`] has bits.
const MOST_LARGE: usize = u64::BITS as usize;

impl<'m> Plan<'m> {
    /// `None` if the message cannot be said in this form at all.
    pub fn new(merge: &'m Merge<'m>) -> Option<Self> {
        if merge.delivery.has_long_schedule() {
            return None;
        }
        let mut names = Names::default();
        let mut plan = Self {
            merge,
            fields: Vec::new(),
            bodies: Vec::new(),
            occurrences: Vec::new(),
            common: merge.templates.fill_common(&merge.composed),
            large: Vec::new(),
            header_names: Vec::new(),
            id_name: Name::default(),
        };
        plan.add_bodies(&mut names);
        plan.add_fields(&mut names);
        plan.id_name = names.next();
        if plan.has_common_that_meets() {
            return None;
        }
        plan.large = plan.large_variables();
        (plan.large.len() <= MOST_LARGE).then_some(plan)
    }

    /// Which file a recipient belongs to.
    pub fn key(&self, recipient: &Recipient<'_>) -> Key {
        let common = self.merge.reverse_path();
        let reverse_path = self.merge.reverse_path_for(recipient);
        let is_internationalized = |address: &AddrSpec<'_>| address.is_internationalized();
        Key {
            internationalized: self.composed().is_internationalized()
                || recipient.filled.is_internationalized()
                || is_internationalized(&recipient.mailbox.address)
                || reverse_path.is_some_and(is_internationalized),
            null_sender: reverse_path.is_none() && common.is_some(),
            own_large: self.own_large(recipient),
        }
    }

    fn own_large(&self, recipient: &Recipient<'_>) -> u64 {
        let bits = self.large.iter().zip(0..u64::BITS);
        bits.filter(|(variable, _)| recipient.values.has(self.bodies[**variable].value))
            .fold(0, |bits, (_, bit)| bits | 1 << bit)
    }

    pub fn templates(&self) -> &'m Templates<'m> {
        &self.merge.templates
    }

    pub fn composed(&self) -> &'m Composed<'m> {
        &self.merge.composed
    }

    pub fn delivery(&self) -> &'m Delivery<'m> {
        &self.merge.delivery
    }

    /// The name of a field of [`fields`](Self::fields).
    pub fn field_name(&self, field: HeaderField) -> &'m str {
        let name = self.composed().field_name(field);
        name.expect("a field with values is one field")
    }

    /// What a value is for everybody, where some recipient of a file has none of their own.
    pub fn common_value(&self, value: usize) -> &'m str {
        let common = self.templates().language.common(value);
        common.expect("who lacks a value that nobody else gives is refused")
    }

    /// What the boundaries of a file are made from, where that is not left to chance.
    pub fn boundary_seed(&self) -> Option<String> {
        let message_id = self.templates().message_id.as_ref()?;
        Some(message_id.fill(|_| ""))
    }

    /// From with a recipient's values in its name.
    pub fn from(&self, recipient: &Recipient<'_>) -> Mailbox<'m> {
        let own = recipient.filled.from_name.as_ref();
        with_name(&self.composed().from, own)
    }

    /// Reply-To with a recipient's values in its names.
    pub fn reply_to(&self, recipient: &Recipient<'_>) -> Vec<Mailbox<'m>> {
        let common = &self.composed().reply_to;
        if let Some(own) = &recipient.filled.own
            && !own.reply_to.is_empty()
        {
            return own.reply_to.clone();
        }
        let mut mailboxes: Vec<_> = common.iter().map(Mailbox::lend).collect();
        let own = self
            .templates()
            .reply_to
            .iter()
            .zip(&recipient.filled.reply_to);
        for ((index, _), name) in own {
            mailboxes[*index] = with_name(&common[*index], Some(name));
        }
        mailboxes
    }

    /// A field as it is for those who have none of its values.
    pub fn common_field(&self, field: HeaderField, identity: &Identity) -> Vec<u8> {
        let bodies = Bodies::default();
        let message = self
            .composed()
            .with_values(self.templates(), &self.common, &bodies);
        message.render_field(field, identity)
    }

    /// Whether a field that values stand in has none of the recipient's own.
    pub fn is_common(&self, field: &VaryingField<'_>, recipient: &Recipient<'_>) -> bool {
        let is_common =
            |text: &TemplateText<'_>| text.slots().all(|slot| !recipient.values.has(slot.value));
        let templates = self.templates();
        match (field.field, field.kind) {
            (_, FieldKind::Text(text)) => is_common(text),
            (HeaderField::From, _) => templates.from_name.as_ref().is_some_and(is_common),
            (HeaderField::ReplyTo, _) if !templates.reply_to.is_empty() => {
                let mut names = templates.reply_to.iter();
                names.all(|(_, name)| is_common(name))
            }
            (_, FieldKind::Lines) => {
                let mut own = templates.headers.of(field.field).peekable();
                own.peek().is_some() && own.all(is_common)
            }
            _ => false,
        }
    }

    /// A field of the caller's own for one recipient.
    pub fn extra<'r>(&self, field: usize, recipient: &'r Recipient<'_>) -> &'r ExtraBody<'static> {
        let index = self.templates().index_of_extra(field);
        &recipient.filled.extra[index.expect("a field with placeholders has a template")]
    }

    /// Whether a common value makes one line end with what it may touch: where it is put into
    /// the template, nobody would look at that any more.
    fn has_common_that_meets(&self) -> bool {
        let language = &self.templates().language;
        self.bodies.iter().any(|variable| {
            let value = language.common(variable.value);
            value.is_some_and(|value| !value.is_empty() && variable.adjacency.meet(value, |_| ""))
        })
    }

    fn large_variables(&self) -> Vec<usize> {
        let language = &self.templates().language;
        let mut encoder = ValueEncoder::default();
        let bodies = self.bodies.iter().enumerate();
        bodies
            .filter(|(_, variable)| {
                let value = language.common(variable.value);
                value.is_some_and(|value| encoder.encode(value, variable.style).is_none())
            })
            .map(|(number, _)| number)
            .collect()
    }

    fn add_fields(&mut self, names: &mut Names) {
        let templates = self.templates();
        let own = |field| templates.headers.of(field).next().is_some();
        if own(HeaderField::Date) {
            self.add_field(HeaderField::Date, FieldKind::Lines, names);
        } else if self.composed().date.is_none() {
            self.add_field(HeaderField::Date, FieldKind::Date, names);
        }
        if templates.from_name.is_some() {
            self.add_field(HeaderField::From, FieldKind::Lines, names);
        }
        if !templates.reply_to.is_empty() || own(HeaderField::ReplyTo) {
            self.add_field(HeaderField::ReplyTo, FieldKind::Lines, names);
        }
        self.add_field(HeaderField::To, FieldKind::To, names);
        if let Some(text) = &templates.subject {
            self.add_field(HeaderField::Subject, FieldKind::Text(text), names);
        }
        let id = match templates.message_id {
            Some(_) => FieldKind::Lines,
            None => FieldKind::MessageId,
        };
        self.add_field(HeaderField::MessageId, id, names);
        for field in [HeaderField::InReplyTo, HeaderField::References] {
            if own(field) {
                self.add_field(field, FieldKind::Lines, names);
            }
        }
        if let Some(ways) = &templates.headers.unsubscribe {
            self.add_field(HeaderField::Unsubscribe, FieldKind::Text(&ways.body), names);
            self.add_field(HeaderField::OneClick, FieldKind::OneClick, names);
        }
        self.add_field(HeaderField::Priority, FieldKind::Priority, names);
        for (index, text) in &templates.headers.extra {
            self.add_field(HeaderField::Extra(*index), FieldKind::Text(text), names);
        }
    }

    fn add_field(&mut self, field: HeaderField, kind: FieldKind<'m>, names: &mut Names) {
        let name = match kind {
            FieldKind::Date | FieldKind::MessageId | FieldKind::OneClick | FieldKind::Priority => {
                Name::default()
            }
            FieldKind::To | FieldKind::Text(_) | FieldKind::Lines => names.next(),
        };
        if let FieldKind::Text(text) = kind {
            for Slot { value, .. } in text.slots() {
                if self.header_names.len() <= value {
                    self.header_names.resize(value + 1, None);
                }
                self.header_names[value].get_or_insert_with(|| names.next());
            }
        }
        self.fields.push(VaryingField { field, kind, name });
    }

    fn add_bodies(&mut self, names: &mut Names) {
        let templates = self.templates();
        let mut known = HashMap::new();
        for text in templates.bodies.iter() {
            let last = text.pieces().len();
            for (index, piece) in text.pieces().iter().enumerate() {
                let Piece::Slot(slot) = piece else {
                    continue;
                };
                let style = Style {
                    escaped: slot.escaped,
                    is_tail: index + 1 == last,
                };
                let value = slot.value;
                let number = *known.entry((value, style)).or_insert_with(|| {
                    self.bodies.push(BodyVariable {
                        value,
                        style,
                        name: names.next(),
                        adjacency: Adjacency::default(),
                        occurrences: 0,
                    });
                    self.bodies.len() - 1
                });
                let variable = &mut self.bodies[number];
                variable.occurrences += 1;
                let adjacency = Adjacency::of(text.pieces(), index);
                let known = std::mem::take(&mut variable.adjacency);
                variable.adjacency = if variable.occurrences == 1 {
                    adjacency
                } else {
                    known.and(adjacency)
                };
                self.occurrences.push(number);
            }
        }
    }
}

fn with_name<'m>(mailbox: &'m Mailbox<'m>, name: Option<&String>) -> Mailbox<'m> {
    let mut mailbox = mailbox.lend();
    if let Some(name) = name {
        mailbox.name = (!name.is_empty()).then(|| Cow::Owned(name.clone()));
    }
    mailbox
}
