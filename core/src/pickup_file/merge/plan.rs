//! What is computed once for all recipients: which variables there are, and where the template differs from one
//! recipient to the next.

use super::names::{Name, Names};
use super::own_fields::OwnFields;
use super::syntax::has_bracket;
use super::value::{Extent, ValueEncoder};
use crate::address::{AddrSpec, Mailbox};
use crate::identity::Identity;
use crate::message::{
    Bodies, Composed, Delivery, ExtraBody, HeaderField, Merge, Recipient, Templates,
};
use crate::template::{Slot, TemplateText};
use std::borrow::Cow;
use std::collections::HashMap;

/// The places at which recipients differ, and the names of their variables.
#[derive(Debug)]
pub(super) struct Plan<'m> {
    pub merge: &'m Merge<'m>,
    /// The fields of the header that differ. Each is identified by its number, which is also that of its marker.
    pub fields: Vec<VaryingField<'m>>,
    pub bodies: Vec<BodyVariable>,
    /// For each slot of the bodies, in order, the number of its variable.
    pub occurrences: Vec<usize>,
    /// The names of the values that are in the header as they are, by the number of the value.
    pub header_names: Vec<Option<Name>>,
    /// The body of a message with a single part, if it consists only of values: if all of them are empty, the message
    /// ends with its header, to which the line end of a template would be added.
    pub only_values: Option<&'m TemplateText<'m>>,
    /// The header fields of single recipients.
    pub own: OwnFields,
    /// The message with room for these; `None` if there are none.
    with_own: Option<Box<Composed<'m>>>,
}

/// A field of the header that differs.
#[derive(Debug)]
pub(super) struct VaryingField<'m> {
    pub field: HeaderField,
    pub kind: FieldKind<'m>,
    /// The variable for its first line; those for further lines have numbers after it.
    pub name: Name,
    /// The field for those who have none of its values; `None` if every recipient has its own.
    pub common: Option<Vec<u8>>,
}

/// How a field differs.
#[derive(Debug, Clone, Copy)]
pub(super) enum FieldKind<'m> {
    /// The time at which PowerMTA delivers.
    Date,
    /// Made from an identifier for each recipient.
    MessageId,
    /// With or without a name.
    To,
    /// Text that contains values.
    Text(&'m TemplateText<'m>),
    /// Present or not.
    OneClick,
    /// One of several or none.
    Priority,
    /// A body that is computed for each recipient.
    Lines,
    /// Content-Type of a file, with its plain name.
    FileType,
    /// Content-Disposition of a file, with its name quoted or encoded.
    FileDisposition,
    /// As in the message, or absent, except for those who have their own.
    Fixed,
}

/// A value as it occurs in bodies.
#[derive(Debug)]
pub(super) struct BodyVariable {
    pub value: usize,
    /// Whether special characters of HTML are escaped.
    pub escaped: bool,
    pub name: Name,
    /// How often it occurs.
    pub places: usize,
    /// How much room the value takes for those who have none of their own. `None` if everybody has one, and if it is
    /// too long to be defined.
    pub common: Option<Extent>,
}

/// What recipients must have in common to share a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Key {
    pub internationalized: bool,
    /// The reverse-path is null for these recipients, though not for the message.
    pub null_sender: bool,
}

impl<'m> Plan<'m> {
    /// Examines a message that [fits](Merge::fits_merge_form) the form.
    pub fn new(merge: &'m Merge<'m>, own: OwnFields, identity: &Identity) -> Self {
        let mut names = Names::default();
        let mut plan = Self {
            merge,
            fields: Vec::new(),
            bodies: Vec::new(),
            occurrences: Vec::new(),
            header_names: Vec::new(),
            only_values: only_values(merge),
            with_own: (!own.names().is_empty())
                .then(|| Box::new(merge.composed.with_room_for(own.names()))),
            own,
        };
        plan.add_bodies(&mut names);
        plan.add_fields(&mut names);
        plan.add_common_fields(identity);
        plan
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
        }
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

