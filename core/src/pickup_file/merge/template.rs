//! The template of a file: the message with the names of variables where recipients differ.

use super::blocks::{Block, Blocks, Condition, Counts};
use super::body::{Room, lay_out};
use super::draft::Widths;
use super::header::{COMMON, INLINE, LINES, TO_BARE, TO_FOLDED, TO_INLINE, TO_LINES};
use super::names::{Name, numbers_of_block};
use super::plan::{FieldKind, FieldSpot, Plan};
use super::words::fold;
use crate::header::{HeaderSection, LINE};
use crate::message::{Delivery, Field, ONE_CLICK, Priority, Stencil};
use crate::pickup_file::line;
use crate::stamp::{Id, Stamp};
use crate::template::TemplateText;

/// What a template is made from.
pub(super) struct Template<'d, 'm> {
    pub plan: &'d Plan<'m>,
    pub counts: &'d Counts,
    pub widths: &'d Widths,
    /// Which variables of the bodies are variables in this file.
    pub has_own: &'d [bool],
    /// Message-ID is made from the envelope id.
    pub id_is_envid: bool,
}

impl Template<'_, '_> {
    /// The template in blocks.
    pub fn blocks(&self, stamp: &Stamp) -> Vec<Block> {
        let message = self.plan.composed().render_stencil(&self.stencil(), stamp);
        let mut blocks = Blocks::new(self.counts);
        write_options(blocks.common(), self.plan.delivery());
        let mut rest = message.as_slice();
        while let Some(at) = memchr::memchr2(0, b'[', rest) {
            let (before, found) = rest.split_at(at);
            blocks.common().extend_from_slice(before);
            rest = found.get(1..).unwrap_or_default();
            if found.first() == Some(&b'[') {
                blocks.common().extend_from_slice(b"[[");
                continue;
            }
            let end = memchr::memchr(0, rest).unwrap_or(rest.len());
            let (mark, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            if self.put(number(mark), &mut blocks) == Put::WholeLines {
                rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
            }
        }
        blocks.common().extend_from_slice(rest);
        blocks.finish()
    }

    fn stencil(&self) -> Stencil {
        let plan = self.plan;
        let mut occurrences = plan.occurrences.iter().copied();
        let fields = plan.fields.iter().enumerate();
        Stencil {
            fields: fields.map(|(mark, spot)| (spot.field, mark)).collect(),
            bodies: plan.templates().bodies.map(|text| {
                let variables: Vec<usize> =
                    occurrences.by_ref().take(text.slots().count()).collect();
                self.body(text, &variables)
            }),
            identity: plan.identity(),
        }
    }

    /// A body in which the variables with these numbers stand, in this order.
    fn body(&self, text: &TemplateText<'_>, variables: &[usize]) -> Vec<u8> {
        let language = &self.plan.templates().language;
        let has_own = |variable: &usize| self.has_own.get(*variable) == Some(&true);
        let mut all = variables.iter();
        let text = text.with_common(|slot| {
            let has_own = all.next().is_none_or(has_own);
            (!has_own).then(|| language.common(slot.value))
        });
        let own = variables.iter().copied().filter(has_own);
        lay_out(&text, own.map(|variable| self.slot(variable)))
    }

    /// The mark of a variable of the bodies, and the room it needs.
    fn slot(&self, variable: usize) -> (usize, Room) {
        let mark = self.plan.fields.len() + variable;
        let width = self.widths.bodies.get(variable).copied().unwrap_or(0);
        let is_last = self.plan.bodies.get(variable);
        let room = if is_last.is_some_and(|variable| variable.neighbours.is_lines()) {
            Room::LastLines
        } else if self.counts.has_lines(mark) {
            Room::Lines
        } else {
            Room::Inline(width)
        };
        (mark, room)
    }

    /// Writes what stands at a mark.
    fn put(&self, mark: usize, blocks: &mut Blocks<'_>) -> Put {
        if let Some(spot) = self.plan.fields.get(mark) {
            let name = blocks.take_line();
            self.put_field(mark, spot, &name, blocks);
            return Put::WholeLines;
        }
        let Some(variable) = self.plan.bodies.get(mark - self.plan.fields.len()) else {
            return Put::Inline;
        };
        if variable.neighbours.is_lines() {
            self.put_last_lines(mark, &variable.name, blocks);
            return Put::WholeLines;
        }
        if !self.counts.has_lines(mark) {
            push_variable(blocks.common(), variable.name.first());
            return Put::Inline;
        }
        put_lines(mark, 0, b"", &variable.name, b"=", blocks);
        Put::WholeLines
    }

    /// Writes a value that ends its body with lines of its own, for those who have one.
    fn put_last_lines(&self, mark: usize, name: &Name, blocks: &mut Blocks<'_>) {
        let condition = Condition {
            spot: mark,
            form: 0,
            bit: None,
        };
        if self.counts.has_lines(mark) {
            put_lines(mark, 0, b"", name, b"=", blocks);
            blocks.lines(condition, b"\r\n");
        } else {
            let mut line = Vec::new();
            push_variable(&mut line, name.first());
            line.extend_from_slice(b"\r\n");
            blocks.lines(condition, &line);
        }
    }

    /// Writes the forms of a field, of which `name` is the name with its colon.
    fn put_field(&self, mark: usize, spot: &FieldSpot, name: &[u8], blocks: &mut Blocks<'_>) {
        let condition = |form| Condition {
            spot: mark,
            form,
            bit: None,
        };
        match spot.kind {
            FieldKind::Fixed => {
                let (body, width) = self.fixed(spot.field);
                let blank: &[u8] = if name.len() + 1 + width > LINE {
                    b"\r\n "
                } else {
                    b" "
                };
                let line = [name, blank, &body, b"\r\n"].concat();
                blocks.common().extend_from_slice(&line);
            }
            FieldKind::Choice => {
                for (form, lines) in (0..).zip(forms(spot.field)) {
                    blocks.lines(condition(form), &lines);
                }
            }
            FieldKind::Lines => {
                blocks.lines(condition(COMMON), &self.common(spot.field));
                put_lines(mark, LINES, name, &spot.name, b"", blocks);
            }
            FieldKind::Text => {
                let text = self.plan.text(spot.field);
                let inline = text.map(|text| {
                    let names = &self.plan.header_names;
                    fold(
                        name,
                        spot.field == Field::Subject,
                        text,
                        names,
                        &self.widths.header,
                    )
                });
                blocks.lines(condition(COMMON), &self.common(spot.field));
                blocks.lines(condition(INLINE), &inline.unwrap_or_default());
                put_lines(mark, LINES, name, &spot.name, b"", blocks);
            }
            FieldKind::To => {
                blocks.lines(condition(TO_BARE), &[name, b" [*to]\r\n"].concat());
                blocks.lines(condition(TO_FOLDED), &[name, b"\r\n [*to]\r\n"].concat());
                let variable = spot.name.first();
                let inline = [name, b" [", variable, b"] <[*to]>\r\n"].concat();
                blocks.lines(condition(TO_INLINE), &inline);
                put_lines(mark, TO_LINES, name, &spot.name, b"", blocks);
                blocks.lines(condition(TO_LINES), b" <[*to]>\r\n");
            }
        }
    }

    /// A field as it is for those who have none of its values.
    fn common(&self, field: Field) -> Vec<u8> {
        let lines = self.plan.common_field(field).into_iter();
        lines.flat_map(doubled_octet).collect()
    }

    /// What PowerMTA makes while it delivers, and how many columns that takes.
    fn fixed(&self, field: Field) -> (Vec<u8>, usize) {
        if field == Field::Date {
            return (b"[*date]".to_vec(), "Thu, 01 Jan 2026 00:00:00 +0000".len());
        }
        let id = if self.id_is_envid {
            b"*envid".as_slice()
        } else {
            self.plan.id_name.first()
        };
        let mut fixed = [b"<[", id, b"]@"].concat();
        fixed.extend(doubled(self.plan.composed().from.address.domain()));
        fixed.push(b'>');
        let domain = self.plan.composed().from.address.domain();
        (fixed, "<@>".len() + Id::LENGTH + domain.len())
    }
}

/// Whether what stood at a mark was a piece of a line.
#[derive(PartialEq, Eq)]
enum Put {
    Inline,
    WholeLines,
}

/// Writes the lines of one form: `prefix` and the first variable, then blocks of further ones.
fn put_lines(
    spot: usize,
    form: u8,
    prefix: &[u8],
    name: &Name,
    suffix: &[u8],
    blocks: &mut Blocks<'_>,
) {
    let line = |prefix: &[u8], number| {
        let mut line = prefix.to_vec();
        push_variable(&mut line, &name.numbered(number));
        line.extend_from_slice(suffix);
        line.extend_from_slice(b"\r\n");
        line
    };
    let bit = None;
    blocks.lines(Condition { spot, form, bit }, &line(prefix, 1));
    for number in 0..u8::BITS {
        let bit = Some(number);
        let condition = Condition { spot, form, bit };
        if blocks.has(condition) {
            let lines = numbers_of_block(number).flat_map(|number| line(b"", number));
            blocks.lines(condition, &lines.collect::<Vec<u8>>());
        }
    }
}

/// The forms of a field that is known beforehand; see `header::choice`.
fn forms(field: Field) -> Vec<Vec<u8>> {
    let written = |write: &dyn Fn(&mut HeaderSection<'_>)| {
        let mut out = Vec::new();
        write(&mut HeaderSection::new(&mut out));
        out
    };
    if field == Field::OneClick {
        let post = |header: &mut HeaderSection<'_>| {
            header.tokens("List-Unsubscribe-Post", [ONE_CLICK]);
        };
        return vec![Vec::new(), written(&post)];
    }
    let levels = [Priority::High, Priority::Normal, Priority::Low];
    let levels = levels.map(|priority| written(&|header| priority.write(header)));
    std::iter::once(Vec::new()).chain(levels).collect()
}

/// PowerMTA's options that no variable holds.
pub(super) fn write_options(out: &mut Vec<u8>, delivery: &Delivery<'_>) {
    if let Some(dkim) = &delivery.dkim {
        line(out, "x-dkim-options", dkim);
    }
}

pub(super) fn push_variable(out: &mut Vec<u8>, name: &[u8]) {
    out.push(b'[');
    out.extend_from_slice(name);
    out.push(b']');
}

/// The text as it stands in a template: each `[` twice.
pub(super) fn doubled(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.bytes().flat_map(doubled_octet)
}

pub(super) fn doubled_octet(octet: u8) -> impl Iterator<Item = u8> {
    std::iter::repeat_n(octet, if octet == b'[' { 2 } else { 1 })
}

fn number(mark: &[u8]) -> usize {
    mark.iter()
        .fold(0, |number, digit| number * 10 + usize::from(digit & 15))
}
