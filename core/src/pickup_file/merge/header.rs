//! The header of one recipient's message: how each field that differs is written, and the values of its variables.

use super::definitions::{Definitions, is_definable};
use super::forms::{COMMON, Form, INLINE, LINES, MOST_LINES, REPLACED};
use super::plan::{FieldKind, Plan, VaryingField};
use crate::address::Mailbox;
use crate::header::{
    ENCODED_LINE, HeaderSection, LINE, Signs, folds, is_plain_parameter, needs_encoding,
};
use crate::identity::Id;
use crate::message::{HeaderField, Recipient, RecipientPriority, Urgency};
use crate::mime::plain_name;
use crate::template::{Piece, TemplateText};
use std::borrow::Cow;

const FILLED: &str = "a field with placeholders is filled in for each recipient";

/// Computes the fields of one recipient after the other.
#[derive(Debug, Default)]
pub(super) struct HeaderWriter {
    scratch: Vec<u8>,
    /// For each of the fields that recipients have of their own, which of this recipient's fields it is.
    own: Vec<Option<usize>>,
}

/// A recipient who does not fit gets a separate file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DoesNotFit;

impl HeaderWriter {
    /// Starts a recipient, whose own fields are in the plan.
    pub fn begin(&mut self, plan: &Plan<'_>, recipient: &Recipient<'_>) {
        let has_all = plan
            .own
            .place(recipient.filled.headers.as_deref(), &mut self.own);
        debug_assert!(has_all, "the plan is one that has the recipient's fields");
    }

    /// Returns the form in which a field is written, and defines its variables if the recipient has its own values.
    /// `id` is the recipient's identifier.
    pub fn write(
        &mut self,
        plan: &Plan<'_>,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        id: &Id,
        out: &mut Definitions<'_>,
    ) -> Result<Form, DoesNotFit> {
        if let Some(headers) = &recipient.filled.headers {
            if plan
                .own_place(field.field)
                .is_some_and(|place| self.own[place].is_some())
                || headers.fields.contains(&field.field)
            {
                return self.write_lines(plan, field, recipient, out);
            }
            if matches!(field.field, HeaderField::Extra(_) | HeaderField::To)
                && plan.own_place(field.field).is_none()
                && headers.replace(plan.field_name(field.field))
            {
                return Ok(Form::of(REPLACED));
            }
        }
        if plan.is_common(field, recipient) {
            return Ok(Form::of(COMMON));
        }
        match field.kind {
            FieldKind::Date => Ok(Form::of(INLINE)),
            FieldKind::MessageId => {
                out.define(field.name.first(), id.as_str().as_bytes());
                Ok(Form::of(INLINE))
            }
            FieldKind::OneClick => Ok(Form::of(one_click(plan, recipient))),
            FieldKind::Priority => Ok(Form::of(priority(plan, recipient))),
            FieldKind::To => self.write_to(field, recipient, out),
            FieldKind::Text(text) if stands_inline(plan, field.field, text, recipient) => {
                Ok(Form::of(INLINE))
            }
            FieldKind::FileType | FieldKind::FileDisposition => {
                self.write_file(plan, field, recipient, out)
            }
            FieldKind::Text(_) | FieldKind::Lines | FieldKind::Fixed => {
                self.write_lines(plan, field, recipient, out)
            }
        }
    }