    /// The message that the template is made from.
    pub fn template(&self) -> &Composed<'m> {
        self.with_own.as_deref().unwrap_or(self.composed())
    }

    /// Which of the fields of single recipients this is, by the position of its name.
    pub fn own_place(&self, field: HeaderField) -> Option<usize> {
        match field {
            HeaderField::Extra(index) => index.checked_sub(self.composed().extra_headers.len()),
            _ => None,
        }
    }

    /// The name of one of the [`fields`](Self::fields).
    pub fn field_name(&self, field: HeaderField) -> &str {
        let name = self.template().field_name(field);
        name.expect("a field with values is one field")
    }

    /// The value for everybody, if some recipient of a file has none of their own.
    pub fn common_value(&self, value: usize) -> &'m str {
        let common = self.templates().language.common(value);
        common.expect("who lacks a value that nobody else gives is refused")
    }

    /// What the boundaries of a file are made from, if that is not random.
    pub fn boundary_seed(&self) -> Option<String> {
        let message_id = self.templates().message_id.as_ref()?;
        Some(message_id.fill(|_| ""))
    }

    /// From with a recipient's values in its display name.
    pub fn from(&self, recipient: &Recipient<'_>) -> Mailbox<'m> {
        let own = recipient.filled.from_name.as_ref();
        with_name(&self.composed().from, own)
    }

    /// Reply-To with a recipient's values in its display names.
    pub fn reply_to<'r>(&self, recipient: &'r Recipient<'r>) -> Vec<Mailbox<'r>>
    where
        'm: 'r,
    {
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

    /// Whether a field with values contains none of the recipient's own.
    pub fn is_common(&self, field: &VaryingField<'_>, recipient: &Recipient<'_>) -> bool {
        let is_common =
            |text: &TemplateText<'_>| text.slots().all(|slot| !recipient.values.has(slot.value));
        if field.common.is_none() {
            return false;
        }
        let templates = self.templates();
        match (field.field, field.kind) {
            (_, FieldKind::Fixed) => true,
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

    /// A header field of the caller for one recipient.
    pub fn extra<'r>(&self, field: usize, recipient: &'r Recipient<'r>) -> &'r ExtraBody<'r> {
        let index = self.templates().index_of_extra(field);
        &recipient.filled.extra[index.expect("a field with placeholders has a template")]
    }

    /// Computes the fields for those who have none of their values.
    fn add_common_fields(&mut self, identity: &Identity) {
        let (composed, templates) = (self.composed(), self.templates());
        let filled = templates.fill_common(composed);
        let bodies = Bodies::default();
        let message = composed.with_values(templates, &filled, &bodies);
        let own = composed.extra_headers.len();
        for field in &mut self.fields {
            if matches!(field.field, HeaderField::Extra(index) if index >= own) {
                field.common = Some(Vec::new());
            } else if let FieldKind::Text(_) | FieldKind::Lines | FieldKind::Fixed = field.kind {
                let lines = message.render_field(field.field, identity);
                field.common = (!has_bracket(&lines)).then_some(lines);
            }
        }
    }

    fn add_fields(&mut self, names: &mut Names) {
        let (templates, composed) = (self.templates(), self.composed());
        let is_template = |field| templates.headers.of(field).next().is_some();
        let is_own = |plan: &Self, field| plan.own.has(field);
        if is_template(HeaderField::Date) {
            self.add_field(HeaderField::Date, FieldKind::Lines, names);
        } else if composed.date.is_none() {
            self.add_field(HeaderField::Date, FieldKind::Date, names);
        } else if is_own(self, HeaderField::Date) {
            self.add_field(HeaderField::Date, FieldKind::Fixed, names);
        }
        if templates.from_name.is_some() {
            self.add_field(HeaderField::From, FieldKind::Lines, names);
        }
        if !templates.reply_to.is_empty() || is_template(HeaderField::ReplyTo) {
            self.add_field(HeaderField::ReplyTo, FieldKind::Lines, names);
        } else if is_own(self, HeaderField::ReplyTo) {
            self.add_field(HeaderField::ReplyTo, FieldKind::Fixed, names);
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
            if is_template(field) {
                self.add_field(field, FieldKind::Lines, names);
            } else if is_own(self, field) {
                self.add_field(field, FieldKind::Fixed, names);
            }
        }
        if let Some(ways) = &templates.headers.unsubscribe {
            self.add_field(HeaderField::Unsubscribe, FieldKind::Text(&ways.body), names);
            self.add_field(HeaderField::OneClick, FieldKind::OneClick, names);
        } else if is_own(self, HeaderField::Unsubscribe) {
            self.add_field(HeaderField::Unsubscribe, FieldKind::Fixed, names);
            self.add_field(HeaderField::OneClick, FieldKind::OneClick, names);
        }
        self.add_field(HeaderField::Priority, FieldKind::Priority, names);
        self.add_extra_fields(names);
    }

    /// Adds the sender's own fields, and then those of single recipients.
    fn add_extra_fields(&mut self, names: &mut Names) {
        let (templates, composed) = (self.templates(), self.composed());
        for (index, field) in composed.extra_headers.iter().enumerate() {
            let mut own = self.own.names().iter();
            let kind = match templates.index_of_extra(index) {
                Some(template) => FieldKind::Text(&templates.headers.extra[template].1),
                None if own.any(|own| own.eq_ignore_ascii_case(&field.name)) => FieldKind::Fixed,
                None => continue,
            };
            self.add_field(HeaderField::Extra(index), kind, names);
        }
        for index in 0..self.own.names().len() {
            let field = HeaderField::Extra(composed.extra_headers.len() + index);
            self.add_field(field, FieldKind::Fixed, names);
        }
        for (file, _) in &templates.filenames {
            let (kind, disposition) = (FieldKind::FileType, FieldKind::FileDisposition);
            self.add_field(HeaderField::FileType(*file), kind, names);
            self.add_field(HeaderField::FileDisposition(*file), disposition, names);
        }
    }

    /// The name of a file for one recipient.
    pub fn filename<'r>(&self, file: usize, recipient: &'r Recipient<'_>) -> &'r str {
        let index = self.templates().index_of_filename(file);
        &recipient.filled.filenames[index.expect("a name with placeholders has a template")]
    }

    fn add_field(&mut self, field: HeaderField, kind: FieldKind<'m>, names: &mut Names) {
        let name = match kind {
            FieldKind::Date if self.own.has(field) => names.next(),
            FieldKind::Date | FieldKind::OneClick | FieldKind::Priority => Name::default(),
            FieldKind::MessageId
            | FieldKind::To
            | FieldKind::Text(_)
            | FieldKind::Lines
            | FieldKind::FileType
            | FieldKind::FileDisposition
            | FieldKind::Fixed => names.next(),
        };
        if let FieldKind::Text(text) = kind {
            for Slot { value, .. } in text.slots() {
                if self.header_names.len() <= value {
                    self.header_names.resize(value + 1, None);
                }
                self.header_names[value].get_or_insert_with(|| names.next());
            }
        }
        self.fields.push(VaryingField {
            field,
            kind,
            name,
            common: None,
        });
    }

    fn add_bodies(&mut self, names: &mut Names) {
        let templates = self.templates();
        let mut encoder = ValueEncoder::default();
        let mut known = HashMap::new();
        for slot in templates.bodies.iter().flat_map(TemplateText::slots) {
            let number = *known.entry(slot).or_insert_with(|| {
                let Slot { value, escaped } = slot;
                let name = names.next();
                let common = templates.language.common(value);
                let common = common.and_then(|value| encoder.encode(value, escaped));
                self.bodies.push(BodyVariable {
                    value,
                    escaped,
                    places: 0,
                    common: common.map(|encoded| encoded.extent(&name)),
                    name,
                });
                self.bodies.len() - 1
            });
            self.bodies[number].places += 1;
            self.occurrences.push(number);
        }
    }
}

fn only_values<'m>(merge: &'m Merge<'m>) -> Option<&'m TemplateText<'m>> {
    let composed = &merge.composed;
    let fixed = [&composed.text, &composed.amp, &composed.html];
    let has_fixed_part = fixed.into_iter().any(Option::is_some)
        || composed.calendar.is_some()
        || !composed.attachments.is_empty();
    let mut texts = merge.templates.bodies.iter();
    match (texts.next(), texts.next()) {
        (Some(text), None) if !has_fixed_part && text.slots().count() == text.pieces().len() => {
            Some(text)
        }
        _ => None,
    }
}

fn with_name<'m>(mailbox: &'m Mailbox<'m>, name: Option<&String>) -> Mailbox<'m> {
    let mut mailbox = mailbox.lend();
    if let Some(name) = name {
        mailbox.name = (!name.is_empty()).then(|| Cow::Owned(name.clone()));
    }
    mailbox
}
