//! What is worked out once for all recipients: which variables there are, and where the template
//! differs from one recipient to the next.

use super::names::{Name, Names};
use super::neighbours::Neighbours;
use super::value::{EncodedValue, Style};
use crate::address::{AddrSpec, Mailbox};
use crate::header::HeaderSection;
use crate::message::{Bodies, Composed, Delivery, Field, Filled, Merge, Recipient, Templates};
use crate::template::{Piece, Slot, TemplateText};
use std::borrow::Cow;
use std::collections::HashMap;

/// The places at which recipients differ, and the names of their variables.
///
/// A place is known by its number, which is also the mark that stands for it in the template: first
/// the fields of the header, then the variables of the bodies.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    pub merge: &'m Merge<'m>,
    pub fields: Vec<FieldSpot>,
    pub bodies: Vec<BodyVariable>,
    /// For each slot of the bodies, in order, the number of its variable.
    pub occurrences: Vec<usize>,
    /// The header for those who have no values of their own.
    common: Filled,
    /// Of the bodies' variables, those whose common value is too long to be defined.
    pub large: Vec<usize>,
    /// The names of the values that stand in the header as they are.
    pub header_names: Vec<Option<Name>>,
    /// The name of the variable for the identifier in Message-ID, where the envelope id cannot
    /// serve.
    pub id_name: Name,
}

/// A field of the header that differs.
#[derive(Debug)]
pub(super) struct FieldSpot {
    pub field: Field,
    pub kind: FieldKind,
    /// The variable for its first line; those for more have numbers behind it.
    pub name: Name,
}

/// In which way a field differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// Made by PowerMTA while it delivers, or from the envelope id.
    Fixed,
    /// To, with a name or without.
    To,
    /// Text in which values stand: [`Templates::subject`], or what is the caller's own.
    Text,
    /// One of several fields or none, all known beforehand.
    Choice,
    /// A body that is worked out for each recipient.
    Lines,
}

