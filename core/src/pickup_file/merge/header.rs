//! The header of one recipient's message: how each field that differs is written, and what its
//! variables hold.

use super::choice::{COMMON, Choice, INLINE, LINES, TO_BARE, TO_INLINE, TO_LINES};
use super::definitions::{Definitions, is_definable};
use super::names::numbers;
use super::plan::{FieldKind, Plan, VaryingField};
use super::value::MOST_PIECES;
use crate::address::Mailbox;
use crate::header::{HeaderSection, LINE, folds, is_plain, needs_encoding};
use crate::message::{HeaderField, Recipient, RecipientPriority, Urgency};
use crate::template::{Piece, TemplateText};
use std::borrow::Cow;

const FILLED: &str = "a field with placeholders is filled in for each recipient";

/// Works out the fields of one recipient after the other.
#[derive(Debug, Default)]
pub(super) struct HeaderWriter {
    scratch: Vec<u8>,
}

/// A recipient who does not fit: they get a file of their own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DoesNotFit;

impl HeaderWriter {
    /// How a field is written, whose variables are defined where it has its own.
    pub fn write(
        &mut self,
        plan: &Plan<'_>,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let variant = |variant| Ok(Choice { variant, more: 0 });
        if plan.is_common(field, recipient) {
            return variant(COMMON);
        }
        match field.kind {
            FieldKind::Date | FieldKind::MessageId => variant(0),
            FieldKind::OneClick => variant(one_click(recipient)),
            FieldKind::Priority => variant(priority(plan, recipient)),
            FieldKind::To => self.write_to(field, recipient, out),
            FieldKind::Text(text) if stands_inline(plan, field.field, text, recipient) => {
                variant(INLINE)
            }
            FieldKind::Text(_) | FieldKind::Lines => self.write_lines(plan, field, recipient, out),
        }
    }

    fn write_to(
        &mut self,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let variant = |variant| Ok(Choice { variant, more: 0 });
        let Mailbox { name, address } = &recipient.mailbox;
        let Some(name) = name else {
            return variant(TO_BARE);
        };
        let length = "To:  <>".len() + name.len() + address.as_str().len();
        if is_plain(name) && length <= LINE {
            out.define(field.name.first(), name.as_bytes());
            return variant(TO_INLINE);
        }
        self.scratch.clear();
        HeaderSection::new(&mut self.scratch)
            .without_quotes()
            .display_name("To", name);
        self.define_lines("To", field, TO_LINES, out)
    }

    fn write_lines(
        &mut self,
        plan: &Plan<'_>,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let name = plan.field_name(field.field);
        let filled = &recipient.filled;
        let own = || filled.own.as_ref().expect(FILLED);
        self.scratch.clear();
        let mut header = HeaderSection::new(&mut self.scratch).without_quotes();
        match field.field {
            HeaderField::From => header.mailboxes(name, [&plan.from(recipient)]),
            HeaderField::ReplyTo => header.mailboxes(name, &plan.reply_to(recipient)),
            HeaderField::MessageId => {
                header.message_ids(name, [filled.message_id.as_ref().expect(FILLED)]);
            }
            HeaderField::Unsubscribe => {
                let unsubscribe = filled.unsubscribe.as_ref().expect(FILLED);
                unsubscribe.write(&mut header);
            }
            HeaderField::Subject => header.text(name, filled.subject.as_ref().expect(FILLED)),
            HeaderField::Extra(index) => plan.extra(index, recipient).write(name, &mut header),
            HeaderField::Date => header.date(name, &own().date.expect(FILLED)),
            HeaderField::InReplyTo => header.message_ids(name, &own().in_reply_to),
            HeaderField::References => header.message_ids(name, &own().references),
            HeaderField::To | HeaderField::OneClick | HeaderField::Priority => {
                unreachable!("these are no text and have kinds of their own")
            }
        }
        self.define_lines(name, field, LINES, out)
    }

