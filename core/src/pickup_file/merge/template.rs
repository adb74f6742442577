//! The template of a file: the message with the names of variables where recipients differ.

use super::body::{Place, lay_out};
use super::folding::fold;
use super::forms::{COMMON, Forms, INLINE, LINES, Parts};
use super::plan::{FieldKind, Plan, VaryingField};
use super::syntax::push_variable;
use super::usage::{Late, Usage};
use crate::header::{HeaderSection, Signs};
use crate::identity::Identity;
use crate::message::{HeaderField, Markers, ONE_CLICK, write_number};
use crate::template::TemplateText;

/// What a template is made from.
pub(super) struct Template<'d, 'm> {
    pub plan: &'d Plan<'m>,
    /// The forms of each field.
    pub forms: &'d [Forms],
    /// The maximum widths of the values in the header, by their number.
    pub header_widths: &'d [usize],
    /// For each variable of the bodies.
    pub usages: &'d [Usage],
    pub late: &'d [Late],
    /// Whether some recipient has a name.
    pub has_names: bool,
}

impl<'d> Template<'d, '_> {
    /// The template in parts.
    pub fn parts(&self, identity: &Identity) -> Parts<'d> {
        let message = self
            .plan
            .template()
            .render_with_markers(&self.markers(), identity);
        let mut parts = Parts::new(self.forms);
        let mut rest = message.as_slice();
        while let Some(at) = memchr::memchr(0, rest) {
            // The name of a field is before its marker, and is in the line of the marker.
            let (before, found) = rest.split_at(at);
            let line = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
            let (before, name) = before.split_at(line);
            parts.common(before);
            let end = memchr::memchr(0, &found[1..]).expect("a marker ends with NUL");
            self.put_field(number(&found[1..=end]), name, &mut parts);
            rest = &found[end + 2..];
            rest = rest.strip_prefix(b"\r\n").expect("a marker ends its line");
        }
        parts.common(rest);
        parts
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
                let variables = occurrences.by_ref().take(text.slots().count());
                self.body(text, &variables.collect::<Vec<_>>())
            }),
            boundary_seed: plan.boundary_seed(),
        }
    }

    /// A body that contains the variables with these numbers, in this order.
    fn body(&self, text: &TemplateText<'_>, variables: &[usize]) -> Vec<u8> {
        let is_variable = |variable: &usize| self.usages[*variable].is_variable();
        let mut all = variables.iter();
        let text = text.with_common(|slot| {
            let variable = all.next().expect("each slot has its variable");
            (!is_variable(variable)).then(|| self.plan.common_value(slot.value))
        });
        let own = variables.iter().copied().filter(is_variable);
        let place = |variable: usize| Place {
            name: &self.plan.bodies[variable].name,
            pieces: self.late[variable].pieces,
            last: self.late[variable].last,
        };
        lay_out(&text, own.map(place))
    }

    /// Writes a field in its forms; `name` is its name with the colon.
    fn put_field(&self, number: usize, name: &[u8], parts: &mut Parts<'d>) {
        let field = &self.plan.fields[number];
        match field.kind {
            FieldKind::Date => {
                let inline = [name, b" [*date]\r\n"].concat();
                parts.lines(number, INLINE, 1, &inline);
                self.put_lines(number, name, parts);
            }
            FieldKind::MessageId => {
                let domain = self.plan.composed().from.address.domain().as_bytes();
                let id = field.name.first();
                let inline = [name, b" <[", id, b"]@", domain, b">\r\n"].concat();
                parts.lines(number, INLINE, 1, &inline);
                self.put_lines(number, name, parts);
            }
            FieldKind::OneClick => {
                let post = |header: &mut HeaderSection<'_>| {
                    header.tokens("List-Unsubscribe-Post", [ONE_CLICK]);
                };
                parts.lines(number, 1, 1, &written(post));
            }
            FieldKind::Priority => {
                for level in 1..=5 {
                    let lines = written(|header| write_number(level, header));
                    parts.lines(number, level, 1, &lines);
                }
            }
            FieldKind::To => {
                let variable = field.name.first();
                let inline = if self.has_names {
                    [name, b" [", variable, b"] <[*to]>\r\n"].concat()
                } else {
                    [name, b" [*to]\r\n"].concat()
                };
                parts.lines(number, INLINE, 1, &inline);
                self.put_lines(number, name, parts);
                parts.lines(number, LINES, 1, b" <[*to]>\r\n");
            }
            FieldKind::FileType => {
                let HeaderField::FileType(index) = field.field else {
                    unreachable!("the kind is that of this field");
                };
                let file = &self.plan.composed().attachments[index];
                let lines = written(|header| file.write_type(None, header));
                parts.lines(number, INLINE, 1, &named(&lines, b"name", field));
            }
            FieldKind::FileDisposition => {
                let HeaderField::FileDisposition(index) = field.field else {
                    unreachable!("the kind is that of this field");
                };
                let file = &self.plan.composed().attachments[index];
                let lines = written(|header| file.write_disposition(None, header));
                parts.lines(number, INLINE, 1, &named(&lines, b"filename", field));
                self.put_lines(number, name, parts);
            }
            FieldKind::Lines | FieldKind::Fixed => {
                put_common(number, field, parts);
                self.put_lines(number, name, parts);
            }
            FieldKind::Text(text) => {
                put_common(number, field, parts);
                let (names, widths) = (&self.plan.header_names, self.header_widths);
                parts.lines(number, INLINE, 1, &fold(name, text, names, widths));
                self.put_lines(number, name, parts);
            }
        }
    }

    /// Writes a field that is computed for each recipient, line by line.
    fn put_lines(&self, number: usize, name: &[u8], parts: &mut Parts<'d>) {
        let mut first = 1;
        for last in self.forms[number].lines(LINES) {
            let mut lines = Vec::new();
            for line in first..=last {
                lines.extend_from_slice(if line == 1 { name } else { b"" });
                lines.push(b' ');
                let variable = self.plan.fields[number].name.numbered(usize::from(line));
                push_variable(&mut lines, &variable);
                lines.extend_from_slice(b"\r\n");
            }
            parts.lines(number, LINES, last, &lines);
            first = last + 1;
        }
    }
}

/// A field with one more parameter, whose value is the field's variable in quotes.
fn named(lines: &[u8], parameter: &[u8], field: &VaryingField<'_>) -> Vec<u8> {
    let lines = lines.strip_suffix(b"\r\n");
    let lines = lines.expect("a header field ends with a line end");
    let variable = field.name.first();
    [lines, b";\r\n ", parameter, b"=\"[", variable, b"]\"\r\n"].concat()
}

/// Writes a field for those who have none of its values.
fn put_common(number: usize, field: &VaryingField<'_>, parts: &mut Parts<'_>) {
    if let Some(lines) = &field.common {
        parts.lines(number, COMMON, 1, lines);
    }
}

/// Header fields that are known in advance.
fn written(write: impl Fn(&mut HeaderSection<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut HeaderSection::new(&mut out).with_signs(Signs::NoBrackets));
    out
}

fn number(marker: &[u8]) -> usize {
    let number = std::str::from_utf8(marker).ok();
    let number = number.and_then(|number| number.parse().ok());
    number.expect("a marker is a number")
}
