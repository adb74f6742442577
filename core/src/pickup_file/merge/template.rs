//! The template of a file: the message with the names of variables where recipients differ.

use super::blocks::{Block, Blocks, Condition, Counts};
use super::body::{ValueLayout, lay_out};
use super::choice::{COMMON, INLINE, LINES, TO_BARE, TO_INLINE, TO_LINES};
use super::folding::fold;
use super::names::{Name, numbers_of_block};
use super::plan::{FieldKind, Plan, VaryingField};
use super::syntax::{doubled, doubled_byte, push_variable, write_options};
use super::widths::Widths;
use crate::header::HeaderSection;
use crate::identity::Identity;
use crate::message::{HeaderField, Markers, ONE_CLICK, write_number};
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
    pub fn blocks(&self, identity: &Identity) -> Vec<Block> {
        let composed = self.plan.composed();
        let message = composed.render_with_markers(&self.markers(), identity);
        let mut blocks = Blocks::new(self.counts);
        write_options(blocks.common(), self.plan.delivery());
        let mut rest = message.as_slice();
        while let Some(at) = memchr::memchr2(0, b'[', rest) {
            let (before, found) = rest.split_at(at);
            blocks.common().extend_from_slice(before);
            rest = &found[1..];
            if found[0] == b'[' {
                blocks.common().extend_from_slice(b"[[");
                continue;
            }
            let end = memchr::memchr(0, rest).expect("a marker ends with NUL");
            let marker = number(&rest[..end]);
            rest = &rest[end + 1..];
            if self.put(marker, &mut blocks, identity) == Put::WholeLines {
                rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
            }
        }
        blocks.common().extend_from_slice(rest);
        blocks.finish()
    }

    fn markers(&self) -> Markers {
        let plan = self.plan;
        let mut occurrences = plan.occurrences.iter().copied();
        let fields = plan.fields.iter().enumerate();
        Markers {
            fields: fields
                .map(|(marker, field)| (field.field, marker))
                .collect(),
            bodies: plan.templates().bodies.map(|text| {
                let variables: Vec<usize> =
                    occurrences.by_ref().take(text.slots().count()).collect();
                self.body(text, &variables)
            }),
            boundary_seed: plan.boundary_seed(),
        }
    }

    /// A body in which the variables with these numbers stand, in this order.
    fn body(&self, text: &TemplateText<'_>, variables: &[usize]) -> Vec<u8> {
        let has_own = |variable: &usize| self.has_own[*variable];
        let mut all = variables.iter();
        let text = text.with_common(|slot| {
            let variable = all.next().expect("each slot has its variable");
            (!has_own(variable)).then(|| self.plan.common_value(slot.value))
        });
        let own = variables.iter().copied().filter(has_own);
        lay_out(&text, own.map(|variable| self.slot(variable)))
    }

    /// The marker of a variable of the bodies, and how its value is laid out.
    fn slot(&self, variable: usize) -> (usize, ValueLayout) {
        let marker = self.plan.fields.len() + variable;
        let layout = if self.plan.bodies[variable].adjacency.is_lines() {
            ValueLayout::FinalLines
        } else if self.counts.has_lines(marker) {
            ValueLayout::OwnLines
        } else {
            ValueLayout::Inline(self.widths.bodies[variable])
        };
        (marker, layout)
    }

    /// Writes what stands at a marker.
    fn put(&self, marker: usize, blocks: &mut Blocks<'_>, identity: &Identity) -> Put {
        if let Some(field) = self.plan.fields.get(marker) {
            let name = blocks.take_line();
            self.put_field(marker, field, &name, blocks, identity);
            return Put::WholeLines;
        }
        let variable = &self.plan.bodies[marker - self.plan.fields.len()];
        if variable.adjacency.is_lines() {
            self.put_last_lines(marker, &variable.name, blocks);
            return Put::WholeLines;
        }
        if !self.counts.has_lines(marker) {
            push_variable(blocks.common(), variable.name.first());
            return Put::Inline;
        }
        put_lines(marker, 0, b"", &variable.name, b"=", blocks);
        Put::WholeLines
    }

    /// Writes a value that ends its body with lines of its own, for those who have one.
    fn put_last_lines(&self, marker: usize, name: &Name, blocks: &mut Blocks<'_>) {
        let condition = Condition {
            marker,
            variant: 0,
            bit: None,
        };
        if self.counts.has_lines(marker) {
            put_lines(marker, 0, b"", name, b"=", blocks);
            blocks.lines(condition, b"\r\n");
        } else {
            let mut line = Vec::new();
            push_variable(&mut line, name.first());
            line.extend_from_slice(b"\r\n");
            blocks.lines(condition, &line);
        }
    }

    /// Writes the variants of a field, of which `name` is the name with its colon.
    fn put_field(
        &self,
        marker: usize,
        field: &VaryingField<'_>,
        name: &[u8],
        blocks: &mut Blocks<'_>,
        identity: &Identity,
    ) {
        let condition = |variant| Condition {
            marker,
            variant,
            bit: None,
        };
        match field.kind {
            FieldKind::Date => {
                put_made(name, b"[*date]", blocks);
            }
            FieldKind::MessageId => {
                put_made(name, &self.message_id(), blocks);
            }
            FieldKind::OneClick => {
                let post = |header: &mut HeaderSection<'_>| {
                    header.tokens("List-Unsubscribe-Post", [ONE_CLICK]);
                };
                blocks.lines(condition(1), &written(post));
            }
            FieldKind::Priority => {
                for number in 1..=5 {
                    let lines = written(|header| write_number(number, header));
                    blocks.lines(condition(number), &lines);
                }
            }
            FieldKind::Lines => {
                self.put_common(condition(COMMON), field.field, blocks, identity);
                put_lines(marker, LINES, name, &field.name, b"", blocks);
            }
            FieldKind::Text(text) => {
                self.put_common(condition(COMMON), field.field, blocks, identity);
                if blocks.has(condition(INLINE)) {
                    let (names, widths) = (&self.plan.header_names, &self.widths.header);
                    let inline = fold(name, text, names, widths);
                    blocks.lines(condition(INLINE), &inline);
                }
                put_lines(marker, LINES, name, &field.name, b"", blocks);
            }
            FieldKind::To => {
                blocks.lines(condition(TO_BARE), &[name, b" [*to]\r\n"].concat());
                let variable = field.name.first();
                let inline = [name, b" [", variable, b"] <[*to]>\r\n"].concat();
                blocks.lines(condition(TO_INLINE), &inline);
                put_lines(marker, TO_LINES, name, &field.name, b"", blocks);
                blocks.lines(condition(TO_LINES), b" <[*to]>\r\n");
            }
        }
    }

    /// Writes a field as it is for those who have none of its values.
    fn put_common(
        &self,
        condition: Condition,
        field: HeaderField,
        blocks: &mut Blocks<'_>,
        identity: &Identity,
    ) {
        if blocks.has(condition) {
            let lines = self.plan.common_field(field, identity).into_iter();
            let lines: Vec<u8> = lines.flat_map(doubled_byte).collect();
            blocks.lines(condition, &lines);
        }
    }

    /// The identifier that PowerMTA puts together.
    fn message_id(&self) -> Vec<u8> {
        let id = if self.id_is_envid {
            b"*envid".as_slice()
        } else {
            self.plan.id_name.first()
        };
        let domain = self.plan.composed().from.address.domain();
        let mut body = [b"<[", id, b"]@"].concat();
        body.extend(doubled(domain));
        body.push(b'>');
        body
    }
}

