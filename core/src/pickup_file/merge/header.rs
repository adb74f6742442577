//! The header of one recipient's message: in which form each field that differs stands, and what its
//! variables hold.

use super::definitions::{Definitions, is_definable};
use super::names::numbers;
use super::plan::{FieldKind, FieldSpot, Plan};
use super::value::MOST_PIECES;
use crate::address::Mailbox;
use crate::header::{HeaderSection, LINE, LONGEST_TOKEN, folds, is_words, needs_encoding};
use crate::message::{Field, Priority, Recipient, RecipientPriority};
use crate::template::{Piece, TemplateText};

/// In which of its forms a place of the template stands for one recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Choice {
    pub form: u8,
    /// How many lines it has beyond the first.
    pub more: u8,
}

/// The forms of To.
pub(super) const TO_BARE: u8 = 0;
pub(super) const TO_INLINE: u8 = 1;
pub(super) const TO_LINES: u8 = 2;
/// The address alone, on a line of its own.
pub(super) const TO_FOLDED: u8 = 3;
/// The forms of a text: values stand in it, or all of it is worked out.
pub(super) const INLINE: u8 = 0;
pub(super) const LINES: u8 = 1;
/// The recipient has none of its values, so it is the same for all who have none.
pub(super) const COMMON: u8 = 2;
/// The form of a value that ends its body with lines of its own, where it is empty.
pub(super) const ABSENT: u8 = 1;

/// Works out the fields of one recipient after the other.
#[derive(Debug, Default)]
pub(super) struct HeaderWriter {
    scratch: Vec<u8>,
}

/// A recipient who does not fit: they get a file of their own.
#[derive(Debug)]
pub(super) struct DoesNotFit;

impl HeaderWriter {
    /// The form of a field, whose variables are defined where it has its own.
    pub fn write(
        &mut self,
        plan: &Plan<'_>,
        spot: &FieldSpot,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let form = |form| Ok(Choice { form, more: 0 });
        match spot.kind {
            _ if plan.is_common(spot.field, recipient) => form(COMMON),
            FieldKind::Fixed => form(0),
            FieldKind::Choice => form(choice(plan, spot.field, recipient)),
            FieldKind::To => self.write_to(spot, recipient, out),
            FieldKind::Text if stands_inline(plan, spot.field, recipient) => form(INLINE),
            FieldKind::Text | FieldKind::Lines => self.write_lines(plan, spot, recipient, out),
        }
    }

    fn write_to(
        &mut self,
        spot: &FieldSpot,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let Mailbox { name, address } = &recipient.mailbox;
        let Some(name) = name else {
            let length = "To: ".len() + address.as_str().len();
            let form = if length > LINE { TO_FOLDED } else { TO_BARE };
            return Ok(Choice { form, more: 0 });
        };
        let length = "To:  <>".len() + name.len() + address.as_str().len();
        let is_plain = !needs_encoding(name) && is_words(name) && name.len() <= LONGEST_TOKEN;
        if is_plain && length <= LINE {
            out.define(spot.name.first(), name.as_bytes());
            return Ok(Choice {
                form: TO_INLINE,
                more: 0,
            });
        }
        self.scratch.clear();
        HeaderSection::new(&mut self.scratch)
            .without_quotes()
            .display_name("To", name);
        self.define_lines("To", spot, TO_LINES, out)
    }

    fn write_lines(
        &mut self,
        plan: &Plan<'_>,
        spot: &FieldSpot,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let name = plan.composed().field_name(spot.field);
        self.scratch.clear();
        let mut header = HeaderSection::new(&mut self.scratch).without_quotes();
        match (spot.field, plan.filled(spot.field, recipient)) {
            (Field::From, _) => {
                let from = plan.from(recipient);
                header.mailboxes(name, [&from]);
            }
            (Field::ReplyTo, _) => header.mailboxes(name, &plan.reply_to(recipient)),
            (Field::MessageId, _) => header.message_ids(name, &recipient.filled.message_id),
            (Field::Unsubscribe, _) => {
                if let Some(unsubscribe) = &recipient.filled.unsubscribe {
                    unsubscribe.write(&mut header);
                }
            }
            (Field::Extra(_), Some(text)) => header.extra(name, text),
            (_, text) => header.text(name, text.unwrap_or_default()),
        }
        self.define_lines(name, spot, LINES, out)
    }

    /// Defines what stands behind the field's name, and each line that follows.
    fn define_lines(
        &self,
        name: &str,
        spot: &FieldSpot,
        form: u8,
        out: &mut Definitions<'_>,
    ) -> Result<Choice, DoesNotFit> {
        let lines = self.scratch.strip_suffix(b"\r\n").unwrap_or_default();
        let body = lines.get(name.len() + 1..).unwrap_or_default();
        let more = memchr::memchr_iter(b'\n', body).count();
        if more >= MOST_PIECES {
            return Err(DoesNotFit);
        }
        let more = u8::try_from(more).map_err(|_| DoesNotFit)?;
        for (line, number) in body.split(|octet| *octet == b'\n').zip(numbers(more)) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !is_definable(line) {
                return Err(DoesNotFit);
            }
            out.define(&spot.name.numbered(number), line);
        }
        Ok(Choice { form, more })
    }
}

/// The form of a field that is known beforehand.
fn choice(plan: &Plan<'_>, field: Field, recipient: &Recipient<'_>) -> u8 {
    if field == Field::OneClick {
        let unsubscribe = &recipient.filled.unsubscribe;
        return u8::from(unsubscribe.as_ref().is_some_and(|ways| ways.one_click));
    }
    let priority = match recipient.priority {
        Some(RecipientPriority::Header(priority)) => Some(priority),
        _ => plan.composed().priority,
    };
    match priority {
        None => 0,
        Some(Priority::High) => 1,
        Some(Priority::Normal) => 2,
        Some(Priority::Low) => 3,
    }
}

/// Whether a field's values may stand amid its text as they are: nothing needs to be encoded, and
/// lines end at blanks of the text.
fn stands_inline(plan: &Plan<'_>, field: Field, recipient: &Recipient<'_>) -> bool {
    let (Some(template), Some(text)) = (plan.text(field), plan.filled(field, recipient)) else {
        return false;
    };
    if text.is_empty() || needs_encoding(text) {
        return false;
    }
    let room = LINE - plan.composed().field_name(field).len() - ": ".len();
    let is_as_written = match field {
        Field::Subject => folds(text, room),
        Field::Unsubscribe => is_filled(plan, template, recipient, text),
        _ => true,
    };
    let language = &plan.templates().language;
    let value = |number| language.value(&recipient.values, number);
    is_as_written
        && template
            .slots()
            .all(|slot| is_definable(value(slot.value).as_bytes()))
        && folds_beside_values(template, value, room)
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

/// Whether the text is what the template gives: an address may have been rewritten.
fn is_filled(
    plan: &Plan<'_>,
    template: &TemplateText<'_>,
    recipient: &Recipient<'_>,
    text: &str,
) -> bool {
    plan.templates().fill_text(template, &recipient.values) == text
}