    /// Defines what stands behind the field's name, and each line that follows.
    fn define_lines(
        &self,
        name: &str,
        field: &VaryingField<'_>,
        variant: u8,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let lines = self.scratch.strip_suffix(b"\r\n");
        let lines = lines.expect("a header field ends with a line end");
        let body = &lines[name.len() + ":".len()..];
        let more = memchr::memchr_iter(b'\n', body).count();
        if more >= MOST_PIECES {
            return Err(DoesNotFit);
        }
        let more = u8::try_from(more).map_err(|_| DoesNotFit)?;
        for (line, number) in body.split(|byte| *byte == b'\n').zip(numbers(more)) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !is_definable(line) {
                return Err(DoesNotFit);
            }
            out.define(&field.name.numbered(number), line);
        }
        Ok(Choice { variant, more })
    }
}

/// The variant of List-Unsubscribe-Post: there or not.
fn one_click(recipient: &Recipient<'_>) -> u8 {
    let unsubscribe = &recipient.filled.unsubscribe;
    u8::from(unsubscribe.as_ref().is_some_and(|ways| ways.one_click))
}

/// The variant of the priority: 0 for none, or the number of X-Priority.
fn priority(plan: &Plan<'_>, recipient: &Recipient<'_>) -> u8 {
    let urgency = match recipient.priority {
        Some(RecipientPriority::Header(priority)) => Urgency::from(priority),
        Some(RecipientPriority::Queue(_)) | None => {
            recipient.filled.urgency_or(plan.composed().urgency)
        }
    };
    urgency.number().unwrap_or(0)
}

/// Whether a field's values may stand amid its text as they are: nothing needs to be encoded, and
/// lines end at blanks of the text.
fn stands_inline(
    plan: &Plan<'_>,
    field: HeaderField,
    template: &TemplateText<'_>,
    recipient: &Recipient<'_>,
) -> bool {
    let Some(text) = plain_line(plan, field, recipient) else {
        return false;
    };
    if text.is_empty() || needs_encoding(&text) {
        return false;
    }
    let room = LINE - plan.field_name(field).len() - ": ".len();
    let is_as_written = match field {
        HeaderField::Subject => folds(&text, room),
        HeaderField::Extra(_) if matches!(text, Cow::Borrowed(_)) => true,
        // The text is what the template gives, unless it was read by a grammar and is written otherwise.
        _ => plan.templates().fill_text(template, &recipient.values) == text,
    };
    let language = &plan.templates().language;
    let value = |number| language.value(&recipient.values, number);
    is_as_written
        && template
            .slots()
            .all(|slot| is_definable(value(slot.value).as_bytes()))
        && folds_beside_values(template, value, room)
}

/// A text in which values stand, in one line; `None` where something in it has to be encoded or in quotes.
fn plain_line<'r>(
    plan: &Plan<'_>,
    field: HeaderField,
    recipient: &'r Recipient<'_>,
) -> Option<Cow<'r, str>> {
    let filled = &recipient.filled;
    match field {
        HeaderField::Subject => filled.subject.as_deref().map(Cow::Borrowed),
        HeaderField::Unsubscribe => {
            let ways = filled.unsubscribe.as_ref();
            ways?.body.as_plain_line().map(Cow::Owned)
        }
        HeaderField::Extra(index) => plan.extra(index, recipient).as_plain_line(),
        _ => None,
    }
}

/// Whether lines that end at blanks of the text, and not at those of values, are short enough where
/// they can be. The first one has so much `room`.
fn folds_beside_values<'v>(
    template: &TemplateText<'_>,
    value: impl Fn(usize) -> &'v str,
    mut room: usize,
) -> bool {
    let (mut length, mut has_blank) = (0, false);
    let mut fits = |length: usize, has_blank: bool| {
        let room = std::mem::replace(&mut room, LINE - 1);
        !has_blank || length <= room
    };
    for piece in template.pieces() {
        match piece {
            Piece::Slot(slot) => {
                let value = value(slot.value);
                length += value.len();
                has_blank |= value.contains(' ');
            }
            Piece::Literal(literal) => {
                let mut words = literal.split(' ');
                length += words.next().map_or(0, str::len);
                for word in words {
                    if !fits(length, has_blank) {
                        return false;
                    }
                    (length, has_blank) = (word.len(), false);
                }
            }
        }
    }
    fits(length, has_blank)
}