/// A value as it lands in bodies.
#[derive(Debug)]
pub(super) struct BodyVariable {
    pub value: usize,
    pub style: Style,
    pub name: Name,
    pub neighbours: Neighbours,
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
                || is_internationalized(&recipient.mailbox.address)
                || reverse_path.is_some_and(is_internationalized),
            null_sender: reverse_path.is_none() && common.is_some(),
            own_large: self.own_large(recipient),
        }
    }

    fn own_large(&self, recipient: &Recipient<'_>) -> u64 {
        let bits = self.large.iter().zip(0..u64::BITS);
        bits.filter(|(variable, _)| {
            let variable = self.bodies.get(**variable);
            variable.is_some_and(|variable| recipient.values.has(variable.value))
        })
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

    /// The text of a field in which values stand.
    pub fn text(&self, field: Field) -> Option<&'m TemplateText<'m>> {
        let templates = self.templates();
        match field {
            Field::Subject => templates.subject.as_ref(),
            Field::Unsubscribe => templates.unsubscribe.as_ref().map(|ways| &ways.body),
            Field::Extra(index) => {
                let number = templates.number_of_extra(index)?;
                templates.extra.get(number).map(|(_, text)| text)
            }
            _ => None,
        }
    }

    /// What the boundaries of a file are made from, where that is not left to chance.
    pub fn identity(&self) -> Option<String> {
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
        let mut mailboxes: Vec<_> = self.composed().reply_to.iter().map(Mailbox::lend).collect();
        let own = self
            .templates()
            .reply_to
            .iter()
            .zip(&recipient.filled.reply_to);
        for ((index, _), name) in own {
            if let (Some(mailbox), Some(common)) = (
                mailboxes.get_mut(*index),
                self.composed().reply_to.get(*index),
            ) {
                *mailbox = with_name(common, Some(name));
            }
        }
        mailboxes
    }

    /// A field as it is for those who have none of its values.
    pub fn common_field(&self, field: Field) -> Vec<u8> {
        let bodies = Bodies::default();
        let message = self
            .composed()
            .filled(self.templates(), &self.common, &bodies);
        let mut out = Vec::new();
        message.write_own_field(&mut HeaderSection::new(&mut out), field);
        out
    }

    /// Whether a field that values stand in has none of the recipient's own.
    pub fn is_common(&self, field: Field, recipient: &Recipient<'_>) -> bool {
        let is_common =
            |text: &TemplateText<'_>| text.slots().all(|slot| !recipient.values.has(slot.value));
        let templates = self.templates();
        match field {
            Field::From => templates.from_name.as_ref().is_some_and(is_common),
            Field::ReplyTo => {
                let mut names = templates.reply_to.iter();
                !templates.reply_to.is_empty() && names.all(|(_, name)| is_common(name))
            }
            field => self.text(field).is_some_and(is_common),
        }
    }

    /// What a field is for one recipient.
    pub fn filled<'r>(&self, field: Field, recipient: &'r Recipient<'_>) -> Option<&'r str> {
        match field {
            Field::Subject => recipient.filled.subject.as_deref(),
            Field::Unsubscribe => recipient.filled.unsubscribe_body.as_deref(),
            Field::Extra(index) => {
                let number = self.templates().number_of_extra(index)?;
                recipient.filled.extra.get(number).map(String::as_str)
            }
            _ => None,
        }
    }

    /// Whether a common value makes one line end with what may stand beside it: where it is put into
    /// the template, nobody would look at that any more.
    fn has_common_that_meets(&self) -> bool {
        let language = &self.templates().language;
        self.bodies.iter().any(|variable| {
            let value = language.common(variable.value);
            !value.is_empty() && variable.neighbours.meet(value, |_| "")
        })
    }

    fn large_variables(&self) -> Vec<usize> {
        let language = &self.templates().language;
        let mut encoded = EncodedValue::default();
        let bodies = self.bodies.iter().enumerate();
        bodies
            .filter(|(_, variable)| {
                let value = language.common(variable.value);
                !encoded.encode(value, variable.style)
            })
            .map(|(number, _)| number)
            .collect()
    }

    fn add_fields(&mut self, names: &mut Names) {
        let templates = self.templates();
        if self.composed().date.is_none() {
            self.add_field(Field::Date, FieldKind::Fixed, names);
        }
        if templates.from_name.is_some() {
            self.add_field(Field::From, FieldKind::Lines, names);
        }
        if !templates.reply_to.is_empty() {
            self.add_field(Field::ReplyTo, FieldKind::Lines, names);
        }
        self.add_field(Field::To, FieldKind::To, names);
        if templates.subject.is_some() {
            self.add_field(Field::Subject, FieldKind::Text, names);
        }
        let id = match templates.message_id {
            Some(_) => FieldKind::Lines,
            None => FieldKind::Fixed,
        };
        self.add_field(Field::MessageId, id, names);
        if templates.unsubscribe.is_some() {
            self.add_field(Field::Unsubscribe, FieldKind::Text, names);
            self.add_field(Field::OneClick, FieldKind::Choice, names);
        }
        self.add_field(Field::Priority, FieldKind::Choice, names);
        for (index, _) in &templates.extra {
            self.add_field(Field::Extra(*index), FieldKind::Text, names);
        }
    }

    fn add_field(&mut self, field: Field, kind: FieldKind, names: &mut Names) {
        let name = match kind {
            FieldKind::Fixed | FieldKind::Choice => Name::default(),
            FieldKind::To | FieldKind::Text | FieldKind::Lines => names.next(),
        };
        let slots = self.text(field).into_iter().flat_map(TemplateText::slots);
        for Slot { value, .. } in slots {
            if self.header_names.len() <= value {
                self.header_names.resize(value + 1, None);
            }
            if let Some(name) = self.header_names.get_mut(value) {
                name.get_or_insert_with(|| names.next());
            }
        }
        self.fields.push(FieldSpot { field, kind, name });
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
                        neighbours: Neighbours::default(),
                        occurrences: 0,
                    });
                    self.bodies.len() - 1
                });
                if let Some(variable) = self.bodies.get_mut(number) {
                    variable.occurrences += 1;
                    let neighbours = Neighbours::of(text.pieces(), index);
                    let known = std::mem::take(&mut variable.neighbours);
                    variable.neighbours = if variable.occurrences == 1 {
                        neighbours
                    } else {
                        known.and(neighbours)
                    };
                }
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