/// Whether what stood at a marker was a piece of a line.
#[derive(PartialEq, Eq)]
enum Put {
    Inline,
    WholeLines,
}

/// Writes a field whose body PowerMTA makes: one word, which stays on the line of the name.
fn put_made(name: &[u8], body: &[u8], blocks: &mut Blocks<'_>) {
    let line = [name, b" ", body, b"\r\n"].concat();
    blocks.common().extend_from_slice(&line);
}

/// Writes the lines of one variant: `prefix` and the first variable, then blocks of further ones.
fn put_lines(
    marker: usize,
    variant: u8,
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
    let condition = |bit| Condition {
        marker,
        variant,
        bit,
    };
    blocks.lines(condition(None), &line(prefix, 1));
    for bit in 0..u8::BITS {
        let condition = condition(Some(bit));
        if blocks.has(condition) {
            let lines = numbers_of_block(bit).flat_map(|number| line(b"", number));
            blocks.lines(condition, &lines.collect::<Vec<u8>>());
        }
    }
}

/// Header fields that are known beforehand.
fn written(write: impl Fn(&mut HeaderSection<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut HeaderSection::new(&mut out));
    out
}

fn number(marker: &[u8]) -> usize {
    let number = std::str::from_utf8(marker).ok();
    let number = number.and_then(|number| number.parse().ok());
    number.expect("a marker is a number")
}
