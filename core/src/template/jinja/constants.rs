//! Parts of a template that depend on no variable are evaluated when it is parsed: faults are reported once, and not
//! for each recipient.

use super::super::TextKind;
use super::check::Checked;
use super::kinds::{HTML, PLAIN};
use super::refusals::not_constant;
use super::scan::Unit;
use super::source::Source;
use crate::problem::{Code, Refusal};
use crate::syntax::has_control_except_tab;
use minijinja::{Environment, ErrorKind};

/// Evaluates the units that are the same for everybody, once. The fuel of the environment limits it.
pub(super) fn work_out(
    environment: &Environment<'_>,
    source: &Source,
    units: &[Unit],
    checked: &Checked,
    kind: TextKind,
) -> Result<(), Refusal> {
    for is_whole in [true, false] {
        let units = units.iter().filter(|unit| unit.is_whole == is_whole);
        let units = units.map(|unit| source.range(&unit.range));
        let constants = units.filter(|range| checked.is_constant(range, is_whole));
        let mut constants = constants.peekable();
        if constants.peek().is_none() {
            continue;
        }
        // All of them as one template, so that there is one bound for all; where each begins in it, and in
        // the source.
        let mut template = String::new();
        let mut starts = Vec::new();
        for range in constants {
            starts.push((template.len(), range.start));
            template.push_str(&source.text[range]);
        }
        let offset_of = |at: usize| {
            let index = starts.partition_point(|(start, _)| *start <= at);
            let (start, offset) = starts[index.saturating_sub(1)];
            offset + at - start
        };
        let name = if kind == TextKind::Html { HTML } else { PLAIN };
        match environment.render_named_str(name, &template, ()) {
            Ok(text) if kind == TextKind::Header && has_control_except_tab(&text) => {
                return Err(CONTROL);
            }
            Ok(_) => {}
            // Not all of what is in branches is evaluated for somebody.
            Err(error) if error.kind() == ErrorKind::OutOfFuel && !is_whole => {}
            Err(error) => return Err(not_constant(&error, &template, source, offset_of)),
        }
    }
    Ok(())
}

const CONTROL: Refusal = Refusal::new(
    Code::ControlCharacter,
    "The template writes a line break or another control character into a header field.",
);