    fn write_to(
        &mut self,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Form, DoesNotFit> {
        let Mailbox { name, address } = &recipient.mailbox;
        let Some(name) = name else {
            return Ok(Form::of(INLINE));
        };
        self.scratch.clear();
        HeaderSection::new(&mut self.scratch)
            .with_signs(Signs::Definable)
            .display_name("To", name);
        let line = self.scratch.strip_suffix(b"\r\n");
        let line = line.expect("a header field ends with a line end");
        let is_word = line.starts_with(b"To: =?");
        let limit = if is_word { ENCODED_LINE } else { LINE };
        let fits = line.len() + " <>".len() + address.as_str().len() <= limit;
        if fits && !line.contains(&b'\n') {
            out.define(field.name.first(), &line["To: ".len()..]);
            return Ok(Form::of(INLINE));
        }
        self.define_lines("To", field, out)
    }

    fn write_file(
        &mut self,
        plan: &Plan<'_>,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Form, DoesNotFit> {
        let value = match field.field {
            HeaderField::FileType(file) => {
                plain_name(plan.filename(file, recipient), Signs::Definable)
            }
            HeaderField::FileDisposition(file) => {
                let name = plan.filename(file, recipient);
                if !is_plain_parameter(name) || Signs::Definable.exclude_any_of(name) {
                    return self.write_lines(plan, field, recipient, out);
                }
                name.to_owned()
            }
            _ => unreachable!("others hold no name of a file"),
        };
        if !is_definable(value.as_bytes()) {
            return Err(DoesNotFit);
        }
        out.define(field.name.first(), value.as_bytes());
        Ok(Form::of(INLINE))
    }

    fn write_lines(
        &mut self,
        plan: &Plan<'_>,
        field: &VaryingField<'_>,
        recipient: &Recipient<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Form, DoesNotFit> {
        let name = plan.field_name(field.field);
        let filled = &recipient.filled;
        let own = || filled.own.as_ref().expect(FILLED);
        self.scratch.clear();
        let mut header = HeaderSection::new(&mut self.scratch).with_signs(Signs::Definable);
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
            HeaderField::Extra(index) => match plan.own_place(field.field) {
                Some(place) => {
                    let index = self.own[place].expect("who lacks it does not write it");
                    let headers = filled.headers.as_ref().expect("these have fields");
                    headers.extra[index].body.write(name, &mut header);
                }
                None => plan.extra(index, recipient).write(name, &mut header),
            },
            HeaderField::Date => header.date(name, &own().date.expect(FILLED)),
            HeaderField::InReplyTo => header.message_ids(name, &own().in_reply_to),
            HeaderField::References => header.message_ids(name, &own().references),
            HeaderField::FileDisposition(file) => {
                let name = plan.filename(file, recipient);
                plan.composed().attachments[file].write_disposition(Some(name), &mut header);
            }
            HeaderField::To
            | HeaderField::OneClick
            | HeaderField::Priority
            | HeaderField::FileType(_) => {
                unreachable!("these are no text and have kinds of their own")
            }
        }
        self.define_lines(name, field, out)
    }

    /// Defines what follows the name of the field, and each further line. The blanks at their starts are in the
    /// template.
    fn define_lines(
        &self,
        name: &str,
        field: &VaryingField<'_>,
        out: &mut Definitions<'_>,
    ) -> Result<Form, DoesNotFit> {
        let lines = self.scratch.strip_suffix(b"\r\n");
        let lines = lines.expect("a header field ends with a line end");
        let body = &lines[name.len() + ":".len()..];
        let count = 1 + memchr::memchr_iter(b'\n', body).count();
        let lines = u8::try_from(count).map_err(|_| DoesNotFit)?;
        if count > MOST_LINES {
            return Err(DoesNotFit);
        }
        for (line, number) in body.split(|byte| *byte == b'\n').zip(1..) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = line.strip_prefix(b" ").unwrap_or(line);
            // A line of a blank alone would end the header for some readers.
            if !is_definable(line) || (line.is_empty() && lines > 1) {
                return Err(DoesNotFit);
            }
            out.define(&field.name.numbered(number), line);
        }
        let variant = LINES;
        Ok(Form { variant, lines })
    }
}

/// The variant of List-Unsubscribe-Post: there or not.
fn one_click(plan: &Plan<'_>, recipient: &Recipient<'_>) -> u8 {
    let own = recipient.filled.unsubscribe.as_ref();
    let ways = own.or(plan.composed().unsubscribe.as_ref());
    u8::from(ways.is_some_and(|ways| ways.one_click))
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

/// Whether the values of a field can be written in its text as they are: nothing has to be encoded, and lines are
/// folded at blanks of the text.
fn stands_inline(
    plan: &Plan<'_>,
    field: HeaderField,
    template: &TemplateText<'_>,
    recipient: &Recipient<'_>,
) -> bool {
    let Some(text) = plain_line(plan, field, recipient) else {
        return false;
    };
    if text.is_empty() || needs_encoding(&text) || Signs::NoBrackets.exclude_any_of(&text) {
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

/// A text with values in it, on one line; `None` if something in it has to be encoded or quoted.
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

/// Whether lines are short enough if they are folded at blanks of the text only, where folding at blanks of values would
/// make them shorter: a line whose values have no blank passes, however long it is. The first line has this much `room`.
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
